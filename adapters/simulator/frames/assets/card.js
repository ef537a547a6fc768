// What card fields make of what is typed: brands, grouping, and the errors that Stripe's
// own fields give.

const brands = [
  { name: 'visa', title: 'Visa', pattern: /^4/, lengths: [16, 13, 19], groups: [4, 8, 12, 16], cvc: 3 },
  { name: 'mastercard', title: 'Mastercard', pattern: /^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, lengths: [16], groups: [4, 8, 12], cvc: 3 },
  { name: 'amex', title: 'Amex', pattern: /^3[47]/, lengths: [15], groups: [4, 10], cvc: 4 },
  { name: 'discover', title: 'Discover', pattern: /^(6011|64[4-9]|65)/, lengths: [16], groups: [4, 8, 12], cvc: 3 },
  { name: 'diners', title: 'Diners', pattern: /^(30[0-5]|3095|36|38|39)/, lengths: [14, 16], groups: [4, 10], cvc: 3 },
  { name: 'jcb', title: 'JCB', pattern: /^35(2[89]|[3-8])/, lengths: [16], groups: [4, 8, 12], cvc: 3 },
  { name: 'unionpay', title: 'UnionPay', pattern: /^62/, lengths: [16, 17, 18, 19], groups: [4, 8, 12, 16], cvc: 3 },
];
const unknownBrand = { name: 'unknown', title: '', lengths: [16], groups: [4, 8, 12, 16], cvc: 3 };

export const digitsOf = (text) => text.replace(/\D/g, '');

export const brandOf = (number) => brands.find((brand) => brand.pattern.test(number)) ?? unknownBrand;

export function formatNumber(text) {
  const all = digitsOf(text);
  const brand = brandOf(all);
  const digits = all.slice(0, Math.max(...brand.lengths));
  const starts = [0, ...brand.groups];
  return starts.map((from, i) => digits.slice(from, starts[i + 1])).filter(Boolean).join(' ');
}

export function formatExpiry(text, deleting) {
  let digits = digitsOf(text);
  if (digits.length === 1 && digits > '1') digits = '0' + digits;
  if (/^\d\s*\//.test(text) && digits.length < 4) digits = digits.padStart(digits.length + 1, '0');
  // A year of four digits, as browsers fill it in.
  if (digits.length === 6) digits = digits.slice(0, 2) + digits.slice(4);
  digits = digits.slice(0, 4);
  if (digits.length < 2 || (digits.length === 2 && deleting)) return digits;
  return digits.slice(0, 2) + ' / ' + digits.slice(2);
}

export const formatCVC = (text, number) => digitsOf(text).slice(0, brandOf(number).cvc);

/** Sets a formatted value and keeps the caret behind as many digits as it was. */
export function rewrite(input, value) {
  const caret = input.selectionStart ?? input.value.length;
  const digitsBefore = digitsOf(input.value.slice(0, caret)).length;
  const atEnd = caret === input.value.length;
  input.value = value;
  if (atEnd || document.activeElement !== input) return;
  let at = 0;
  for (let seen = 0; at < value.length && seen < digitsBefore; at++) if (/\d/.test(value[at])) seen++;
  input.setSelectionRange(at, at);
}

function luhn(number) {
  let sum = 0;
  for (let i = 0; i < number.length; i++) {
    let digit = Number(number[number.length - 1 - i]);
    if (i % 2 === 1 && (digit *= 2) > 9) digit -= 9;
    sum += digit;
  }
  return sum % 10 === 0;
}

const problem = (field, code, message) => ({ field, error: { type: 'validation_error', code, message } });

export function checkNumber(number) {
  const brand = brandOf(number);
  if (number.length < Math.min(...brand.lengths) || !brand.lengths.includes(number.length)) {
    return problem('number', 'incomplete_number', 'Your card number is incomplete.');
  }
  return luhn(number) ? null : problem('number', 'invalid_number', 'Your card number is invalid.');
}

export function checkExpiry(text, today) {
  const digits = digitsOf(text);
  if (digits.length < 4) return problem('expiry', 'incomplete_expiry', "Your card's expiration date is incomplete.");
  const month = Number(digits.slice(0, 2));
  if (month < 1 || month > 12) return problem('expiry', 'invalid_expiry_month', "Your card's expiration month is invalid.");
  const year = 2000 + Number(digits.slice(2));
  if (year < today.getFullYear()) return problem('expiry', 'invalid_expiry_year_past', "Your card's expiration year is in the past.");
  if (year === today.getFullYear() && month < today.getMonth() + 1) {
    return problem('expiry', 'invalid_expiry_month_past', "Your card's expiration date is in the past.");
  }
  if (year > today.getFullYear() + 50) return problem('expiry', 'invalid_expiry_year', "Your card's expiration year is invalid.");
  return null;
}

export function checkCVC(cvc, number) {
  return cvc.length === brandOf(number).cvc ? null : problem('cvc', 'incomplete_cvc', "Your card's security code is incomplete.");
}
