/** How fast a download is, smoothed, and how long it still takes. */

import type { Progress } from './types';

const SMOOTHING_SECONDS = 3;
const SETTLED_SECONDS = 1;

export class Meter {
  private speed = 0;
  private loaded: number;
  private last: number;

  /** `loaded` bytes are here already; times are in milliseconds. */
  constructor(
    loaded: number,
    private readonly total: number,
    private readonly started: number,
  ) {
    this.loaded = loaded;
    this.last = started;
  }

  at(loaded: number, now: number): Progress {
    const seconds = (now - this.last) / 1000;
    if (seconds > 0) {
      const current = (loaded - this.loaded) / seconds;
      const age = (now - this.started) / 1000;
      // Young, it is the mean of all so far: the weight of the new part is its share of the time.
      const weight = age < SMOOTHING_SECONDS ? seconds / age : 1 - Math.exp(-seconds / SMOOTHING_SECONDS);
      this.speed += (current - this.speed) * weight;
      this.loaded = loaded;
      this.last = now;
    }
    return {
      loaded,
      total: this.total,
      bytesPerSecond: Math.round(this.speed),
      secondsLeft: this.secondsLeft(now),
    };
  }

  private secondsLeft(now: number): number | null {
    if (this.loaded >= this.total) return 0;
    if (now - this.started < SETTLED_SECONDS * 1000 || this.speed < 1) return null;
    return (this.total - this.loaded) / this.speed;
  }
}
