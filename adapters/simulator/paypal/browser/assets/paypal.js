// A stand-in for PayPal's JavaScript SDK, version 5. It defines window.paypal with the calls,
// answers and errors that a page with PayPal's button or with card fields needs; whatever
// touches a card, and what a buyer agrees in, happens in frames of this script's origin. The
// real SDK opens a window to agree in; here that is a dialog over the page. It works under a
// policy without unsafe-inline and unsafe-eval.
// The frames' side of the page, Frame and base, stands in front of it.

const script = document.currentScript;
const asked = new URL(script.src).searchParams;
const clientID = asked.get('client-id');
// What the script was loaded for; an order or a subscription that differs cannot be agreed to.
const terms = { currency: asked.get('currency') ?? 'USD', intent: asked.get('intent') ?? 'capture' };
const parts = (asked.get('components') ?? 'buttons').split(',');

/** An error of a frame as the page gets it. */
const failure = ({ code, type, message }) => Object.assign(new Error(message), { name: code ?? type });

/** The element that something is to be shown in. */
function elementOf(where) {
  const container = typeof where === 'string' ? document.querySelector(where) : where;
  if (!(container instanceof HTMLElement)) throw new Error(`Document is ready and element ${where} does not exist`);
  return container;
}

/** What a buyer can agree to, by what the page makes it with: the name that its id goes by, and what it is called. */
const makers = {
  createOrder: { key: 'orderID', called: 'an order id' },
  createSubscription: { key: 'subscriptionID', called: 'a subscription id' },
  createVaultSetupToken: { key: 'vaultSetupToken', called: 'a setup token' },
};

/** The one of the makers that the page gave. */
function makerOf(options, names) {
  const given = names.filter((name) => options[name] !== undefined);
  if (given.length !== 1 || typeof options[given[0]] !== 'function') throw new Error(`One of ${names.join(', ')} is needed and must be a function.`);
  return given[0];
}

/** Has the page make what the buyer is to agree to; gives its id. */
async function newConsent(options) {
  const id = await options[options.maker]({ paymentSource: options.paymentSource });
  if (typeof id !== 'string' || id === '') throw new Error(`Expected ${makers[options.maker].called} to be passed, got ${typeof id}`);
  return id;
}

/** What the page is told of it. */
const told = (options, id, more) => ({ [makers[options.maker].key]: id, ...more });

/** Tells the page of an error, or the browser where the page does not want to know. */
function tellError(options, error) {
  if (options.onError) options.onError(error);
  else reportError(error);
}

// ---- what is shown over the page

/**
 * Shows a frame over the page. `hear` gets what the frame tells, and a function that ends it
 * with an answer. Gives the answer, {error}, or {canceled} where the buyer closed it.
 */
async function over({ page, id, label, title, height, holder }, params, hear) {
  const before = document.activeElement;
  const dialog = document.createElement('dialog');
  dialog.setAttribute('aria-label', label);
  Object.assign(dialog.style, {
    border: '0', borderRadius: '12px', padding: '0', width: 'min(28rem, calc(100vw - 2rem))', maxWidth: 'none',
    overflow: 'hidden', background: '#fff', boxShadow: '0 20px 60px rgba(0, 0, 0, .35)',
  });
  let end;
  const answer = new Promise((resolve) => {
    end = resolve;
  });
  const cancel = () => end({ canceled: true });
  const frame = new Frame(page, clientID, title, (event, detail) => {
    if (event === 'escape') cancel();
    else if (event === 'height') frame.node.style.height = `min(${Number(detail.pixels) || 0}px, calc(100vh - 4rem))`;
    else hear(event, detail, end, frame);
  });
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault();
    cancel();
  });
  frame.node.id = id;
  frame.node.style.height = `min(${height}, calc(100vh - 4rem))`;
  dialog.append(frame.node);
  document.body.append(dialog);
  dialog.showModal();
  holder.dialogs.add(cancel);
  try {
    const { error } = await Promise.race([frame.call('init', { ...params, ...terms }), answer.then(() => ({}))]);
    return error ? { error } : await answer;
  } finally {
    holder.dialogs.delete(cancel);
    dialog.close();
    frame.remove();
    dialog.remove();
    if (before instanceof HTMLElement) before.focus();
  }
}

/** Shows the bank's question over the page. */
function challenge(holder, order) {
  const look = { page: 'challenge', id: 'challenge-frame', label: 'Confirm the payment with your bank', title: 'Bank authentication', height: '24rem', holder };
  return over(look, { order }, (event, detail, end) => {
    if (event === 'authenticated') end(detail);
  });
}

/**
 * Has the buyer agree at PayPal, to an order or to what else has that id; gives {payer}, {error} or {canceled}. A card
 * that its bank asks for, and that then fails, leads back to the choice of another one.
 */
function approval(holder, order) {
  const look = { page: 'approve', id: 'approve-frame', label: 'Agree to the payment at PayPal', title: 'PayPal', height: '34rem', holder };
  return over(look, { order }, async (event, detail, end, frame) => {
    if (event === 'approved') end(detail);
    if (event !== 'asks') return;
    const answered = await challenge(holder, order);
    if (answered.payer) end(answered);
    else frame.call('goOn', { error: answered.error });
  });
}

// ---- PayPal's button

class Buttons {
  constructor(options) {
    const maker = makerOf(options, Object.keys(makers));
    if (maker === 'createSubscription' && terms.intent !== 'subscription') throw new Error('createSubscription needs the script to be loaded with vault=true&intent=subscription.');
    this.options = { ...options, maker, paymentSource: 'paypal' };
    this.dialogs = new Set(); // what closes those that are open
    this.frame = null;
    this.paying = false;
  }

  isEligible() {
    return (this.options.fundingSource ?? 'paypal') === 'paypal';
  }

  async render(where) {
    const container = elementOf(where);
    if (this.frame) throw new Error('The button is shown already.');
    const frame = new Frame('button', clientID, 'PayPal button', (event, detail) => {
      if (event === 'height') frame.node.style.height = `${Math.max(0, Number(detail.pixels) || 0)}px`;
      else if (event === 'click') this.pay();
    });
    this.frame = frame;
    frame.node.style.height = '56px';
    container.append(frame.node);
    const { error } = await frame.call('init');
    if (!error || this.frame !== frame) return;
    await this.close();
    tellError(this.options, failure(error));
    throw failure(error);
  }

  /** Goes from a click to what the page does about its end, whatever that is. */
  async pay() {
    if (this.paying) return;
    this.paying = true;
    try {
      await this.agree(await newConsent(this.options));
    } catch (error) {
      tellError(this.options, error);
    } finally {
      this.paying = false;
      this.frame?.call('release');
    }
  }

  async agree(id) {
    const shown = this.frame;
    const { error, canceled, payer } = shown ? await approval(this, id) : { canceled: true };
    if (!shown || this.frame !== shown) return; // the button was taken away
    if (error) throw failure(error);
    if (canceled) await this.options.onCancel?.(told(this.options, id), {});
    else await this.options.onApprove?.(told(this.options, id, { payerID: payer, paymentSource: 'paypal' }), { restart: () => this.agree(id) });
  }

  async close() {
    this.frame?.remove();
    this.frame = null;
    for (const cancel of this.dialogs) cancel();
  }
}

// ---- card fields

/** The fields by the names that methods and states have for them. */
const cardFields = {
  Name: { page: 'card-name', title: 'Name on the card', state: 'cardNameField', wrong: 'INVALID_NAME' },
  Number: { page: 'card-number', title: 'Card number', state: 'cardNumberField', wrong: 'INVALID_NUMBER' },
  Expiry: { page: 'card-expiry', title: 'Card expiration date', state: 'cardExpiryField', wrong: 'INVALID_EXPIRY' },
  CVV: { page: 'card-cvc', title: 'Card security code', state: 'cardCvvField', wrong: 'INVALID_CVV' },
};
const neededFields = ['Number', 'Expiry', 'CVV'];
const untouched = { isEmpty: true, isValid: false, isPotentiallyValid: true, isFocused: false };

class CardField {
  constructor(card, name, options) {
    this.card = card;
    this.name = name;
    this.options = options;
    this.frame = null;
  }

  async render(where) {
    const container = elementOf(where);
    if (this.card.shown.has(this.name)) throw new Error(`The ${this.name} field is shown already.`);
    const { page, title } = cardFields[this.name];
    const frame = new Frame(page, clientID, title, (event, detail) => this.hear(event, detail));
    // Only the fields of one form find each other by this.
    frame.node.src += `&session=${this.card.session}`;
    this.frame = frame;
    this.card.shown.set(this.name, frame);
    frame.node.style.height = '84px';
    container.append(frame.node);
    const { error } = await frame.call('init', { placeholder: this.options.placeholder });
    if (!error || this.frame !== frame) return;
    await this.close();
    throw failure(error);
  }

  async hear(event, detail) {
    if (event === 'height') {
      this.frame.node.style.height = `${Math.max(0, Number(detail.pixels) || 0)}px`;
      return;
    }
    const name = { change: 'onChange', focus: 'onFocus', blur: 'onBlur', submit: 'onInputSubmitRequest' }[event];
    const handlers = [this.card.options.inputEvents?.[name], this.options.inputEvents?.[name]].filter(Boolean);
    if (handlers.length === 0) return;
    const state = { ...(await this.card.getState()), emittedBy: this.name.toLowerCase() };
    for (const handler of handlers) handler(state);
  }

  async focus() {
    await this.frame?.call('focus');
  }

  async clear() {
    await this.frame?.call('clear');
  }

  async close() {
    if (!this.frame) return;
    this.card.shown.delete(this.name);
    this.frame.remove();
    this.frame = null;
  }
}

class CardFields {
  constructor(options) {
    const maker = makerOf(options, ['createOrder', 'createVaultSetupToken']);
    if (typeof options.onApprove !== 'function') throw new Error('onApprove is needed and must be a function.');
    this.options = { ...options, maker, paymentSource: 'card' };
    this.session = randomName();
    this.shown = new Map(); // frames by the names of their fields
    this.dialogs = new Set();
    this.paying = false;
  }

  isEligible() {
    return true;
  }

  NameField(options = {}) {
    return new CardField(this, 'Name', options);
  }

  NumberField(options = {}) {
    return new CardField(this, 'Number', options);
  }

  ExpiryField(options = {}) {
    return new CardField(this, 'Expiry', options);
  }

  CVVField(options = {}) {
    return new CardField(this, 'CVV', options);
  }

  async getState() {
    const states = await Promise.all([...this.shown].map(async ([name, frame]) => [name, await frame.call('state')]));
    return this.stateOf(new Map(states));
  }

  /** What the fields' states by name make of the form. One that does not answer is not valid. */
  stateOf(states) {
    const state = { fields: {}, errors: [], cards: states.get('Number')?.cards ?? [], isFormValid: true, isFormEmpty: true };
    for (const [name, { state: key, wrong }] of Object.entries(cardFields)) {
      if (!states.has(name) && !neededFields.includes(name)) continue;
      const { isEmpty, isValid, isPotentiallyValid, isFocused } = { ...untouched, ...states.get(name) };
      state.fields[key] = { isEmpty, isValid, isPotentiallyValid, isFocused };
      state.isFormEmpty &&= isEmpty;
      if (isValid) continue;
      state.isFormValid = false;
      state.errors.push(wrong);
    }
    return state;
  }

  async submit() {
    if (this.paying) throw new Error('The card fields are being submitted already.');
    this.paying = true;
    try {
      await this.validate();
      try {
        await this.pay(await newConsent(this.options));
      } catch (error) {
        tellError(this.options, error);
        throw error;
      }
    } finally {
      this.paying = false;
    }
  }

  /** Has all fields show what is wrong with them; the first of those gets the focus. */
  async validate() {
    const states = new Map(await Promise.all([...this.shown].map(async ([name, frame]) => [name, await frame.call('validate')])));
    const { isFormValid, errors } = this.stateOf(states);
    if (isFormValid) return;
    const first = Object.keys(cardFields).find((name) => cardFields[name].wrong === errors[0]);
    this.shown.get(first)?.call('focus');
    throw Object.assign(new Error(errors.join(', ')), { name: errors[0] });
  }

  async pay(id) {
    // The number's field gets the rest from its neighbors; the page never does.
    const fields = [...this.shown.keys()].map((name) => cardFields[name].page);
    let result = await this.shown.get('Number').call('confirm', { order: id, fields, ...terms });
    if (result.asks) result = await challenge(this, id);
    if (result.error) throw failure(result.error);
    if (result.canceled) await this.options.onCancel?.(told(this.options, id));
    else await this.options.onApprove(told(this.options, id, result.liability ? { liabilityShift: result.liability } : {}));
  }
}

const made = { version: '5.0.0', FUNDING: { PAYPAL: 'paypal', CARD: 'card' } };
if (parts.includes('buttons')) made.Buttons = (options = {}) => new Buttons(options);
if (parts.includes('card-fields')) made.CardFields = (options = {}) => new CardFields(options);
if (parts.includes('funding-eligibility')) {
  made.isFundingEligible = (source) => source === 'paypal' || source === 'card' && parts.includes('card-fields');
}
window[script.dataset.namespace ?? 'paypal'] = made;
