/** Which language the page speaks. */

import { english, type Texts } from './english';
import { korean } from './korean';

export type Language = 'en' | 'ko';

export const TEXTS: Record<Language, Texts> = { en: english, ko: korean };

/** The one chosen before, else the first of the browser's that the page knows, else English. */
export function languageOf(chosen: string | null, wished: readonly string[]): Language {
  const known = [chosen ?? '', ...wished].map((tag) => tag.toLowerCase().split('-')[0]);
  return known.find((tag): tag is Language => tag === 'en' || tag === 'ko') ?? 'en';
}
