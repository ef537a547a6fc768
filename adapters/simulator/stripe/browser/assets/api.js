// The frames' calls to the simulated API of Stripe.

import { accountKey } from './frame.js';

const apiTimeMaxMs = 40_000;

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
  if (!response.ok || body?.object !== 'payment_intent') return { error: apiError('An error occurred with our payments provider. Please try again.') };
  return { paymentIntent: body };
}

/** The id that a client secret belongs to; null where it is none. */
export function intentOf(clientSecret) {
  return /^(pi_[A-Za-z0-9_]+?)_secret_[A-Za-z0-9]+$/.exec(clientSecret ?? '')?.[1] ?? null;
}

/** Fetches the PaymentIntent of a client secret. */
export async function retrieve(clientSecret) {
  const id = intentOf(clientSecret);
  if (!id) return { error: { type: 'invalid_request_error', message: 'The client secret is not of a PaymentIntent.' } };
  return call('GET', `payment_intents/${encodeURIComponent(id)}`, { client_secret: clientSecret });
}
