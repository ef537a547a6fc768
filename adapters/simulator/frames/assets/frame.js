// The frames' side of the talk with the page that embeds them. Messages come from the
// embedding window and the origin that it gave, or are dropped.

const marker = 'stand-in';

const fragment = new URLSearchParams(location.hash.slice(1));
const parentOrigin = fragment.get('parent');
const frame = fragment.get('frame');
/** What names the account: the publishable key, client id or application id. */
export const accountKey = new URLSearchParams(location.search).get('key') ?? '';

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
      post({ answers: message.request, result: { error: { type: 'api_error', message: 'An unexpected error occurred.' } } });
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
