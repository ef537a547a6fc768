// The frames' calls to the simulator of Square, which makes tokens of cards.

import { accountKey } from './frame.js';

const apiTimeMaxMs = 40_000;

/** The application's and the location's ids. */
export const [applicationID, locationID] = accountKey.split('/');

const trouble = (type, message) => ({ status: 'ERROR', errors: [{ type, message }] });

/** Makes a call; gives {status, ...}, which is ERROR with {errors} where there is no answer. */
export async function call(path, body) {
  let response;
  try {
    response = await fetch(new URL(path, location.href), {
      method: 'POST', cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(apiTimeMaxMs),
      headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
    });
  } catch {
    return trouble('NETWORK_ERROR', 'The card could not be sent. Please try again.');
  }
  const answer = await response.json().catch(() => null);
  if (typeof answer?.status !== 'string') return trouble('UNKNOWN_ERROR', 'The card could not be processed. Please try again.');
  return answer;
}
