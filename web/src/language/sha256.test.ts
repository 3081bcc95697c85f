import { createHash } from 'node:crypto';

import { expect, it } from 'vitest';

import { Sha256 } from './sha256';

const hashed = (...parts: Uint8Array[]): string => {
  const hash = new Sha256();
  for (const part of parts) hash.add(part);
  return hash.end();
};

it.each([0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 1000, 100_003])('is the standard one of %i bytes', (length) => {
  const bytes = Uint8Array.from({ length }, (_, index) => (index * 31) ^ (index >> 3));
  expect(hashed(bytes)).toBe(createHash('sha256').update(bytes).digest('hex'));
});

it('does not depend on how the bytes arrive', () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, index) => index % 251);
  const whole = hashed(bytes);
  for (const size of [1, 7, 63, 64, 65, 200]) {
    const parts = [];
    for (let at = 0; at < bytes.length; at += size) parts.push(bytes.subarray(at, at + size));
    expect(hashed(...parts)).toBe(whole);
  }
});
