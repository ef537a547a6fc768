// The frames' side of the talk with the page that embeds them, and their calls to the API.
// Messages come from the embedding window and the origin that it gave, or are dropped.

const marker = 'stripe-stand-in';
const apiTimeMaxMs = 40_000;

const fragment = new URLSearchParams(location.hash.slice(1));
const parentOrigin = fragment.get('parent');
const frame = fragment.get('frame');
export const publishableKey = new URLSearchParams(location.search).get('key') ?? '';

function post(message) {
  if (window.parent !== window && parentOrigin) {
    window.parent.postMessage({ marker, frame, ...message }, parentOrigin);
  }
}

/** Tells the page of something that happened. */
export function tell(event, detail = {}) {
  post({ event, detail });
}

/** Answers the page's requests with the methods given, and tells it that the frame is there. */
export function serve(methods) {
  window.addEventListener('message', async (event) => {
    if (event.source !== window.parent || event.origin !== parentOrigin) return;
    const message = event.data;
    if (message?.marker !== marker || message.frame !== frame || !Object.hasOwn(methods, message.method)) return;
    try {
      post({ answers: message.request, result: await methods[message.method](message.params ?? {}) });
    } catch {
      post({ answers: message.request, result: { error: apiError('An unexpected error occurred.') } });
    }
  });
  tell('loaded');
}

/** Tells the page how high the document is, whenever that changes. */
export function tellHeight() {
  const tellNow = () => tell('height', { pixels: Math.ceil(document.documentElement.getBoundingClientRect().height) });
  new ResizeObserver(tellNow).observe(document.body);
  tellNow();
}

const apiError = (message) => ({ type: 'api_error', message });

/** Makes a call to the API; gives the object, or {error} as Stripe.js has it. */
export async function call(method, path, params) {
  const address = new URL('../v1/' + path, location.href);
  const form = new URLSearchParams({ ...params, key: publishableKey });
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
