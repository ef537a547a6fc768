// What every frame is where the publishable key is not the account's.

import { tell } from './frame.js';

tell('refused', { type: 'invalid_request_error', message: 'Invalid API Key provided.' });
