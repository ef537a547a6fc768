// A stand-in for Square's Web Payments SDK. It defines window.Square with the calls, answers
// and errors that a page with a card form needs; whatever touches a card happens in frames of
// this script's origin. It works under a policy without unsafe-inline and unsafe-eval.
// The frames' side of the page, Frame and base, stands in front of it.

/** An error with the name that the SDK gives it. */
function named(name, message) {
  const error = new Error(message);
  error.name = name;
  return error;
}

const fieldEvents = ['cardBrandChanged', 'errorClassAdded', 'errorClassRemoved', 'escape', 'focusClassAdded', 'focusClassRemoved', 'postalCodeChanged', 'submit'];

/** Why the details of a payment cannot be used, or null. */
function wrongDetails(details) {
  const rules = {
    amount: (value) => typeof value === 'string' && /^\d+(\.\d+)?$/.test(value),
    currencyCode: (value) => typeof value === 'string' && /^[A-Z]{3}$/.test(value),
    intent: (value) => ['CHARGE', 'STORE', 'CHARGE_AND_STORE'].includes(value),
    customerInitiated: (value) => typeof value === 'boolean',
    sellerKeyedIn: (value) => typeof value === 'boolean',
    billingContact: (value) => typeof value === 'object' && value !== null,
  };
  // What is only stored has no price.
  const needed = Object.keys(rules).filter((name) => details.intent !== 'STORE' || !['amount', 'currencyCode'].includes(name) || details[name] !== undefined);
  return needed.find((name) => !rules[name](details[name])) ?? null;
}

/** Shows the bank's question over the page; gives the answer to it. */
async function ask(key, verification) {
  const before = document.activeElement;
  const dialog = document.createElement('dialog');
  dialog.setAttribute('aria-label', 'Confirm the payment with your bank');
  Object.assign(dialog.style, { border: '0', borderRadius: '12px', padding: '0', width: 'min(28rem, calc(100vw - 2rem))', maxWidth: 'none', overflow: 'hidden', background: '#fff' });
  dialog.addEventListener('cancel', (event) => event.preventDefault());
  let done;
  const verified = new Promise((resolve) => {
    done = resolve;
  });
  const frame = new Frame('challenge', key, 'Bank authentication', (event, detail) => {
    if (event === 'verified') done(detail);
    if (event === 'height') frame.node.style.height = `min(${Number(detail.pixels) || 0}px, calc(100vh - 4rem))`;
  });
  frame.node.id = 'challenge-frame';
  frame.node.style.height = 'min(24rem, calc(100vh - 4rem))';
  dialog.append(frame.node);
  document.body.append(dialog);
  dialog.showModal();
  try {
    const { error } = await frame.call('init', { verification });
    return error ? { status: 'ERROR', errors: [error] } : await verified;
  } finally {
    dialog.close();
    frame.remove();
    dialog.remove();
    if (before instanceof HTMLElement) before.focus();
  }
}

/** The card form. */
class Card {
  constructor(key, options = {}) {
    this.key = key;
    this.options = { ...options };
    this.handlers = new Map();
    this.frame = null;
    this.destroyed = false;
  }

  living() {
    if (this.destroyed) throw named('PaymentMethodAlreadyDestroyedError', 'Card was already destroyed.');
  }

  attached() {
    this.living();
    if (!this.frame) throw named('PaymentMethodNotAttachedError', 'Card is not attached to an element.');
    return this.frame;
  }

  addEventListener(type, handler) {
    this.living();
    if (!fieldEvents.includes(type)) throw named('UnexpectedEventTypeError', `Card has no event ${type}.`);
    if (!this.handlers.has(type)) this.handlers.set(type, new Set());
    this.handlers.get(type).add(handler);
  }

  removeEventListener(type, handler) {
    this.handlers.get(type)?.delete(handler);
  }

  emit(type, detail = {}) {
    for (const handler of [...(this.handlers.get(type) ?? [])]) handler(new CustomEvent(type, { detail }));
  }

  async attach(where) {
    this.living();
    if (this.frame) throw named('PaymentMethodAlreadyAttachedError', 'Card is already attached to an element.');
    const container = typeof where === 'string' ? document.querySelector(where) : where;
    if (!(container instanceof HTMLElement)) throw named('ElementNotFoundError', `Element not found: ${where}`);
    const frame = new Frame('card-frame', this.key, 'Secure Credit Card Form', (event, detail) => this.hear(event, detail));
    this.frame = frame;
    frame.node.className = 'sq-card-component';
    frame.node.style.height = '290px';
    container.append(frame.node);
    let { error } = await frame.call('init');
    if (!error && this.options.postalCode) ({ error } = await frame.call('configure', { postalCode: this.options.postalCode }));
    if (!error) return;
    if (this.frame === frame) await this.detach();
    throw named('PaymentsError', error.message);
  }

  hear(event, detail) {
    if (event === 'height') this.frame.node.style.height = `${Math.max(0, Number(detail.pixels) || 0)}px`;
    else if (event === 'field') this.emit(detail.type, detail);
    else if (event === 'escape') this.emit('escape');
  }

  async tokenize(details) {
    const frame = this.attached();
    const wrong = details ? wrongDetails(details) : null;
    if (wrong) throw named('InvalidVerificationDetailsError', `The verification details are not valid: ${wrong}.`);
    let result = await frame.call('tokenize', { details });
    if (result.error) result = { status: 'ERROR', errors: [result.error] };
    if (result.status === 'VERIFY') result = await ask(this.key, result.verification);
    switch (result.status) {
      case 'OK':
        return { status: 'OK', token: result.token, details: { method: 'Card', ...result.details } };
      case 'Invalid':
        return result;
      default:
        return { status: 'Error', errors: result.errors ?? [] };
    }
  }

  async configure(options = {}) {
    this.living();
    Object.assign(this.options, options);
    await this.frame?.call('configure', { postalCode: options.postalCode });
  }

  async clear() {
    await this.attached().call('clear');
  }

  async focus(field) {
    await this.attached().call('focus', { field });
    return true;
  }

  async recalculateSize() {
    this.attached(); // the frame tells its size by itself
  }

  async detach() {
    this.living();
    const was = this.frame !== null;
    this.frame?.remove();
    this.frame = null;
    return was;
  }

  async destroy() {
    const was = await this.detach();
    this.handlers.clear();
    this.destroyed = true;
    return was;
  }
}

class Payments {
  constructor(applicationID, locationID) {
    this.key = `${applicationID}/${locationID}`;
  }

  async card(options) {
    return new Card(this.key, options);
  }
}

const isID = (value) => typeof value === 'string' && /^[A-Za-z0-9_.-]+$/.test(value);

window.Square = {
  payments(applicationID, locationID) {
    if (!isID(applicationID)) throw named('InvalidApplicationIdError', 'The Payment application id is not in the correct format.');
    if (!isID(locationID)) throw named('InvalidLocationIdError', 'The Payment location id is not in the correct format.');
    return new Payments(applicationID, locationID);
  },
};
