/**
 * What a model sees of a drawing. `tools/train_digits.py` does the same for the pictures that it trains on, and
 * `models/digits.check.json` holds both to the same numbers.
 */

/** Ink from 0 to 255, row by row. */
export interface Ink {
  readonly values: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

const FAINTEST_INK = 20;
const FILLED_SHARE = 20 / 28;

/**
 * The ink cropped, its longer side 20/28 of the picture's shorter one, its centre of mass in the middle, from 0 to 1;
 * null where there is no ink.
 */
export function modelInput(ink: Ink, picture: Size): Float32Array | null {
  const box = inkBox(ink);
  if (!box) return null;
  const filled = Math.round(Math.min(picture.width, picture.height) * FILLED_SHARE);
  const longer = Math.max(box.width, box.height);
  const width = Math.max(1, Math.floor((box.width * filled) / longer + 0.5));
  const height = Math.max(1, Math.floor((box.height * filled) / longer + 0.5));
  const fitted = scaleDown(ink, box, { width, height });
  const centre = centreOfMass(fitted, width);
  const left = corner(centre.x, width, picture.width);
  const top = corner(centre.y, height, picture.height);
  const result = new Float32Array(picture.width * picture.height);
  fitted.forEach((value, index) => {
    const x = left + (index % width);
    const y = top + Math.floor(index / width);
    result[y * picture.width + x] = value / 255;
  });
  return result;
}

interface Box extends Size {
  readonly left: number;
  readonly top: number;
}

function inkBox({ values, width, height }: Ink): Box | null {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if ((values[y * width + x] ?? 0) <= FAINTEST_INK) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** Each pixel of the result is the mean of the area that it covers. */
function scaleDown(ink: Ink, box: Box, target: Size): Float64Array {
  const columns = shares(box.width, target.width);
  const rows = shares(box.height, target.height);
  const narrowed = new Float64Array(box.height * target.width);
  for (let y = 0; y < box.height; y++) {
    columns.forEach((sources, x) => {
      let sum = 0;
      for (const { index, share } of sources) {
        sum += share * (ink.values[(box.top + y) * ink.width + box.left + index] ?? 0);
      }
      narrowed[y * target.width + x] = sum;
    });
  }
  const result = new Float64Array(target.width * target.height);
  rows.forEach((sources, y) => {
    for (let x = 0; x < target.width; x++) {
      let sum = 0;
      for (const { index, share } of sources) sum += share * (narrowed[index * target.width + x] ?? 0);
      result[y * target.width + x] = sum;
    }
  });
  return result;
}

interface Share {
  readonly index: number;
  readonly share: number;
}

/** For each target pixel: which source pixels it covers, and how much of it each of them fills. */
function shares(source: number, target: number): Share[][] {
  return Array.from({ length: target }, (_, i) => {
    const [start, end] = [(i * source) / target, ((i + 1) * source) / target];
    const found: Share[] = [];
    for (let index = Math.floor(start); index < Math.min(Math.ceil(end), source); index++) {
      const overlap = Math.min(end, index + 1) - Math.max(start, index);
      found.push({ index, share: (overlap * target) / source });
    }
    return found;
  });
}

function centreOfMass(values: Float64Array, width: number): { x: number; y: number } {
  let [mass, x, y] = [0, 0, 0];
  values.forEach((value, index) => {
    mass += value;
    x += value * (index % width);
    y += value * Math.floor(index / width);
  });
  return { x: x / mass, y: y / mass };
}

/** Where the fitted ink begins, for its centre of mass to be in the middle, and all of it inside. */
function corner(centre: number, fitted: number, picture: number): number {
  return Math.min(Math.max(Math.floor(picture / 2 - centre), 0), picture - fitted);
}
