// The frames' calls to the simulated API of Stripe.

import { accountKey } from './frame.js';

const apiTimeMaxMs = 40_000;

// What an object of the API is called in the answers of Stripe.js.
const names = { payment_intent: 'paymentIntent', setup_intent: 'setupIntent' };

const apiError = (message) => ({ type: 'api_error', message });

/** Makes a call to the API; gives the object, or {error} as Stripe.js has it. */
export async function call(method, path, params) {
  const address = new URL('../v1/' + path, location.href);
  const form = new URLSearchParams({ ...params, key: accountKey });
  const request = { method, cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(apiTimeMaxMs) };
  if (method === 'GET') address.search = form.toString();
  else request.body = form;
  let response;
  try {
    response = await fetch(address, request);
  } catch {
    return { error: { type: 'api_connection_error', message: "We are experiencing issues connecting to our payments provider. Please try again." } };
  }
  const body = await response.json().catch(() => null);
  if (body?.error) return { error: body.error };
  const name = names[body?.object];
  if (!response.ok || !name) return { error: apiError('An error occurred with our payments provider. Please try again.') };
  return { [name]: body };
}

/** The id that a client secret belongs to; null where it is none. */
export function intentOf(clientSecret) {
  return /^((?:pi|seti)_[A-Za-z0-9_]+?)_secret_[A-Za-z0-9]+$/.exec(clientSecret ?? '')?.[1] ?? null;
}

/** Where the API has an intent. */
export function pathOf(id) {
  return `${id.startsWith('seti_') ? 'setup_intents' : 'payment_intents'}/${encodeURIComponent(id)}`;
}

/** Fetches the intent of a client secret. */
export async function retrieve(clientSecret) {
  const id = intentOf(clientSecret);
  if (!id) return { error: { type: 'invalid_request_error', message: 'The client secret is not of a PaymentIntent or SetupIntent.' } };
  return call('GET', pathOf(id), { client_secret: clientSecret });
}
