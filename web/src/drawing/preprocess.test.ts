import { describe, expect, it } from 'vitest';

import cases from '../../models/digits.check.json';
import { type Ink, modelInput } from './preprocess';

const SIZE = { width: 28, height: 28 };

function inkFrom(hex: string, width: number): Ink {
  const values = Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
  return { values, width, height: values.length / width };
}

function rectangle(left: number, top: number, width: number, height: number, canvas = 100): Ink {
  const values = new Uint8Array(canvas * canvas);
  for (let y = top; y < top + height; y++) values.fill(255, y * canvas + left, y * canvas + left + width);
  return { values, width: canvas, height: canvas };
}

describe('what the model sees', () => {
  it.each(cases)('is what it was trained on: $digit', ({ ink, width, input }) => {
    const seen = modelInput(inkFrom(ink, width), SIZE);
    const furthest = Math.max(...input.map((value, index) => Math.abs(value - (seen?.[index] ?? NaN))));
    expect(furthest).toBeLessThan(1e-5);
  });

  it('is nothing where nothing is drawn, or only a shade', () => {
    expect(modelInput({ values: new Uint8Array(100), width: 10, height: 10 }, SIZE)).toBeNull();
    expect(modelInput({ values: new Uint8Array(100).fill(20), width: 10, height: 10 }, SIZE)).toBeNull();
  });

  it('does not depend on where and how large the drawing is', () => {
    const small = modelInput(rectangle(3, 5, 10, 20), SIZE);
    expect(modelInput(rectangle(60, 40, 10, 20), SIZE)).toEqual(small);
    expect(modelInput(rectangle(0, 0, 40, 80), SIZE)).toEqual(small);
  });

  it('fills 20 of 28 pixels, in the middle', () => {
    const seen = modelInput(rectangle(0, 0, 10, 40), SIZE) ?? [];
    const inked = [...seen.keys()].filter((index) => seen[index]);
    expect(inked.map((index) => Math.floor(index / 28))).toEqual(expect.arrayContaining([4, 23]));
    expect(new Set(inked.map((index) => Math.floor(index / 28))).size).toBe(20);
    expect(new Set(inked.map((index) => index % 28))).toEqual(new Set([12, 13, 14, 15, 16]));
  });

  it('has the size that a model wants', () => {
    const seen = modelInput(rectangle(0, 0, 50, 50), { width: 64, height: 32 });
    expect(seen?.length).toBe(64 * 32);
    expect(seen?.filter((value) => value > 0).length).toBe(23 * 23);
  });
});
