/** Everything in English, by page. */

import { chat } from './chat';
import { digits } from './digits';
import { overview } from './overview';
import { shared } from './shared';

export const english = { shared, overview, digits, chat };
