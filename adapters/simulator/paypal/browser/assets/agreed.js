// What a window does at its end in which a buyer agreed: it tells the window that opened it,
// and closes. An order's id is no secret; whether it was paid only the server tells.

const { order, payer } = document.getElementById('agreed').dataset;

if (window.opener) {
  window.opener.postMessage({ marker: 'paypal-agreed', order, payer }, '*');
  window.close();
}
