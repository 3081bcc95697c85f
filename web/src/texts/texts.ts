/** Every word of the pages, and which language they speak. The compiler checks that each has the same texts. */

import { english } from './en';
import { korean } from './ko';

export type Language = 'en' | 'ko';
export type Texts = typeof english;

export const TEXTS: Record<Language, Texts> = { en: english, ko: korean };

/** The one chosen before, else the first of the browser's that the pages know, else English. */
export function languageOf(chosen: string | null, wished: readonly string[]): Language {
  const known = [chosen ?? '', ...wished].map((tag) => tag.toLowerCase().split('-')[0]);
  return known.find((tag): tag is Language => tag === 'en' || tag === 'ko') ?? 'en';
}

/** By its path, such as `chat.send`. */
export function textAt(texts: Texts, path: string): string {
  let found: unknown = texts;
  for (const key of path.split('.')) found = (found as Readonly<Record<string, unknown>>)[key];
  if (typeof found !== 'string') throw new Error(`no text: ${path}`);
  return found;
}
