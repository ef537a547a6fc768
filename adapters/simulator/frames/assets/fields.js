// The card fields of a frame: what they make of what is typed, and what they tell the page.
// What is typed leaves the frame to the API of its own origin only.

import { accountKey, tell, tellHeight } from './frame.js';
import { brandOf, checkCVC, checkExpiry, checkNumber, digitsOf, formatCVC, formatExpiry, formatNumber, rewrite } from './card.js';

const inputs = {
  number: document.getElementById('card-number'),
  expiry: document.getElementById('card-expiry'),
  cvc: document.getElementById('card-cvc'),
};
const names = Object.keys(inputs);

const number = () => digitsOf(inputs.number.value);
const checks = {
  number: () => checkNumber(number()),
  expiry: () => checkExpiry(inputs.expiry.value, new Date()),
  cvc: () => checkCVC(digitsOf(inputs.cvc.value), number()),
};

function show(name, problem) {
  const input = inputs[name];
  const line = document.getElementById(input.id + '-error');
  line.textContent = problem ? problem.error.message : '';
  if (problem) input.setAttribute('aria-invalid', 'true');
  else input.removeAttribute('aria-invalid');
}

let told = '';
function tellChange() {
  const state = {
    complete: names.every((name) => !checks[name]()),
    empty: names.every((name) => inputs[name].value === ''),
  };
  const text = JSON.stringify(state);
  if (text !== told) {
    told = text;
    tell('change', state);
  }
}

function format(name, deleting) {
  const input = inputs[name];
  if (name === 'number') {
    rewrite(input, formatNumber(input.value));
    document.getElementById('card-brand').textContent = brandOf(number()).title;
  } else if (name === 'expiry') {
    rewrite(input, formatExpiry(input.value, deleting));
  } else {
    rewrite(input, formatCVC(input.value, number()));
  }
}

/** Moves on to the next field once this one is complete and typed to its end. A number may go on where a short one would be complete. */
function moveOn(name) {
  const input = inputs[name];
  if (name === 'number' && number().length < brandOf(number()).lengths[0]) return;
  const next = inputs[names[names.indexOf(name) + 1]];
  if (next && document.activeElement === input && !checks[name]() && input.selectionStart === input.value.length && next.value === '') next.focus();
}

for (const name of names) {
  const input = inputs[name];
  input.addEventListener('input', (event) => {
    const deleting = event.inputType?.startsWith('delete') ?? false;
    format(name, deleting);
    const problem = checks[name]();
    if (!problem || problem.error.code.startsWith('incomplete')) show(name, null);
    else show(name, problem);
    tellChange();
    if (!deleting) moveOn(name);
  });
  input.addEventListener('blur', () => {
    if (input.value !== '') show(name, checks[name]());
    tell('blur');
  });
  input.addEventListener('focus', () => tell('focus'));
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') tell('escape');
  });
}
document.getElementById('card').addEventListener('submit', (event) => event.preventDefault());

// dress takes the appearance's variables, as far as these fields know them.
const variables = {
  colorPrimary: '--primary', colorBackground: '--background', colorText: '--text', colorDanger: '--danger',
  fontFamily: '--font', fontSizeBase: '--size', borderRadius: '--radius',
};
function dress(appearance) {
  const root = document.documentElement;
  root.dataset.theme = appearance?.theme === 'night' ? 'night' : 'stripe';
  for (const [name, property] of Object.entries(variables)) {
    const value = appearance?.variables?.[name];
    if (typeof value === 'string') root.style.setProperty(property, value);
    else root.style.removeProperty(property);
  }
}

/** Shows what is wrong, and gives the first of it as {error}; {} where nothing is. */
export function validate() {
  let first = null;
  for (const name of names) {
    const problem = checks[name]();
    show(name, problem);
    first ??= problem;
  }
  if (!first) return {};
  inputs[first.field].focus();
  return { error: first.error };
}

/** What was typed, once validate() has found nothing wrong. */
export function typed() {
  const expiry = digitsOf(inputs.expiry.value);
  return { number: number(), month: String(Number(expiry.slice(0, 2))), year: String(2000 + Number(expiry.slice(2))), cvc: digitsOf(inputs.cvc.value) };
}

/** What the page can have the fields do. */
export const methods = {
  init({ appearance }) {
    dress(appearance);
    tellHeight();
    return { key: accountKey };
  },
  dress({ appearance }) {
    dress(appearance);
    return {};
  },
  focus() {
    (inputs[names.find((name) => checks[name]()) ?? 'number']).focus();
    return {};
  },
  clear() {
    for (const name of names) {
      inputs[name].value = '';
      show(name, null);
    }
    format('number', true);
    tellChange();
    return {};
  },
  validate,
};
