// The page's side of the frames of a stand-in for a provider's script. It is put in front of
// such a script, inside the same function, so that the page sees no more names than the
// provider defines.

const marker = 'stand-in';
const frameLoadTimeMaxMs = 15_000;
const frameCallTimeMaxMs = 90_000;
const base = new URL('.', document.currentScript.src);

const randomName = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');

/** A frame of this script's origin, and the talk with it. */
class Frame {
  constructor(page, key, title, onEvent = () => {}) {
    this.name = randomName();
    this.onEvent = onEvent;
    this.requests = new Map();
    this.count = 0;
    const address = new URL(page, base);
    address.search = new URLSearchParams({ key });
    address.hash = new URLSearchParams({ parent: location.origin, frame: this.name });
    this.node = document.createElement('iframe');
    this.node.title = title;
    this.node.setAttribute('allow', 'payment *');
    this.node.setAttribute('allowtransparency', 'true');
    Object.assign(this.node.style, { border: '0', display: 'block', width: '100%', colorScheme: 'normal' });
    this.node.src = address.href;
    this.loaded = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
    this.loaded.catch(() => {}); // told where it is waited for
    this.timer = setTimeout(() => this.settle.reject({ type: 'api_connection_error', message: 'The payment form could not be loaded.' }), frameLoadTimeMaxMs);
    this.listener = (event) => this.receive(event);
    window.addEventListener('message', this.listener);
  }

  receive(event) {
    if (event.origin !== base.origin || event.source !== this.node.contentWindow) return;
    const message = event.data;
    if (message?.marker !== marker || message.frame !== this.name) return;
    if (message.event === 'loaded') {
      clearTimeout(this.timer);
      this.settle.resolve();
    } else if (message.event === 'refused') {
      clearTimeout(this.timer);
      this.settle.reject(message.detail);
    } else if (message.event) {
      this.onEvent(message.event, message.detail);
    } else {
      this.requests.get(message.answers)?.(message.result);
      this.requests.delete(message.answers);
    }
  }

  /** Has the frame do something; gives its answer, or {error}. */
  async call(method, params = {}) {
    try {
      await this.loaded;
    } catch (error) {
      return { error };
    }
    const request = ++this.count;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.requests.delete(request);
        resolve({ error: { type: 'api_connection_error', message: 'The payment form did not answer.' } });
      }, frameCallTimeMaxMs);
      this.requests.set(request, (result) => {
        clearTimeout(timer);
        resolve(result);
      });
      this.node.contentWindow?.postMessage({ marker, frame: this.name, request, method, params }, base.origin);
    });
  }

  remove() {
    clearTimeout(this.timer);
    window.removeEventListener('message', this.listener);
    for (const answer of this.requests.values()) answer({ error: { type: 'invalid_request_error', message: 'The element was removed.' } });
    this.requests.clear();
    this.node.remove();
  }
}
