// The bank's question of 3-D Secure. The buyer's choice goes to the API of this origin;
// the page that embeds the frame gets the PaymentIntent or SetupIntent as it stands then.

import { call, intentOf } from './api.js';
import { serve, tell, tellHeight } from './frame.js';

const buttons = {
  complete: document.getElementById('complete-authentication'),
  fail: document.getElementById('fail-authentication'),
};
const progress = document.getElementById('progress');
let clientSecret = null;

function setDisabled(disabled) {
  for (const button of Object.values(buttons)) button.disabled = disabled;
}

async function choose(outcome) {
  setDisabled(true);
  progress.textContent = 'One moment …';
  const result = await call('POST', '3ds2/authenticate', { source: intentOf(clientSecret) ?? '', client_secret: clientSecret, outcome });
  tell('authenticated', result);
}

for (const [outcome, button] of Object.entries(buttons)) button.addEventListener('click', () => choose(outcome));

serve({
  init(params) {
    clientSecret = params.clientSecret;
    setDisabled(false);
    tellHeight();
    buttons.complete.focus();
    return {};
  },
});
