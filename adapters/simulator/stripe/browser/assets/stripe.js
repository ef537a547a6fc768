// A stand-in for Stripe.js. It defines window.Stripe with the calls, answers and errors
// that a page with a Payment Element needs; whatever touches a card happens in frames of
// this script's origin. It works under a policy without unsafe-inline and unsafe-eval.
// The frames' side of the page, Frame and base, stands in front of it.

class IntegrationError extends Error {
  constructor(message) {
    super(message);
    this.name = 'IntegrationError';
  }
}

/** The Payment Element. */
class PaymentElement {
  constructor(elements, options) {
    this.elements = elements;
    this.options = options ?? {};
    this.handlers = new Map();
    this.frame = null;
    this.container = null;
    this.destroyed = false;
  }

  on(event, handler) {
    if (typeof handler !== 'function') throw new IntegrationError('on() needs a function.');
    if (!this.handlers.has(event)) this.handlers.set(event, []);
    this.handlers.get(event).push(handler);
    return this;
  }

  once(event, handler) {
    const once = (detail) => {
      this.off(event, once);
      handler(detail);
    };
    return this.on(event, once);
  }

  off(event, handler) {
    const left = handler ? (this.handlers.get(event) ?? []).filter((h) => h !== handler) : [];
    this.handlers.set(event, left);
    return this;
  }

  emit(event, detail = {}) {
    for (const handler of [...(this.handlers.get(event) ?? [])]) handler({ elementType: 'payment', ...detail });
  }

  mount(where) {
    if (this.destroyed) throw new IntegrationError('This Element has already been destroyed. Please create a new one.');
    const container = typeof where === 'string' ? document.querySelector(where) : where;
    if (!(container instanceof HTMLElement)) throw new IntegrationError(`The selector you specified (${where}) applies to no DOM elements that are currently on the page.`);
    if (this.container === container && this.frame) return;
    this.unmount();
    this.container = container;
    container.classList.add('StripeElement');
    this.frame = new Frame('card-frame', this.elements.stripe.key, 'Secure payment input frame', (event, detail) => this.hear(event, detail));
    this.frame.node.style.height = '190px';
    container.replaceChildren(this.frame.node);
    this.start(this.frame);
  }

  async start(frame) {
    this.emit('loaderstart');
    const { error } = await frame.call('init', { appearance: this.elements.options.appearance });
    if (this.frame !== frame) return;
    if (error) this.emit('loaderror', { error });
    else this.emit('ready');
  }

  hear(event, detail) {
    if (event === 'height') {
      this.frame.node.style.height = `${Math.max(0, Number(detail.pixels) || 0)}px`;
    } else if (event === 'change') {
      this.emit('change', { empty: detail.empty, complete: detail.complete, collapsed: false, value: { type: 'card' } });
    } else {
      this.emit(event);
    }
  }

  update(options) {
    Object.assign(this.options, options);
  }

  focus() {
    this.frame?.call('focus');
  }

  clear() {
    this.frame?.call('clear');
  }

  collapse() {}

  unmount() {
    this.frame?.remove();
    this.frame = null;
    this.container?.classList.remove('StripeElement');
    this.container = null;
    this.elements.submitted = false;
  }

  destroy() {
    this.unmount();
    this.destroyed = true;
    this.elements.element = null;
  }
}

function checkElementsOptions(options) {
  if (options.clientSecret !== undefined) {
    if (options.mode !== undefined) throw new IntegrationError('Invalid value for elements(): clientSecret and mode cannot be given together.');
    intentOf(options.clientSecret);
    return;
  }
  const { mode, amount, currency, captureMethod, setupFutureUsage } = options;
  if (!['payment', 'setup', 'subscription'].includes(mode)) throw new IntegrationError('Invalid value for elements(): mode should be payment, setup or subscription.');
  if (!/^[a-z]{3}$/.test(currency ?? '') && (mode !== 'setup' || currency !== undefined)) throw new IntegrationError('Invalid value for elements(): currency should be a lowercase three-letter code.');
  if (mode === 'payment' && (!Number.isInteger(amount) || amount <= 0)) throw new IntegrationError('Invalid value for elements(): amount should be a positive integer.');
  if (mode === 'subscription' && (!Number.isInteger(amount) || amount < 0)) throw new IntegrationError('Invalid value for elements(): amount should be an integer of zero or more.');
  if (mode === 'setup' && amount !== undefined) throw new IntegrationError('Invalid value for elements(): amount cannot be given with mode setup.');
  if (captureMethod !== undefined && !['automatic', 'automatic_async', 'manual'].includes(captureMethod)) throw new IntegrationError('Invalid value for elements(): captureMethod should be automatic, automatic_async or manual.');
  if (![undefined, null, 'on_session', 'off_session'].includes(setupFutureUsage)) throw new IntegrationError('Invalid value for elements(): setupFutureUsage should be on_session or off_session.');
}

class Elements {
  constructor(stripe, options = {}) {
    checkElementsOptions(options);
    this.stripe = stripe;
    this.options = { ...options };
    this.element = null;
    this.submitted = false;
  }

  get deferred() {
    return this.options.clientSecret === undefined;
  }

  create(type, options) {
    if (type !== 'payment') throw new IntegrationError(`The stand-in has no Element of type ${type}.`);
    if (this.element) throw new IntegrationError("Can only create one Element of type payment. To create another, call destroy() on the first.");
    this.element = new PaymentElement(this, options);
    return this.element;
  }

  getElement(type) {
    return type === 'payment' ? this.element : null;
  }

  update(options) {
    const { appearance, ...rest } = options;
    const next = { ...this.options, ...rest };
    checkElementsOptions(next);
    this.options = next;
    if (appearance) {
      this.options.appearance = appearance;
      this.element?.frame?.call('dress', { appearance });
    }
    this.submitted = false;
  }

  async fetchUpdates() {
    if (this.deferred) throw new IntegrationError('fetchUpdates() needs elements that were made with a clientSecret.');
    const { error } = await this.stripe.retrieve(this.options.clientSecret);
    return error ? { error } : {};
  }

  async submit() {
    const frame = mountedFrame(this);
    const { error } = await frame.call('validate');
    this.submitted = !error;
    return error ? { error } : { selectedPaymentMethod: 'card' };
  }
}

function mountedFrame(elements) {
  if (!(elements instanceof Elements) || !elements.element?.frame) {
    throw new IntegrationError('Invalid value for elements: it should have a mounted Payment Element.');
  }
  return elements.element.frame;
}

function intentOf(clientSecret, kinds = 'pi|seti') {
  const match = new RegExp(`^((?:${kinds})_[A-Za-z0-9_]+?)_secret_[A-Za-z0-9]+$`).exec(typeof clientSecret === 'string' ? clientSecret : '');
  if (!match) throw new IntegrationError('Invalid value for clientSecret: it should be a client secret of the form ${id}_secret_${secret}.');
  return match[1];
}

/** Shows the bank's question over the page; gives {paymentIntent}, {setupIntent} or {error}. */
async function challenge(key, clientSecret) {
  const before = document.activeElement;
  const dialog = document.createElement('dialog');
  dialog.setAttribute('aria-label', 'Confirm the payment with your bank');
  Object.assign(dialog.style, {
    border: '0', borderRadius: '12px', padding: '0', width: 'min(28rem, calc(100vw - 2rem))', maxWidth: 'none',
    overflow: 'hidden', background: '#fff', boxShadow: '0 20px 60px rgba(0, 0, 0, .35)',
  });
  dialog.addEventListener('cancel', (event) => event.preventDefault());
  let done;
  const authenticated = new Promise((resolve) => {
    done = resolve;
  });
  const frame = new Frame('challenge', key, 'Bank authentication', (event, detail) => {
    if (event === 'authenticated') done(detail);
    if (event === 'height') frame.node.style.height = `min(${Number(detail.pixels) || 0}px, calc(100vh - 4rem))`;
  });
  frame.node.id = 'challenge-frame';
  frame.node.style.height = 'min(24rem, calc(100vh - 4rem))';
  dialog.append(frame.node);
  document.body.append(dialog);
  dialog.showModal();
  try {
    const { error } = await frame.call('init', { clientSecret });
    return error ? { error } : await authenticated;
  } finally {
    dialog.close();
    frame.remove();
    dialog.remove();
    if (before instanceof HTMLElement) before.focus();
  }
}

const authenticationFailed = 'We are unable to authenticate your payment method. Please choose a different payment method and try again.';

/** Goes through the buyer's next step, if there is one. */
async function nextStep(key, clientSecret, result) {
  if (result.error) return result;
  const intent = result.paymentIntent ?? result.setupIntent;
  const action = intent.next_action;
  if (intent.status !== 'requires_action' || !action) return result;
  if (action.type === 'redirect_to_url') {
    location.assign(action.redirect_to_url.url);
    return new Promise(() => {}); // the page is left
  }
  const after = await challenge(key, clientSecret);
  if (after.error) return after;
  const seen = after.paymentIntent ?? after.setupIntent;
  if (seen.status !== 'requires_payment_method') return after;
  const error = { type: 'invalid_request_error', code: `${seen.object}_authentication_failure`, message: authenticationFailed };
  return { error: { ...error, ...(seen.last_payment_error ?? seen.last_setup_error), [seen.object]: seen } };
}

/** What a PaymentIntent has to be like for elements that were made before it. */
function expectation({ mode, amount, currency, captureMethod = 'automatic', setupFutureUsage = null }) {
  return mode === 'subscription' ? { amount, currency } : { amount, currency, captureMethod, setupFutureUsage };
}

class StripeStandIn {
  constructor(key) {
    this.key = key;
    this.controller = null;
  }

  elements(options) {
    return new Elements(this, options);
  }

  async confirmPayment(params) {
    if (params.elements?.options?.mode === 'setup') throw new IntegrationError('stripe.confirmPayment() cannot be called with elements of mode setup. Call stripe.confirmSetup() instead.');
    return this.confirm('confirmPayment', 'pi', params, expectation);
  }

  async confirmSetup(params) {
    if (params.elements?.options?.mode === 'payment') throw new IntegrationError('stripe.confirmSetup() cannot be called with elements of mode payment. Call stripe.confirmPayment() instead.');
    return this.confirm('confirmSetup', 'seti', params, () => undefined);
  }

  async confirm(name, kind, { elements, clientSecret, confirmParams = {}, redirect = 'always' }, expects) {
    const frame = mountedFrame(elements);
    const secret = clientSecret ?? elements.options.clientSecret;
    intentOf(secret, kind);
    if (redirect === 'always' && !confirmParams.return_url) throw new IntegrationError('confirmParams.return_url is needed unless redirect is if_required.');
    if (elements.deferred && !elements.submitted) throw new IntegrationError(`elements.submit() must be called before stripe.${name}().`);
    elements.submitted = false;
    const expected = elements.deferred ? expects(elements.options) : undefined;
    const confirmed = await frame.call('confirm', { clientSecret: secret, returnURL: confirmParams.return_url ?? location.href, expected });
    const result = await nextStep(this.key, secret, confirmed);
    if (result.error || redirect === 'if_required') return result;
    const intent = result.paymentIntent ?? result.setupIntent;
    const address = new URL(confirmParams.return_url);
    address.searchParams.set(intent.object, intent.id);
    address.searchParams.set(`${intent.object}_client_secret`, secret);
    address.searchParams.set('redirect_status', ['succeeded', 'requires_capture'].includes(intent.status) ? 'succeeded' : 'pending');
    location.assign(address.href);
    return new Promise(() => {}); // the page is left
  }

  async retrieve(clientSecret) {
    if (!this.controller) {
      this.controller = new Frame('controller', this.key, 'Payment controller');
      Object.assign(this.controller.node.style, { display: 'none' });
      this.controller.node.setAttribute('aria-hidden', 'true');
      document.body.append(this.controller.node);
    }
    return this.controller.call('retrieve', { clientSecret });
  }

  async retrievePaymentIntent(clientSecret) {
    intentOf(clientSecret, 'pi');
    return this.retrieve(clientSecret);
  }

  async retrieveSetupIntent(clientSecret) {
    intentOf(clientSecret, 'seti');
    return this.retrieve(clientSecret);
  }

  async handleNextAction({ clientSecret }) {
    intentOf(clientSecret);
    return nextStep(this.key, clientSecret, await this.retrieve(clientSecret));
  }
}

window.Stripe = function Stripe(publishableKey) {
  if (typeof publishableKey !== 'string' || publishableKey === '') throw new IntegrationError('Please call Stripe() with your publishable key. You used an empty string.');
  if (/^[sr]k_/.test(publishableKey)) throw new IntegrationError('You should not use your secret key with Stripe.js. Please pass a publishable key instead.');
  return new StripeStandIn(publishableKey);
};
window.Stripe.version = 3;
