// What every frame is where the client id is not the account's.

import { tell } from './frame.js';

tell('refused', { code: 'INVALID_CLIENT', message: 'The client id is not known.' });
