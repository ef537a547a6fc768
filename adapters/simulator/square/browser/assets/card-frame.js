// The card fields of the Web Payments SDK, whose card becomes a one-time token.

import { applicationID, call, locationID } from './api.js';
import { checkCVC, checkExpiry, checkNumber, digitsOf } from './card.js';
import { serve, tell } from './frame.js';
import { methods, typed, validate } from './fields.js';

// Cards of these countries are charged with their holder's postal code.
const postalCurrencies = ['USD', 'CAD', 'GBP'];

/** The inputs by the names that the SDK gives the fields. */
const inputs = {
  cardNumber: document.getElementById('card-number'),
  expirationDate: document.getElementById('card-expiry'),
  cvv: document.getElementById('card-cvc'),
  postalCode: document.getElementById('card-postal'),
};
const titles = { cardNumber: 'Credit card number', expirationDate: 'Expiration date', cvv: 'CVV', postalCode: 'Postal code' };
const postal = inputs.postalCode;
const number = () => digitsOf(inputs.cardNumber.value);

let postalNeeded = false; // told once the card is to be charged
const checks = {
  cardNumber: () => !checkNumber(number()),
  expirationDate: () => !checkExpiry(inputs.expirationDate.value, new Date()),
  cvv: () => !checkCVC(digitsOf(inputs.cvv.value), number()),
  postalCode: () => !postalNeeded || postal.value.trim().length >= 3,
};

function showPostal() {
  const good = checks.postalCode();
  document.getElementById('card-postal-error').textContent = good ? '' : 'Your postal code is incomplete.';
  if (good) postal.removeAttribute('aria-invalid');
  else postal.setAttribute('aria-invalid', 'true');
}
postal.addEventListener('input', showPostal);

// ---- what the page hears of the fields

function tellField(type, field) {
  const input = inputs[field];
  tell('field', {
    type, field,
    currentState: {
      hasErrorClass: input.hasAttribute('aria-invalid'), hasFocusClass: document.activeElement === input,
      isCompletelyValid: checks[field](), isEmpty: input.value === '',
    },
  });
}

for (const [field, input] of Object.entries(inputs)) {
  input.addEventListener('focus', () => tellField('focusClassAdded', field));
  input.addEventListener('blur', () => tellField('focusClassRemoved', field));
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') tellField('submit', field);
  });
  new MutationObserver(([change]) => {
    const wrong = input.hasAttribute('aria-invalid');
    if (wrong !== (change.oldValue !== null)) tellField(wrong ? 'errorClassAdded' : 'errorClassRemoved', field);
  }).observe(input, { attributes: true, attributeFilter: ['aria-invalid'], attributeOldValue: true });
}
postal.addEventListener('change', () => tellField('postalCodeChanged', 'postalCode'));

// ---- the token

/** Waits until the page has heard of all that was told, so that the answer comes last. */
const told = () => new Promise((resolve) => setTimeout(resolve));

async function tokenize({ details }) {
  postalNeeded = postalCurrencies.includes(details?.currencyCode) && !details.billingContact?.postalCode;
  validate();
  showPostal();
  const wrong = Object.keys(inputs).filter((field) => !checks[field]());
  if (wrong.length > 0) {
    await told();
    return { status: 'Invalid', errors: wrong.map((field) => ({ type: 'VALIDATION_ERROR', field, message: `${titles[field]} is not valid` })) };
  }
  const card = typed();
  const code = postal.value.trim() || details?.billingContact?.postalCode;
  return call('tokens', {
    application_id: applicationID, location_id: locationID,
    number: card.number, exp_month: card.month, exp_year: card.year, cvv: card.cvc, ...(code ? { postal_code: code } : {}),
    ...(details ? { amount: details.amount, currency: details.currencyCode, intent: details.intent } : {}),
  });
}

const { init, focus } = methods;

serve({
  init,
  tokenize,
  focus: ({ field }) => {
    if (!field) return focus();
    inputs[field]?.focus();
    return {};
  },
  clear: () => {
    postalNeeded = false;
    postal.value = '';
    showPostal();
    return methods.clear();
  },
  /** Sets what the page may know beforehand. */
  configure: ({ postalCode }) => {
    if (typeof postalCode === 'string') postal.value = postalCode;
    return {};
  },
});
