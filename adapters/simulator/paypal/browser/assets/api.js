// The frames' calls to the simulator of PayPal, about one order; subscriptions and setup tokens
// go by their ids in its place.

import { accountKey } from './frame.js';

const apiTimeMaxMs = 40_000;

const trouble = (code, message) => ({ error: { code, message } });

/** Makes a call about an order; gives what it says, or {error: {code, message}}. */
export async function call(method, path, params) {
  const address = new URL('api/orders/' + path, location.href);
  const form = new URLSearchParams({ ...params, key: accountKey });
  const request = { method, cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(apiTimeMaxMs) };
  if (method === 'GET') address.search = form.toString();
  else request.body = form;
  let response;
  try {
    response = await fetch(address, request);
  } catch {
    return trouble('NETWORK_ERROR', 'PayPal cannot be reached. Please try again.');
  }
  const answer = await response.json().catch(() => null);
  if (answer?.error?.message) return { error: answer.error };
  if (!response.ok || typeof answer?.id !== 'string') return trouble('INTERNAL_ERROR', 'Something went wrong at PayPal. Please try again.');
  return answer;
}

/** The path of what can be done with an order; none for the order itself. */
export const orderPath = (order, action = '') => encodeURIComponent(order ?? '') + (action && '/' + action);
