// The bank's question of 3-D Secure. The buyer's choice goes to the simulator; the page that
// embeds the frame hears what became of it.

import { call, orderPath } from './api.js';
import { serve, tell, tellHeight } from './frame.js';

const buttons = {
  complete: document.getElementById('complete-authentication'),
  fail: document.getElementById('fail-authentication'),
};
const progress = document.getElementById('progress');
let order = '';
let terms = {};

function setDisabled(disabled) {
  for (const button of Object.values(buttons)) button.disabled = disabled;
}

async function choose(outcome) {
  setDisabled(true);
  progress.textContent = 'One moment …';
  tell('authenticated', await call('POST', orderPath(order, 'authenticate'), { ...terms, outcome }));
}

for (const [outcome, button] of Object.entries(buttons)) button.addEventListener('click', () => choose(outcome));
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') tell('escape');
});

serve({
  init({ order: asked, currency, intent }) {
    order = asked;
    terms = { currency, intent };
    setDisabled(false);
    tellHeight();
    buttons.complete.focus();
    return {};
  },
});
