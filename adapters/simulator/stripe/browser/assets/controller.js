// An unseen frame that makes the calls which belong to no card fields.

import { retrieve, serve } from './channel.js';

serve({
  init: () => ({}),
  retrieve: ({ clientSecret }) => retrieve(clientSecret),
});
