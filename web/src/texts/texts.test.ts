import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { english } from './english';
import { korean } from './korean';
import { languageOf } from './texts';

const NAMES_ONLY = new Set(['notYet', 'problemDetail', 'milliseconds']);
const HANGUL = /\p{Script=Hangul}/u;
const STEPS = [
  ...(['safe-address', 'update', 'chromium-flags', 'chromium-acceleration', 'firefox-setting'] as const),
  ...(['firefox-acceleration', 'safari-settings', 'other-browser'] as const),
];

/** Every text with its path; functions are called with words that must be found in the text again. */
function flat(value: unknown, path: string): [string, string][] {
  if (typeof value === 'string') return [[path, value]];
  if (path === 'step') return STEPS.map((step) => [`step.${step}`, english.step(step, 'chrome', 'ios')]);
  if (typeof value === 'function') {
    const given = ['ALPHA', 'BETA', 'GAMMA'].slice(0, value.length);
    const text: string = value(...given);
    if (path !== 'recovered') for (const word of given) expect(text, path).toContain(word);
    return [[path, text]];
  }
  return Object.entries(value as object).flatMap(([key, inner]) => flat(inner, path ? `${path}.${key}` : key));
}

describe('Korean', () => {
  it('has every text, with every value in it', () => {
    const [en, ko] = [flat(english, ''), flat(korean, '')];
    expect(ko.map(([path]) => path)).toEqual(en.map(([path]) => path));
  });

  it('is Korean', () => {
    const foreign = flat(korean, '').filter(
      ([path, text]) => !path.startsWith('step.') && !NAMES_ONLY.has(path) && !HANGUL.test(text),
    );
    expect(foreign).toEqual([]);
    for (const step of STEPS) expect(korean.step(step, 'edge', 'linux')).toMatch(HANGUL);
  });
});

it('gives the browser’s own name to its addresses', () => {
  expect(english.step('chromium-flags', 'edge', 'linux')).toContain('edge://flags');
  expect(korean.step('chromium-flags', 'chrome', 'linux')).toContain('chrome://flags');
});

it('has a text for every place of the page', () => {
  const page = readFileSync(new URL('../../index.html', import.meta.url), 'utf8');
  const keys = [...page.matchAll(/data-text="(\w+)"/g)].map((match) => match[1] ?? '');
  expect(keys.length).toBeGreaterThan(20);
  expect(keys.filter((key) => typeof (english as Record<string, unknown>)[key] !== 'string')).toEqual([]);
});

it.each<[string | null, readonly string[], string]>([
  [null, ['ko-KR', 'en'], 'ko'],
  [null, ['fr-FR', 'ko'], 'ko'],
  [null, ['de'], 'en'],
  ['en', ['ko-KR'], 'en'],
  ['nonsense', ['ko'], 'ko'],
])('chooses a language: %o, %o', (chosen, wished, language) => {
  expect(languageOf(chosen, wished)).toBe(language);
});
