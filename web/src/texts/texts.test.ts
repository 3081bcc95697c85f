import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { english } from './en';
import { korean } from './ko';
import { languageOf, textAt } from './texts';

const NAMES_ONLY = new Set([
  ...['shared.problemDetail', 'overview.webgpu.name', 'digits.notYet', 'digits.milliseconds', 'chat.megabytes'],
]);
const COUNTING = new Set(['digits.recovered', 'chat.leftOut']); // worded by the number that they get
const HANGUL = /\p{Script=Hangul}/u;
const STEPS = [
  ...(['safe-address', 'update', 'chromium-flags', 'chromium-acceleration', 'firefox-setting'] as const),
  ...(['firefox-acceleration', 'safari-settings', 'other-browser'] as const),
];

/** Every text with its path; functions are called with words that must be found in the text again. */
function flat(value: unknown, path: string): [string, string][] {
  if (typeof value === 'string') return [[path, value]];
  if (path === 'shared.step') {
    return STEPS.map((step) => [`${path}.${step}`, english.shared.step(step, 'chrome', 'ios')]);
  }
  if (typeof value === 'function') {
    const given = ['ALPHA', 'BETA', 'GAMMA'].slice(0, value.length);
    const text: string = value(...given);
    if (!COUNTING.has(path)) for (const word of given) expect(text, path).toContain(word);
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
      ([path, text]) => !path.startsWith('shared.step.') && !NAMES_ONLY.has(path) && !HANGUL.test(text),
    );
    expect(foreign).toEqual([]);
    for (const step of STEPS) expect(korean.shared.step(step, 'edge', 'linux')).toMatch(HANGUL);
  });
});

it('gives the browser’s own name to its addresses', () => {
  expect(english.shared.step('chromium-flags', 'edge', 'linux')).toContain('edge://flags');
  expect(korean.shared.step('chromium-flags', 'chrome', 'linux')).toContain('chrome://flags');
});

it.each(['index.html', 'chat/index.html', 'digits/index.html'])('has a text for every place of %s', (name) => {
  const page = readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
  const paths = [...page.matchAll(/data-(?:text|label)="([^"]+)"/g)].map((match) => match[1] ?? '');
  expect(paths.length).toBeGreaterThan(10);
  for (const path of paths) expect(textAt(english, path)).not.toBe('');
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
