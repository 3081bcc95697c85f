import { describe, expect, it } from 'vitest';

import { isLanguage } from './selfCheck';

describe('language', () => {
  it.each([
    'The capital of France is Paris.',
    'Paris.',
    'Paris',
    '프랑스의 수도는 파리입니다.',
    'फ़्रांस की राजधानी पेरिस है।',
    '**Paris**',
    '<think>\nOkay, the user asks',
    'La capitale de la France est Paris, la',
  ])('is %j', (text) => expect(isLanguage(text)).toBe(true));
});

describe('garbage', () => {
  it.each([
    '',
    ' \n\n ',
    '@@@@@@@@@@@@',
    '!!!!',
    '????????',
    'GGGGGGGG',
    'the the the the the the',
    '\u0000\u0001Paris',
    'Par\ufffd\ufffdis',
    '0000000000 0000',
    '/>,.;:-=+#|',
  ])('is %j', (text) => expect(isLanguage(text)).toBe(false));
});
