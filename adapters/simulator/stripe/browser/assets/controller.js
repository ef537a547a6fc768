// An unseen frame that makes the calls which belong to no card fields.

import { retrieve } from './api.js';
import { serve } from './frame.js';

serve({
  init: () => ({}),
  retrieve: ({ clientSecret }) => retrieve(clientSecret),
});
