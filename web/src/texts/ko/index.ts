/** Everything in Korean, by page. */

import { chat } from './chat';
import { digits } from './digits';
import { overview } from './overview';
import { shared } from './shared';

export const korean = { shared, overview, digits, chat };
