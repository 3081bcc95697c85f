import { expect, it } from 'vitest';

import { Meter } from './progress';

const MB = 1_000_000;

it('knows a steady speed, and the time left once that has settled', () => {
  const meter = new Meter(0, 100 * MB, 0);
  expect(meter.at(0, 0)).toEqual({ loaded: 0, total: 100 * MB, bytesPerSecond: 0, secondsLeft: null });
  expect(meter.at(5 * MB, 500)).toMatchObject({ bytesPerSecond: 10 * MB, secondsLeft: null });
  for (let now = 1000; now <= 9000; now += 250) {
    const progress = meter.at((now / 100) * MB, now);
    expect(progress.bytesPerSecond).toBeCloseTo(10 * MB, -1);
    expect(progress.secondsLeft).toBeCloseTo((10_000 - now) / 1000, 3);
  }
  expect(meter.at(100 * MB, 10_000).secondsLeft).toBe(0);
});

it('counts no bytes of an earlier visit as speed', () => {
  const meter = new Meter(50 * MB, 100 * MB, 7000);
  expect(meter.at(51 * MB, 8000)).toMatchObject({ loaded: 51 * MB, bytesPerSecond: MB, secondsLeft: 49 });
});

it('does not jump with one fast moment, and follows a lasting change', () => {
  const meter = new Meter(0, 1000 * MB, 0);
  let loaded = 0;
  for (let now = 250; now <= 10_000; now += 250) meter.at((loaded += MB / 4), now);
  const once = meter.at((loaded += 10 * MB), 10_250).bytesPerSecond;
  expect(once).toBeLessThan(5 * MB);
  let speed = 0;
  for (let now = 10_500; now <= 30_000; now += 250) speed = meter.at((loaded += 2 * MB), now).bytesPerSecond;
  expect(speed / MB).toBeCloseTo(8, 1);
});

it('has no time left to tell while nothing comes', () => {
  const meter = new Meter(0, 10 * MB, 0);
  expect(meter.at(0, 2000)).toMatchObject({ bytesPerSecond: 0, secondsLeft: null });
  meter.at(MB, 2500);
  let left: number | null = 0;
  for (let now = 3000; now < 90_000; now += 500) left = meter.at(MB, now).secondsLeft;
  expect(left).toBeNull();
});
