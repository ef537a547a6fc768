// The checkout page's own script. It shows the provider's payment fields, starts an
// attempt when the buyer asks for one, has the provider confirm it, and then believes
// only what the server says about it. It never sees what is typed into the fields.

const callTimeMaxMs = 35_000;
const fieldsTimeMaxMs = 30_000;
// How often the server is asked about a payment that nobody can tell of yet, and how
// long to wait between: growing, and bounded.
const syncTriesMax = 24;
const attemptTriesMax = 5;
const pauseFirstMs = 500;
const pauseMostMs = 10_000;
const leavePauseMs = 8_000;

const byId = (id) => document.getElementById(id);
const main = byId('checkout');
const data = JSON.parse(main.dataset.checkout);
const base = `/pay/${data.checkout}`;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// What is told in each mode of checkouts.
const words = {
  payment: {
    running: 'Your payment is being processed.', done: 'Payment complete.', failed: 'The payment was not made. Try again.',
    lost: 'We do not know yet how your payment ended. Do not pay again: load this page in a few minutes to see, or ask the shop.',
  },
  subscription: {
    running: 'Your subscription is being started.', done: 'Your subscription has started.', failed: 'The subscription was not started. Try again.',
    lost: 'We do not know yet whether your subscription started. Do not subscribe again: load this page in a few minutes to see, or ask the shop.',
  },
  setup: {
    running: 'Your payment method is being saved.', done: 'Payment method saved.', failed: 'The payment method was not saved. Try again.',
    lost: 'We do not know yet whether your payment method was saved. Load this page in a few minutes to see, or ask the shop.',
  },
}[data.mode];

const unreachable = 'The payment service cannot be reached. You have not been charged. Try again in a moment.';
const broken = 'The payment form could not be loaded. Check your connection and load the page again.';

/** Says something to people who do not see the page change. */
function announce(text) {
  byId('progress').textContent = text;
}

// ---- the server

/** Posts JSON. The status is 0 where no answer came. */
async function post(path, body) {
  try {
    const response = await fetch(base + path, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
      credentials: 'omit', cache: 'no-store', signal: AbortSignal.timeout(callTimeMaxMs),
    });
    return { status: response.status, body: (await response.json().catch(() => null)) ?? {} };
  } catch {
    return { status: 0, body: {} };
  }
}

/** Whether a status says that asking once more leads to the same. */
const isFinal = (status) => status >= 400 && status < 500 && ![408, 409, 425, 429].includes(status);

/** Has the server look at an attempt until it can tell how it ended; null if it never can. */
async function outcomeOf(attempt) {
  let pause = pauseFirstMs;
  for (let tries = 0; tries < syncTriesMax; tries++) {
    const { status, body } = await post(`/attempts/${attempt}/sync`, {});
    if (status === 200) return body;
    if (isFinal(status)) return null;
    if (tries === 1) show('wait-view');
    await wait(pause);
    pause = Math.min(pause * 2, pauseMostMs);
  }
  return null;
}

/** Starts an attempt, or goes on with the one that is open. */
async function startAttempt(account) {
  let pause = pauseFirstMs;
  for (let tries = 0; tries < attemptTriesMax; tries++) {
    const { status, body } = await post('/attempts', { account });
    if (status === 201 && body.action) return body;
    // 201 without an action, 202 and no answer all mean the same: ask again. The server
    // goes on with the attempt that it has, so asking twice never pays twice.
    if (status !== 201 && status !== 202 && status !== 0) return { problem: body };
    await wait(pause);
    pause = Math.min(pause * 2, pauseMostMs);
  }
  return { problem: { code: 'provider_unavailable', detail: unreachable } };
}

// ---- what is shown

const title = document.title;
const views = ['pay-view', 'wait-view', 'review-view', 'done-view'];

/** Shows one view of the panel and moves the focus to its heading, or to the button of the form. */
function show(id) {
  const view = byId(id);
  if (!view || !view.hidden) return;
  for (const other of views) {
    const node = byId(other);
    // The fields must stay in the page: the provider's frame would be loaded anew.
    if (node) node.hidden = other !== id;
  }
  const heading = view.querySelector('h2');
  main.querySelector('.panel').setAttribute('aria-labelledby', heading.id || 'panel-title');
  document.title = id === 'pay-view' ? title : heading.textContent;
  (id === 'pay-view' ? byId('pay') : heading).focus();
}

/** Shows a completed checkout, and goes on to the shop unless the buyer wants to stay. */
function showDone(address) {
  show('done-view');
  main.querySelector('.back')?.remove();
  main.dataset.state = 'complete';
  const link = byId('continue');
  if (address) link.href = address;
  byId('leaving').hidden = false;
  const timer = setTimeout(() => location.assign(link.href), leavePauseMs);
  byId('stay').addEventListener('click', () => {
    clearTimeout(timer);
    byId('leaving').hidden = true;
    link.focus();
    announce('You stay on this page.');
  }, { once: true });
  announce(`${words.done} You will be taken back to the shop in a few seconds.`);
}

/** Shows how a payment ended. Gives the message to show where the buyer may try again. */
function showOutcome(outcome, fallback) {
  if (!outcome) {
    byId('wait-text').textContent = words.lost;
    show('wait-view');
    announce(byId('wait-text').textContent);
    return null;
  }
  if (outcome.checkout === 'complete') {
    showDone(outcome.continue_url);
    return null;
  }
  if (outcome.status === 'needs_review') {
    show('review-view');
    return null;
  }
  if (outcome.checkout === 'expired') {
    location.reload();
    return null;
  }
  show('pay-view');
  return outcome.message || fallback || words.failed;
}

// ---- the providers' fields

const dark = window.matchMedia('(prefers-color-scheme: dark)');

/** The look of the provider's fields, taken from the page's own colours. */
function appearance() {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  return {
    theme: dark.matches ? 'night' : 'stripe',
    variables: {
      colorPrimary: color('--primary'), colorBackground: color('--panel'), colorText: color('--text'), colorDanger: color('--danger'),
      fontFamily: 'system-ui, sans-serif', fontSizeBase: '16px', borderRadius: '8px',
    },
  };
}

/**
 * The way to pay at one provider. Each has
 *   mount(node)     shows what the buyer pays with
 *   onChange(fn)    calls back when the buyer changes something, where that can be told
 *   check()         a message where what was typed is not right
 *   confirm(...)    has an attempt confirmed; a message where that did not work
 *   destroy()       takes everything out of the page again
 * One with ownButton brings its own button and runs the attempt itself: it gets `press`,
 * which runs one attempt of the form from its begin to its end.
 */

/** Stripe's Payment Element: shown before any payment exists, kept for every attempt. */
function stripeFields(account) {
  if (!window.Stripe) throw new Error('the script of Stripe did not load');
  const stripe = window.Stripe(account.publishable_key);
  // Where nothing is taken yet, on trial, too, the method alone is set up.
  const asked = data.mode === 'setup' || data.trial ? { mode: 'setup' } : { mode: data.mode, amount: account.amount };
  if (data.mode === 'payment') asked.captureMethod = data.capture === 'manual' ? 'manual' : 'automatic';
  const elements = stripe.elements({ ...asked, currency: data.currency, appearance: appearance() });
  const element = elements.create('payment', { layout: 'tabs' });
  const redress = () => elements.update({ appearance: appearance() });
  dark.addEventListener('change', redress);
  return {
    mount: (node) => new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error('the fields took too long')), fieldsTimeMaxMs);
      element.on('ready', resolve);
      element.on('loaderror', () => reject(new Error('the fields did not load')));
      element.mount(node);
    }),
    onChange: (fn) => element.on('change', fn),
    check: async () => (await elements.submit()).error?.message,
    confirm: async ({ action }) => {
      const confirm = action.type === 'stripe_setup' ? stripe.confirmSetup : stripe.confirmPayment;
      const { error } = await confirm.call(stripe, {
        elements, clientSecret: action.client_secret, redirect: 'if_required',
        confirmParams: { return_url: location.origin + base + '/return' },
      });
      return error?.message;
    },
    destroy: () => {
      dark.removeEventListener('change', redress);
      element.destroy();
    },
  };
}

/**
 * PayPal's button and card fields: the buyer agrees at PayPal, or gives a card to PayPal's
 * frames, and our server then asks for the money. The button begins an attempt by itself. A
 * subscription takes the button alone; a method to be saved is agreed to in the same ways.
 */
function paypalFields(account, press) {
  if (!window.paypal?.Buttons) throw new Error('the script of PayPal did not load');
  const settleable = () => {
    const handle = {};
    handle.promise = new Promise((resolve, reject) => Object.assign(handle, { resolve, reject }));
    handle.promise.catch(() => {}); // whoever waits for it hears of it
    return handle;
  };
  let begun = null; // settles once there is something to agree to for PayPal's button; null while that began nothing
  let order = ''; // what the card is for
  let agreed = settleable(); // settles once the buyer has agreed, or not
  const told = {
    onApprove: () => agreed.resolve(''),
    onCancel: () => agreed.resolve('Nothing was done: you closed PayPal before you agreed.'),
    onError: () => agreed.resolve('PayPal could not go on. Try again.'),
  };
  let refused = false; // whether the button was pressed while an attempt ran, which is left alone
  const creates = { payment: 'createOrder', subscription: 'createSubscription', setup: 'createVaultSetupToken' }[data.mode];
  const buttons = window.paypal.Buttons({
    ...told,
    onError: () => {
      if (!refused) told.onError();
      refused = false;
    },
    [creates]: () => {
      refused = byId('pay-form').getAttribute('aria-busy') === 'true';
      if (refused) return Promise.reject(new Error('an attempt runs'));
      begun = settleable();
      const waits = begun;
      press().finally(() => {
        waits.reject(new Error('no attempt'));
        if (begun === waits) begun = null;
      });
      return waits.promise;
    },
  });
  const card = data.mode === 'subscription' ? null : window.paypal.CardFields?.({ ...told, [creates]: async () => order });
  const byCard = Boolean(card?.isEligible());
  return {
    ownButton: !byCard,
    mount: async (node) => {
      const place = (name) => {
        const container = document.createElement('div');
        container.className = `paypal-${name}`;
        node.append(container);
        return container;
      };
      await buttons.render(place('button'));
      if (!byCard) return;
      const or = place('or');
      or.textContent = data.mode === 'setup' ? 'or save a card' : 'or pay by card';
      await Promise.all(['Number', 'Expiry', 'CVV'].map((name) => card[`${name}Field`]().render(place(name.toLowerCase()))));
    },
    onChange: () => {},
    check: async () => {
      if (begun || !byCard) return undefined;
      const { isFormValid } = await card.getState();
      return isFormValid ? undefined : 'Check the card number, its end and the security code.';
    },
    confirm: ({ action }) => {
      agreed = settleable();
      order = action.object;
      if (begun) begun.resolve(order);
      else card.submit().catch(told.onError);
      return agreed.promise;
    },
    destroy: () => buttons.close(),
  };
}

/** Square's card fields: the card becomes a one-time token, which our server charges. */
async function squareFields(account) {
  if (!window.Square) throw new Error('the script of Square did not load');
  const card = await window.Square.payments(account.publishable_key, account.location).card();
  return {
    mount: (node) => card.attach(node),
    onChange: (fn) => {
      for (const name of ['errorClassAdded', 'errorClassRemoved', 'focusClassAdded']) card.addEventListener(name, fn);
    },
    check: async () => undefined, // Square checks when it makes the token
    confirm: async ({ attempt }) => {
      // What is charged later is stored; what is paid now is charged.
      const asked = data.mode === 'payment' ? { amount: account.decimal, currencyCode: data.currency.toUpperCase(), intent: 'CHARGE' } : { intent: 'STORE' };
      const made = await card.tokenize({ ...asked, customerInitiated: true, sellerKeyedIn: false, billingContact: {} });
      if (made.status !== 'OK') return made.errors?.map((one) => one.message).join(' ') || 'Check the card and try again.';
      await post(`/attempts/${attempt}/confirm`, { source: made.token });
      return undefined;
    },
    destroy: () => card.destroy(),
  };
}

/** The provider's own page: nothing to fill in here, and the browser goes there. */
function hostedPage() {
  return {
    mount: async () => {},
    onChange: () => {},
    check: async () => undefined,
    confirm: ({ action }) => {
      location.assign(action.url);
      return new Promise(() => {}); // this page is left
    },
    destroy: () => {},
  };
}

const fieldsOf = { stripe: stripeFields, paypal: paypalFields, square: squareFields };

// ---- paying

/** Runs the form of an open checkout. */
function openForm() {
  const form = byId('pay-form');
  const button = byId('pay');
  const label = byId('pay-label');
  const error = byId('error');
  const container = byId('fields');
  const loading = byId('loading');
  let shown = null; // the fields in the page, perhaps still loading
  let mounting = 0; // counts the choices, to know the newest
  let fields = null; // the same, once they can be used
  let busy = false;

  const chosen = () => data.accounts.find((a) => a.account === (form.elements.account?.value ?? data.accounts[0].account));

  const tell = (text) => {
    error.textContent = text ?? '';
    error.classList.toggle('shown', Boolean(text));
  };

  const setBusy = (value) => {
    busy = value;
    form.setAttribute('aria-busy', String(value));
    button.classList.toggle('busy', value);
    button.setAttribute('aria-disabled', String(value || !fields));
    button.hidden = Boolean(fields?.ownButton) && !value;
    label.textContent = value ? 'Processing …' : button.dataset.label;
    for (const radio of form.querySelectorAll('input[type="radio"]')) radio.disabled = value;
  };

  /** Shows the fields of the chosen account in place of any others. */
  const mount = async () => {
    const turn = ++mounting;
    shown?.destroy();
    shown = fields = null;
    byId('mount').replaceChildren();
    setBusy(false);
    container.setAttribute('aria-busy', 'true');
    container.hidden = loading.hidden = false;
    let next = null;
    let failed = false;
    try {
      const account = chosen();
      container.dataset.provider = data.flow === 'redirect' ? '' : account.provider;
      const show = data.flow === 'redirect' ? hostedPage : fieldsOf[account.provider];
      next = await show(account, press);
      if (turn !== mounting) {
        next.destroy();
        return; // the buyer has chosen another account meanwhile
      }
      shown = next;
      next.onChange(() => tell());
      await next.mount(byId('mount'));
    } catch {
      failed = true;
    }
    if (turn !== mounting) return;
    container.removeAttribute('aria-busy');
    loading.hidden = true;
    container.hidden = failed;
    if (failed) {
      next?.destroy();
      shown = null;
      tell(broken);
      return;
    }
    fields = next;
    setBusy(false);
  };

  /** One attempt from the click to its end; gives the message to show, if any. */
  const attempt = async () => {
    const invalid = await fields.check();
    if (invalid) return invalid;
    announce(words.running);
    const started = await startAttempt(chosen().account);
    if (started.problem) {
      if (started.problem.code === 'checkout_complete' || started.problem.code === 'checkout_expired') {
        location.reload();
        return null;
      }
      return started.problem.detail ?? unreachable;
    }
    let message;
    try {
      message = await fields.confirm(started);
    } catch {
      // Whatever broke, money may have moved: only the server's look tells.
      message = 'Something went wrong while this was confirmed. Try again.';
    }
    return showOutcome(await outcomeOf(started.attempt), message);
  };

  /** Runs one attempt, unless one runs. */
  const press = async () => {
    if (busy || !fields) return;
    setBusy(true);
    tell();
    let message;
    try {
      message = await attempt();
    } catch {
      message = 'Something went wrong. Load the page again to see whether you have paid.';
    }
    announce('');
    setBusy(false);
    tell(message);
  };

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!fields?.ownButton) press();
  });
  form.addEventListener('change', (event) => {
    if (event.target.name === 'account') {
      tell();
      mount();
    }
  });

  tell(error.dataset.earlier);
  mount();
}

/** Follows a payment that was under way when the page was loaded. */
async function follow() {
  const message = showOutcome(await outcomeOf(data.attempt));
  if (message) location.reload(); // the buyer may try again, with fresh fields
}

if (data.state === 'open') openForm();
else if (data.state === 'processing') follow();
