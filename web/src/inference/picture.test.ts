import { expect, it } from 'vitest';

import type { Port } from './messages';
import { pictureInput, tensorOf } from './picture';

const port = (shape: Port['shape'], type = 'float32'): Port => ({ name: 'x', type, shape });

it.each<[Port['shape'], readonly number[], boolean]>([
  [[1, 1, 28, 28], [1, 1, 28, 28], false],
  [['N', 3, 224, 200], [1, 3, 224, 200], false],
  [[-1, 32, 64, 3], [1, 32, 64, 3], true],
])('takes a picture of %o', (shape, dims, interleaved) => {
  const wanted = pictureInput([port(shape)]);
  expect(wanted).toMatchObject({ dims, interleaved });
  expect((wanted?.width ?? 0) * (wanted?.height ?? 0) * (wanted?.channels ?? 0)).toBe(dims.reduce((a, b) => a * b));
});

it.each<[string, readonly Port[]]>([
  ['no input', []],
  ['two inputs', [port([1, 1, 28, 28]), port([1])]],
  ['another type', [port([1, 1, 28, 28], 'uint8')]],
  ['a batch', [port([8, 1, 28, 28])]],
  ['a list', [port([1, 784])]],
  ['an open size', [port([1, 3, 'H', 'W'])]],
  ['an enormous size', [port([1, 3, 4096, 4096])]],
])('does not take %s', (_, inputs) => {
  expect(pictureInput(inputs)).toBeNull();
});

it('repeats the picture in each channel, in the order that the model wants', () => {
  const picture = Float32Array.of(0, 1);
  const wanted = { dims: [], channels: 3, width: 2, height: 1 } as const;
  expect([...tensorOf(picture, { ...wanted, interleaved: false })]).toEqual([0, 1, 0, 1, 0, 1]);
  expect([...tensorOf(picture, { ...wanted, interleaved: true })]).toEqual([0, 0, 0, 1, 1, 1]);
});
