import { expect, it } from 'vitest';

import { EXAMPLES, PAD_SIDE } from './strokes';

it('has an example of each digit, all of it on the pad', () => {
  expect(EXAMPLES.length).toBe(10);
  const coordinates = EXAMPLES.flat(2).flatMap(({ x, y }) => [x, y]);
  expect(Math.min(...coordinates)).toBeGreaterThan(20);
  expect(Math.max(...coordinates)).toBeLessThan(PAD_SIDE - 20);
});
