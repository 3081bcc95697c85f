import { expect, it } from 'vitest';

import { best, median, probabilities, shown, softmax } from './probabilities';

it('sums to one and keeps the order', () => {
  const all = softmax([1, 3, 2]);
  expect(all.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
  expect(all[0]).toBeCloseTo(Math.exp(-2) / (1 + Math.exp(-1) + Math.exp(-2)), 12);
  expect(best(all).index).toBe(1);
});

it('bears numbers that have no exponential', () => {
  expect(softmax([1000, 1000])).toEqual([0.5, 0.5]);
  expect(softmax([-1000, 0])).toEqual([0, 1]);
});

it('leaves probabilities as they are', () => {
  expect(probabilities([0.25, 0.75])).toEqual([0.25, 0.75]);
  expect(probabilities([2, -1])).toEqual(softmax([2, -1]));
  expect(probabilities([1])).toEqual([1]);
});

it('shows ten classes in their order, and the best ten of more', () => {
  expect(shown([0.1, 0.9]).map(({ index }) => index)).toEqual([0, 1]);
  const many = Array.from({ length: 12 }, (_, index) => index / 66);
  expect(shown(many).map(({ index }) => index)).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
});

it('has a median of an even and an odd number of times, not of none', () => {
  expect(median([5, 1, 3])).toBe(3);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([])).toBeNull();
});
