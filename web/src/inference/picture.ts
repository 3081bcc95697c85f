/** Whether a model takes pictures, and how it wants them. */

import type { Size } from '../drawing/preprocess';
import type { Port } from './messages';

export interface PictureInput extends Size {
  readonly dims: readonly number[];
  readonly channels: 1 | 3;
  /** Whether each pixel's channels stand together. */
  readonly interleaved: boolean;
}

const LARGEST_SIDE = 1024;

/** How the only input wants its picture; null where it is no picture that can be made here. */
export function pictureInput(inputs: readonly Port[]): PictureInput | null {
  const [input, ...others] = inputs;
  if (!input || others.length > 0 || input.type !== 'float32' || input.shape.length !== 4) return null;
  const [batch, a, b, c] = input.shape;
  if (typeof batch === 'number' && batch !== 1 && batch !== -1) return null;
  const side = (size: number | string | undefined): size is number =>
    typeof size === 'number' && size >= 8 && size <= LARGEST_SIDE;
  if ((a === 1 || a === 3) && side(b) && side(c)) {
    return { dims: [1, a, b, c], channels: a, height: b, width: c, interleaved: false };
  }
  if (side(a) && side(b) && (c === 1 || c === 3)) {
    return { dims: [1, a, b, c], channels: c, height: a, width: b, interleaved: true };
  }
  return null;
}

/** The numbers for the model: the same picture in each channel. */
export function tensorOf(picture: Float32Array, { channels, interleaved }: PictureInput): Float32Array {
  const values = new Float32Array(picture.length * channels);
  picture.forEach((value, pixel) => {
    for (let channel = 0; channel < channels; channel++) {
      values[interleaved ? pixel * channels + channel : channel * picture.length + pixel] = value;
    }
  });
  return values;
}
