// Where a buyer agrees to pay by PayPal, once or again and again, or to have his account saved. What he types goes to the simulator; the page that
// embeds the frame hears that he agreed, or not.

import { call, orderPath } from './api.js';
import { serve, tell } from './frame.js';
import { methods, typed, validate } from './fields.js';

const agree = document.getElementById('agree');
const cancel = document.getElementById('cancel-approval');
const line = document.getElementById('approval-error');
let order = '';
let terms = {};

function showError(message) {
  line.textContent = message;
  agree.disabled = false;
}

async function confirm() {
  if (agree.disabled) return;
  line.textContent = '';
  if (validate().error) return;
  agree.disabled = true;
  const card = typed();
  const result = await call('POST', orderPath(order, 'confirm'), {
    ...terms, number: card.number, exp_month: card.month, exp_year: card.year, cvc: card.cvc,
  });
  if (result.error) showError(result.error.message);
  else if (result.asks) tell('asks');
  else tell('approved', { payer: result.payer });
}

document.getElementById('card').addEventListener('submit', confirm);
cancel.addEventListener('click', () => tell('escape'));
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') tell('escape');
});

serve({
  async init({ order: asked, currency, intent }) {
    order = asked;
    terms = { currency, intent };
    cancel.disabled = false;
    methods.init({});
    const found = await call('GET', orderPath(order), terms);
    if (found.error) return found;
    agree.textContent = found.verb;
    if (found.amount) document.getElementById('amount').textContent = `${found.amount.value} ${found.amount.currency_code}`;
    else document.getElementById('title').textContent = 'Agree to have your PayPal account saved';
    agree.disabled = cancel.disabled = false;
    return methods.focus();
  },
  /** The bank's question is over, and the buyer did not agree by it. */
  goOn({ error }) {
    showError(error?.message ?? '');
    agree.focus();
    return {};
  },
});
