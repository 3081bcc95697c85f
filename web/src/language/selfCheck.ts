/** Whether a model on a GPU writes language: some drivers compute nonsense without a word (ngxson/wllama#218). */

import type { Message } from './types';

export const CHECK_MESSAGES: readonly Message[] = [{ role: 'user', content: 'What is the capital of France?' }];
export const CHECK_TOKENS = 12;

/** Of what it wrote with temperature 0. Any language passes; small models may be wrong, not broken. */
export function isLanguage(text: string): boolean {
  const signs = [...text.replace(/\s+/g, '')];
  if (signs.length < 2 || signs.some((sign) => /[\p{Cc}\p{Co}\p{Cn}\ufffd]/u.test(sign))) return false;
  const letters = signs.filter((sign) => /[\p{L}\p{M}]/u.test(sign));
  if (letters.length < signs.length / 2) return false;
  return !repeats(signs);
}

/** One sign, or one short piece, over and over. */
function repeats(signs: readonly string[]): boolean {
  for (let period = 1; period <= 4 && signs.length >= 4 * period; period++) {
    if (signs.every((sign, index) => sign === signs[index % period])) return true;
  }
  return false;
}
