// The bank's question. The buyer's choice goes to the simulator; the page that embeds the
// frame gets the token, or why there is none.

import { call } from './api.js';
import { serve, tell, tellHeight } from './frame.js';

const buttons = {
  complete: document.getElementById('complete-authentication'),
  fail: document.getElementById('fail-authentication'),
};
const progress = document.getElementById('progress');
let verification = '';

function setDisabled(disabled) {
  for (const button of Object.values(buttons)) button.disabled = disabled;
}

async function choose(outcome) {
  setDisabled(true);
  progress.textContent = 'One moment …';
  tell('verified', await call('tokens/' + encodeURIComponent(verification), { outcome }));
}

for (const [outcome, button] of Object.entries(buttons)) button.addEventListener('click', () => choose(outcome));

serve({
  init(params) {
    verification = params.verification;
    setDisabled(false);
    tellHeight();
    buttons.complete.focus();
    return {};
  },
});
