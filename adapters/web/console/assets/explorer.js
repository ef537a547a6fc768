"use strict";
// Sends what is written to the admin API in the reader's own session, and shows its schema.
(() => {
  const at = (id) => document.getElementById(id);
  const ask = async (body) => {
    const answer = await fetch("/graphql", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    return answer.json();
  };

  const run = async () => {
    const body = { query: at("query").value };
    const variables = at("variables").value.trim();
    if (variables) {
      try {
        body.variables = JSON.parse(variables);
      } catch (problem) {
        at("answer").textContent = "Variables must be a JSON object: " + problem.message;
        return;
      }
    }
    at("answer").textContent = "…";
    try {
      at("answer").textContent = JSON.stringify(await ask(body), null, 2);
    } catch (problem) {
      at("answer").textContent = "No answer: " + problem.message;
    }
  };
  at("run").addEventListener("click", run);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      run();
    }
  });

  // Types are shown with their wrappers: [Payment!]!
  const typeOf = (t) => (t.kind === "NON_NULL" ? typeOf(t.ofType) + "!" : t.kind === "LIST" ? "[" + typeOf(t.ofType) + "]" : t.name);
  const element = (name, text, inside) => {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    for (const one of inside || []) made.append(one);
    return made;
  };
  const member = (one) => {
    const args = (one.args || []).map((a) => a.name + ": " + typeOf(a.type)).join(", ");
    const line = element("p", "", [element("code", one.name + (args ? "(" + args + ")" : "") + (one.type ? ": " + typeOf(one.type) : ""))]);
    if (one.description) line.append(element("span", " " + one.description));
    return line;
  };
  const shown = (type) => {
    const members = [...(type.fields || []), ...(type.inputFields || []), ...(type.enumValues || []), ...(type.possibleTypes || [])];
    const body = [element("p", type.description || ""), ...members.map(member)];
    const details = element("details", "", [element("summary", type.name), ...body]);
    details.dataset.words = [type.name, ...members.map((m) => m.name)].join(" ").toLowerCase();
    return details;
  };
  const parts = "kind name ofType { kind name ofType { kind name ofType { kind name } } }";
  const argument = "name description type { " + parts + " }";
  const schema = "{ __schema { types { kind name description fields { name description args { " + argument + " } type { " + parts + " } } inputFields { " + argument +
    " } enumValues { name description } possibleTypes { name } } } }";
  ask({ query: schema }).then((answer) => {
    if (!answer.data) {
      at("docs").textContent = "In live the schema is shown to an ADMIN alone.";
      return;
    }
    const order = (type) => ({ Query: 0, Mutation: 1, Subscription: 2 })[type.name] ?? 3;
    const types = answer.data.__schema.types.filter((type) => !type.name.startsWith("__") && type.kind !== "SCALAR");
    types.sort((a, b) => order(a) - order(b) || a.name.localeCompare(b.name));
    at("docs").replaceChildren(...types.map(shown));
  }, (problem) => { at("docs").textContent = "No answer: " + problem.message; });
  at("find").addEventListener("input", () => {
    const wanted = at("find").value.trim().toLowerCase();
    for (const details of at("docs").children) details.hidden = !details.dataset.words.includes(wanted);
  });
})();
