// The checkout page's own script. It shows the provider's payment fields, starts an
// attempt when the buyer asks for one, has the provider confirm it, and then believes
// only what the server says about it. It never sees what is typed into the fields.

const callTimeMaxMs = 35_000;
const fieldsTimeMaxMs = 30_000;
// How often the server is asked about an attempt that nobody can tell of yet, and how
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

/** What the buyer is told, by what the checkout is for. */
const say = {
  payment: {
    working: 'Your payment is being processed.', done: 'Payment complete.', failed: 'The payment was not made. Try again.',
    unknown: 'We do not know yet how your payment ended. Do not pay again: load this page in a few minutes to see, or ask the shop.',
    unconfirmed: 'Something went wrong while your payment was confirmed. Try again.',
    lost: 'Something went wrong. Load the page again to see whether you have paid.',
    closed: 'You have not paid: you closed PayPal before you agreed.',
  },
  subscription: {
    working: 'Your subscription is being set up.', done: 'You are subscribed.', failed: 'The subscription was not started. Try again.',
    unknown: 'We do not know yet whether your subscription has begun. Do not subscribe again: load this page in a few minutes to see, or ask the shop.',
    unconfirmed: 'Something went wrong while your subscription was confirmed. Try again.',
    lost: 'Something went wrong. Load the page again to see whether you are subscribed.',
    closed: 'You have not subscribed: you closed PayPal before you agreed.',
  },
  setup: {
    working: 'Your payment method is being saved.', done: 'Saved.', failed: 'The payment method was not saved. Try again.',
    unknown: 'We do not know yet whether your payment method was saved. Load this page in a few minutes to see, or ask the shop.',
    unconfirmed: 'Something went wrong while your payment method was confirmed. Try again.',
    lost: 'Something went wrong. Load the page again to see whether your payment method was saved.',
    closed: 'Nothing was saved: you closed PayPal before you agreed.',
  },
}[data.mode];
// A trial starts without a charge: all that is asked of the buyer is to leave a method.
const saves = data.mode === 'setup' || data.trial;

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

/** The statuses of subscriptions and saved methods that wait for the buyer, or for the provider once he agreed. */
const waiting = ['incomplete', 'pending'];

/**
 * Has the server look at an attempt until it can tell how it ended; null if it never can. Where
 * the buyer agreed, the provider may take a while to say so.
 */
async function outcomeOf(attempt, agreed) {
  let pause = pauseFirstMs;
  for (let tries = 0; tries < syncTriesMax; tries++) {
    const { status, body } = await post(`/attempts/${attempt}/sync`, {});
    if (status === 200 && !(agreed && waiting.includes(body.status) && !body.message)) return body;
    if (isFinal(status)) return null;
    if (tries === 1) show('wait-view');
    await wait(pause);
    pause = Math.min(pause * 2, pauseMostMs);
  }
  return null;
}

/** Starts an attempt, or goes on with the one that is open. method is what is to be saved, where the provider has to know. */
async function startAttempt(account, method) {
  let pause = pauseFirstMs;
  for (let tries = 0; tries < attemptTriesMax; tries++) {
    const { status, body } = await post('/attempts', { account, method });
    // Without an action there is nothing to do for the buyer: a look tells how it stands.
    if (status === 201) return body;
    // 202 and no answer mean the same: ask again. The server goes on with the attempt that
    // it has, so asking twice never pays twice.
    if (status !== 202 && status !== 0) return { problem: body };
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
  announce(`${say.done} You will be taken back to the shop in a few seconds.`);
}

/** Shows how an attempt ended. Gives the message to show where the buyer may try again. */
function showOutcome(outcome, fallback) {
  if (!outcome) {
    byId('wait-text').textContent = say.unknown;
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
  return outcome.message || fallback || say.failed;
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
 *   method()        what is to be saved, where the provider has to know it beforehand; may be left out
 *   confirm(...)    has an attempt confirmed; a message where that did not work
 *   destroy()       takes everything out of the page again
 * One with ownButton brings its own button and runs the attempt itself: it gets `press`,
 * which runs one attempt of the form from its begin to its end.
 */

/** What Stripe's fields are for. */
function stripePurpose(account) {
  if (saves) return { mode: 'setup', currency: data.currency };
  const charge = { mode: data.mode, amount: account.amount, currency: data.currency };
  return data.mode === 'payment' ? { ...charge, captureMethod: data.capture === 'manual' ? 'manual' : 'automatic' } : charge;
}

/** Stripe's Payment Element: shown before any attempt exists, kept for every one. */
function stripeFields(account) {
  if (!window.Stripe) throw new Error('the script of Stripe did not load');
  const stripe = window.Stripe(account.publishable_key);
  const elements = stripe.elements({ ...stripePurpose(account), appearance: appearance() });
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
      const confirm = action.type === 'stripe_setup' ? 'confirmSetup' : 'confirmPayment';
      const { error } = await stripe[confirm]({
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

/** How PayPal's script asks for what the buyer agrees to. */
const paypalMaker = { payment: 'createOrder', subscription: 'createSubscription', setup: 'createVaultSetupToken' }[data.mode];

/**
 * PayPal's button and card fields: the buyer agrees at PayPal, or gives a card to PayPal's
 * frames, and our server then asks for the money, or has the method saved. The button begins
 * an attempt by itself. PayPal's subscriptions take no card.
 */
function paypalFields(account, press) {
  if (!window.paypal?.Buttons) throw new Error('the script of PayPal did not load');
  const settleable = () => {
    const handle = {};
    handle.promise = new Promise((resolve, reject) => Object.assign(handle, { resolve, reject }));
    handle.promise.catch(() => {}); // whoever waits for it hears of it
    return handle;
  };
  let begun = null; // settles once there is something to agree to by PayPal's button; null while that began nothing
  let object = ''; // what the card is for
  let agreed = settleable(); // settles once the buyer has agreed, or not
  const told = {
    onApprove: () => agreed.resolve(''),
    onCancel: () => agreed.resolve(say.closed),
    onError: () => agreed.resolve('PayPal could not go on. Try again.'),
  };
  let refused = false; // whether the button was pressed while an attempt ran, which is left alone
  const buttons = window.paypal.Buttons({
    ...told,
    onError: () => {
      if (!refused) told.onError();
      refused = false;
    },
    [paypalMaker]: () => {
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
  const card = data.mode === 'subscription' ? null : window.paypal.CardFields?.({ ...told, [paypalMaker]: async () => object });
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
      or.textContent = 'or pay by card';
      await Promise.all(['Number', 'Expiry', 'CVV'].map((name) => card[`${name}Field`]().render(place(name.toLowerCase()))));
    },
    onChange: () => {},
    method: () => (data.mode === 'setup' && !begun ? 'card' : undefined),
    check: async () => {
      if (begun || !byCard) return undefined;
      const { isFormValid } = await card.getState();
      return isFormValid ? undefined : 'Check the card number, its end and the security code.';
    },
    confirm: ({ action }) => {
      agreed = settleable();
      object = action.object;
      if (begun) begun.resolve(object);
      else card.submit().catch(told.onError);
      return agreed.promise;
    },
    destroy: () => buttons.close(),
  };
}

/** What the card that Square makes a token of is for. What is kept to be charged later has no price yet. */
function squarePurpose(account) {
  if (data.mode !== 'payment') return { intent: 'STORE' };
  return { intent: 'CHARGE', amount: account.decimal, currencyCode: data.currency.toUpperCase() };
}

/** Square's card fields: the card becomes a one-time token, which our server charges or keeps. */
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
      const made = await card.tokenize({ ...squarePurpose(account), customerInitiated: true, sellerKeyedIn: false, billingContact: {} });
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
    confirm: async ({ action }) => {
      if (!action.url) return say.failed;
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
  const agreed = byId('agreed'); // null where nothing but the sum is agreed to
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
    button.hidden = Boolean(shown?.ownButton) && !value;
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
      // What the buyer agrees to is read before the button that agrees, whoever brings it.
      if (agreed) (next.ownButton ? container : button).before(agreed);
      setBusy(false);
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
      setBusy(false);
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
    announce(say.working);
    const started = await startAttempt(chosen().account, fields.method?.());
    if (started.problem) {
      if (started.problem.code === 'checkout_complete' || started.problem.code === 'checkout_expired') {
        location.reload();
        return null;
      }
      return started.problem.detail ?? unreachable;
    }
    let message;
    try {
      if (started.action) message = await fields.confirm(started);
    } catch {
      // Whatever broke, money may have moved: only the server's look tells.
      message = say.unconfirmed;
    }
    return showOutcome(await outcomeOf(started.attempt, !message), message);
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
      message = say.lost;
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

/** Follows an attempt that was under way when the page was loaded. */
async function follow() {
  const message = showOutcome(await outcomeOf(data.attempt, true));
  if (message) location.reload(); // the buyer may try again, with fresh fields
}

if (data.state === 'open') openForm();
else if (data.state === 'processing') follow();
