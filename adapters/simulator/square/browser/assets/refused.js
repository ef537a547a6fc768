// What every frame is where the application and the location are not the account's.

import { tell } from './frame.js';

tell('refused', { type: 'USAGE_ERROR', message: 'The application and location are not known together.' });
