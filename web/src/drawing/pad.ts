/** The drawing area: mouse, finger, pen, keyboard. */

import { PAD_SIDE, type Point, type Stroke, inkOf, paint } from './strokes';
import type { Ink } from './preprocess';

const STEP = 10;
const ARROWS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -STEP, y: 0 },
  ArrowRight: { x: STEP, y: 0 },
  ArrowUp: { x: 0, y: -STEP },
  ArrowDown: { x: 0, y: STEP },
};

export interface PadEvents {
  /** The drawing changed; not yet when a stroke is only getting longer. */
  drawn(): void;
  /** The keyboard asks to have it read. */
  asked(): void;
  /** The keyboard put the pen down or lifted it. */
  pen(down: boolean): void;
}

export class Pad {
  private strokes: Stroke[] = [];
  private current: Point[] | null = null;
  private pen: Point = { x: PAD_SIDE / 2, y: PAD_SIDE / 4 };
  private penDown = false;
  private readonly context: CanvasRenderingContext2D;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly cursor: HTMLElement,
    private readonly events: PadEvents,
  ) {
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (!context) throw new Error('no 2d canvas');
    this.context = context;
    canvas.addEventListener('pointerdown', (event) => this.press(event));
    canvas.addEventListener('pointermove', (event) => this.move(event));
    canvas.addEventListener('pointerup', () => this.lift());
    canvas.addEventListener('pointercancel', () => this.lift());
    canvas.addEventListener('keydown', (event) => this.key(event));
    canvas.addEventListener('blur', () => this.leave());
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.repaint());
  }

  ink(): Ink {
    return inkOf(this.context);
  }

  show(strokes: readonly Stroke[]): void {
    this.current = null;
    this.setPen(false);
    this.strokes = [...strokes];
    this.repaint();
    this.events.drawn();
  }

  clear(): void {
    this.show([]);
  }

  undo(): void {
    this.show(this.strokes.slice(0, -1));
  }

  private press(event: PointerEvent): void {
    if (event.button !== 0 || this.current) return; // a second finger draws nothing
    this.setPen(false);
    this.cursor.hidden = true;
    this.canvas.setPointerCapture(event.pointerId);
    this.current = [this.place(event)];
    this.strokes.push(this.current);
    this.repaint();
  }

  private move(event: PointerEvent): void {
    if (!this.current || this.penDown || !this.canvas.hasPointerCapture(event.pointerId)) return;
    const passed = event.getCoalescedEvents?.() ?? [];
    for (const one of passed.length > 0 ? passed : [event]) this.current.push(this.place(one));
    this.repaint();
  }

  private lift(): void {
    if (!this.current || this.penDown) return;
    this.current = null;
    this.events.drawn();
  }

  /** The canvas may be shown larger or smaller than it is. */
  private place(event: PointerEvent): Point {
    const rect = this.canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - rect.left) * PAD_SIDE) / rect.width,
      y: ((event.clientY - rect.top) * PAD_SIDE) / rect.height,
    };
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) this.movePen(arrow);
    else if (event.key === ' ') this.setPen(!this.penDown);
    else if (event.key === 'Backspace') this.undo();
    else if (event.key === 'Enter') this.events.asked();
    else return;
    event.preventDefault();
    this.showCursor();
  }

  private movePen(by: Point): void {
    const inside = (value: number): number => Math.min(Math.max(value, STEP), PAD_SIDE - STEP);
    this.pen = { x: inside(this.pen.x + by.x), y: inside(this.pen.y + by.y) };
    if (!this.penDown || !this.current) return;
    this.current.push(this.pen);
    this.repaint();
  }

  private setPen(down: boolean): void {
    if (down === this.penDown) return;
    this.penDown = down;
    this.events.pen(down);
    if (down) {
      this.current = [this.pen];
      this.strokes.push(this.current);
      this.repaint();
    } else {
      this.current = null;
      this.events.drawn();
    }
    this.cursor.classList.toggle('down', down);
  }

  private leave(): void {
    this.setPen(false);
    this.cursor.hidden = true;
  }

  private showCursor(): void {
    this.cursor.hidden = false;
    this.cursor.style.left = `${(this.pen.x / PAD_SIDE) * 100}%`;
    this.cursor.style.top = `${(this.pen.y / PAD_SIDE) * 100}%`;
  }

  private repaint(): void {
    paint(this.context, this.strokes, getComputedStyle(this.canvas).color);
  }
}
