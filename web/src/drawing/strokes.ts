/** Drawings as lists of strokes, on a pad of 280 by 280. */

import type { Ink } from './preprocess';

export const PAD_SIDE = 280;
const PEN_WIDTH = 20;

export interface Point {
  readonly x: number;
  readonly y: number;
}
export type Stroke = readonly Point[];

export function paint(context: CanvasRenderingContext2D, strokes: readonly Stroke[], colour: string): void {
  context.clearRect(0, 0, PAD_SIDE, PAD_SIDE);
  context.strokeStyle = colour;
  context.lineWidth = PEN_WIDTH;
  context.lineCap = 'round';
  context.lineJoin = 'round';
  for (const stroke of strokes) {
    context.beginPath();
    stroke.forEach(({ x, y }, index) => (index ? context.lineTo(x, y) : context.moveTo(x, y)));
    const [only] = stroke;
    if (only && stroke.length === 1) context.lineTo(only.x, only.y); // a dot
    context.stroke();
  }
}

/** Whatever its colour: ink is where the pad is not transparent. */
export function inkOf(context: CanvasRenderingContext2D): Ink {
  const { data } = context.getImageData(0, 0, PAD_SIDE, PAD_SIDE);
  const values = Uint8Array.from({ length: PAD_SIDE * PAD_SIDE }, (_, index) => data[index * 4 + 3] ?? 0);
  return { values, width: PAD_SIDE, height: PAD_SIDE };
}

const points = (...pairs: readonly (readonly [number, number])[]): Stroke => pairs.map(([x, y]) => ({ x, y }));

/** A drawing of each digit, for those who can't draw or don't want to. */
export const EXAMPLES: readonly (readonly Stroke[])[] = [
  [points([140, 45], [100, 70], [82, 140], [100, 215], [140, 238], [180, 215], [198, 140], [180, 70], [140, 45])],
  [points([105, 85], [145, 40], [143, 240])],
  [points([80, 100], [100, 58], [150, 45], [192, 78], [182, 130], [130, 185], [75, 235], [205, 233])],
  [points([85, 70], [135, 42], [188, 72], [178, 118], [132, 135], [188, 158], [200, 200], [150, 238], [80, 218])],
  [points([125, 45], [70, 165], [215, 163]), points([175, 100], [170, 240])],
  [points([195, 48], [105, 50], [95, 128], [140, 115], [192, 142], [198, 190], [160, 235], [85, 222])],
  [points([180, 45], [125, 80], [88, 150], [92, 210], [135, 240], [185, 218], [190, 175], [150, 150], [98, 175])],
  [points([70, 60], [210, 55], [165, 145], [125, 240])],
  [
    points([185, 75], [140, 45], [98, 75], [115, 118], [172, 160], [190, 205], [140, 240], [92, 205], [108, 160]),
    points([108, 160], [168, 118], [185, 75]),
  ],
  [points([185, 85], [140, 45], [95, 80], [105, 128], [150, 138], [186, 90], [182, 160], [165, 240])],
];
