// PayPal's button. The page that embeds it hears of the click, and tells when it is over.

import { serve, tell, tellHeight } from './frame.js';

const button = document.getElementById('paypal-button');

// A disabled button would lose the focus, to which the buyer comes back.
const setBusy = (busy) => button.setAttribute('aria-disabled', String(busy));

button.addEventListener('click', () => {
  if (button.getAttribute('aria-disabled') === 'true') return;
  setBusy(true);
  tell('click');
});

serve({
  init() {
    button.disabled = false;
    tellHeight();
    return {};
  },
  release() {
    setBusy(false);
    return {};
  },
});
