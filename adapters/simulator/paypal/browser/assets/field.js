// One of PayPal's card fields, each of which has a frame to itself. The fields of one form
// talk to each other on a channel of this origin, whose name the page makes up: the security
// code has to know whose card it is of, and the number's field is the one that sends the
// card. What is typed reaches the page by no way.

import { call, orderPath } from './api.js';
import { brandOf, checkCVC, checkExpiry, checkNumber, digitsOf, formatCVC, formatExpiry, formatNumber, rewrite } from './card.js';
import { serve, tell, tellHeight } from './frame.js';

// How long the other fields have to say what is in them.
const neighborTimeMaxMs = 5_000;
// As much of a number as tells the brand.
const startDigits = 6;
const nameCharsMax = 300;

const page = location.pathname.split('/').pop();
const fragment = new URLSearchParams(location.hash.slice(1));
const channel = new BroadcastChannel('card-fields-' + fragment.get('session'));
const input = document.querySelector('input');
const digits = () => digitsOf(input.value);

let start = ''; // of the number, as its field told

/** What the fields are like. A check gives the shared checks' problem, or null. Text without a format stays as it is. */
const kinds = {
  'card-name': {
    label: 'Name on the card', autocomplete: 'cc-name', placeholder: '', inputmode: 'text', name: 'ccname', required: false,
    check: () => null,
  },
  'card-number': {
    label: 'Card number', autocomplete: 'cc-number', placeholder: '1234 1234 1234 1234', inputmode: 'numeric', name: 'cardnumber', required: true,
    format: formatNumber, check: () => checkNumber(digits()),
  },
  'card-expiry': {
    label: 'Expiration date', autocomplete: 'cc-exp', placeholder: 'MM / YY', inputmode: 'numeric', name: 'cc-exp', required: true,
    format: formatExpiry, check: () => checkExpiry(input.value, new Date()),
  },
  'card-cvc': {
    label: 'Security code', autocomplete: 'cc-csc', placeholder: 'CVV', inputmode: 'numeric', name: 'cvc', required: true,
    format: (text) => formatCVC(text, start), check: () => checkCVC(digits(), start),
  },
};
const kind = kinds[page];
const isNumber = page === 'card-number';

document.title = kind.label;
document.getElementById('label').textContent = kind.label;
document.getElementById('label').htmlFor = page;
Object.assign(input, { id: page, name: kind.name, autocomplete: kind.autocomplete, placeholder: kind.placeholder, inputMode: kind.inputmode, required: kind.required });
if (page === 'card-name') input.maxLength = nameCharsMax;

// ---- what is shown, and what the page hears

function show(problem) {
  document.getElementById('error').textContent = problem ? problem.error.message : '';
  if (problem) input.setAttribute('aria-invalid', 'true');
  else input.removeAttribute('aria-invalid');
}

const isIncomplete = (problem) => problem.error.code.startsWith('incomplete');

/** The brand as PayPal tells it; the number stays here. */
function cards() {
  const brand = brandOf(digits());
  return brand.title ? [{ type: brand.name, niceType: brand.title, code: { name: 'CVV', size: brand.cvc } }] : [];
}

function state() {
  const problem = kind.check();
  return {
    isEmpty: input.value === '', isValid: !problem, isPotentiallyValid: !problem || isIncomplete(problem), isFocused: document.hasFocus() && document.activeElement === input,
    ...(isNumber ? { cards: cards() } : {}),
  };
}

function tellStart() {
  if (isNumber) channel.postMessage({ start: digits().slice(0, startDigits) });
}

function changed(deleting) {
  if (kind.format) rewrite(input, kind.format(input.value, deleting));
  if (isNumber) document.getElementById('card-brand').textContent = brandOf(digits()).title;
  tellStart();
  const problem = kind.check();
  show(problem && isIncomplete(problem) ? null : problem);
  tell('change');
}

input.addEventListener('input', (event) => changed(event.inputType?.startsWith('delete') ?? false));
input.addEventListener('focus', () => tell('focus'));
input.addEventListener('blur', () => {
  if (input.value !== '') show(kind.check());
  tell('blur');
});
document.getElementById('field').addEventListener('submit', (event) => {
  event.preventDefault();
  tell('submit');
});

function validate() {
  show(kind.check());
  return state();
}

// ---- the other fields

const waiting = new Map(); // what to do with answers, by the questions' ids

channel.addEventListener('message', ({ data }) => {
  if (data.asks && !isNumber) channel.postMessage({ answers: data.asks, page, value: input.value, ok: !kind.check() });
  else if (data.answers) waiting.get(data.answers)?.(data);
  else if (data.hello) tellStart();
  else if (typeof data.start === 'string') start = data.start;
});
channel.postMessage({ hello: true });

/** What is typed in other fields, by their pages; null where one is silent or not valid. */
function neighbors(pages) {
  const values = {};
  if (pages.length === 0) return values;
  const question = crypto.getRandomValues(new Uint32Array(2)).join('-');
  return new Promise((resolve) => {
    const end = (result) => {
      clearTimeout(timer);
      waiting.delete(question);
      resolve(result);
    };
    const timer = setTimeout(() => end(null), neighborTimeMaxMs);
    waiting.set(question, (answer) => {
      if (!answer.ok) end(null);
      values[answer.page] = answer.value;
      if (pages.every((one) => Object.hasOwn(values, one))) end(values);
    });
    channel.postMessage({ asks: question });
  });
}

/** Has the order paid by the card that was typed into all fields. */
async function confirm({ order, fields, currency, intent }) {
  const others = kind.check() ? null : await neighbors(fields.filter((one) => one !== page));
  if (!others) return { error: { code: 'INVALID_CARD', message: 'The card details are not complete.' } };
  const expiry = digitsOf(others['card-expiry'] ?? '');
  return call('POST', orderPath(order, 'confirm'), {
    currency, intent, funding: 'card', number: digits(), exp_month: String(Number(expiry.slice(0, 2))), exp_year: String(2000 + Number(expiry.slice(2))),
    cvc: digitsOf(others['card-cvc'] ?? ''), name: others['card-name'] ?? '',
  });
}

serve({
  init({ placeholder }) {
    if (typeof placeholder === 'string') input.placeholder = placeholder;
    tellHeight();
    return {};
  },
  state,
  validate,
  focus() {
    input.focus();
    return {};
  },
  clear() {
    input.value = '';
    changed(true);
    return {};
  },
  ...(isNumber ? { confirm } : {}),
});
