// The card fields of Stripe's Payment Element.

import { call, intentOf, pathOf, retrieve } from './api.js';
import { serve } from './frame.js';
import { methods, typed, validate } from './fields.js';

/** Why a PaymentIntent is not what the element was made for, or null. */
function mismatch(intent, expected) {
  const pairs = [
    ['amount', intent.amount, expected.amount],
    ['currency', intent.currency, expected.currency?.toLowerCase()],
    ['capture_method', intent.capture_method, expected.captureMethod],
    ['setup_future_usage', intent.setup_future_usage ?? null, expected.setupFutureUsage],
  ];
  const wrong = pairs.find(([, has, wants]) => wants !== undefined && has !== wants);
  return wrong ? { type: 'invalid_request_error', code: 'payment_intent_invalid_parameter', param: wrong[0], message: `The PaymentIntent's ${wrong[0]} does not match the one given to elements().`, payment_intent: intent } : null;
}

async function confirm({ clientSecret, returnURL, expected }) {
  const invalid = validate();
  if (invalid.error) return invalid;
  const id = intentOf(clientSecret);
  if (!id) return { error: { type: 'invalid_request_error', message: 'The client secret is not of a PaymentIntent or SetupIntent.' } };
  if (expected) {
    const found = await retrieve(clientSecret);
    if (found.error) return found;
    const wrong = mismatch(found.paymentIntent, expected);
    if (wrong) return { error: wrong };
  }
  const card = typed();
  return call('POST', `${pathOf(id)}/confirm`, {
    client_secret: clientSecret,
    return_url: returnURL,
    use_stripe_sdk: 'true',
    'payment_method_data[type]': 'card',
    'payment_method_data[card][number]': card.number,
    'payment_method_data[card][exp_month]': card.month,
    'payment_method_data[card][exp_year]': card.year,
    'payment_method_data[card][cvc]': card.cvc,
  });
}

serve({ ...methods, confirm });
