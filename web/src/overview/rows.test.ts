import { describe, expect, it } from 'vitest';

import type { Facts } from '../inference/ladder';
import { english } from '../texts/en';
import type { BrowserFacts } from './facts';
import { type Row, rows } from './rows';

const CARD = { vendor: 'nvidia', architecture: 'ada', description: '', software: false };
const GPU: Facts = {
  secure: true,
  api: true,
  adapter: CARD,
  adapterFailed: false,
  f16: true,
  browser: { name: 'chrome', version: 156, system: 'windows' },
};
const BEST: BrowserFacts = {
  gpu: GPU,
  isolated: true,
  cores: 16,
  threads: 8,
  keeps: true,
  persisted: true,
  offline: 'yes',
  builtIn: 'available',
};

const row = (id: Row['id'], change: Partial<BrowserFacts>): Row => {
  const found = rows({ ...BEST, ...change }, english).find((one) => one.id === id);
  if (!found) throw new Error(id);
  return found;
};

it('has nothing to advise where everything is there', () => {
  for (const { state, step } of rows(BEST, english)) expect([state, step]).toEqual(['yes', '']);
});

describe('each thing that is missing', () => {
  it.each<[Row['id'], Partial<BrowserFacts>, Row['state'], RegExp]>([
    ['webgpu', { gpu: { ...GPU, adapter: null } }, 'no', /graphics acceleration/],
    ['webgpu', { gpu: { ...GPU, adapter: { ...CARD, software: true } } }, 'partly', /graphics acceleration/],
    ['webgpu', { gpu: { ...GPU, f16: false } }, 'partly', /graphics driver/],
    ['threads', { isolated: false }, 'no', /Cross-Origin-Opener-Policy/],
    ['storage', { keeps: false }, 'no', /private window/],
    ['offline', { offline: 'no' }, 'no', /private window/],
  ])('has a next step: %s %o', (id, change, state, step) => {
    expect(row(id, change)).toMatchObject({ state, step: expect.stringMatching(step) });
  });

  it.each<[Row['id'], Partial<BrowserFacts>, Row['state']]>([
    ['threads', { threads: 1, cores: 2 }, 'partly'],
    ['storage', { persisted: false }, 'partly'],
    ['offline', { offline: 'soon' }, 'partly'],
    ['builtIn', { builtIn: 'downloadable' }, 'partly'],
    ['builtIn', { builtIn: 'absent' }, 'no'],
  ])('or nothing to do: %s %o', (id, change, state) => {
    expect(row(id, change)).toMatchObject({ state, step: '' });
  });

  it('is blamed on the address where that is the cause', () => {
    const gpu = { ...GPU, secure: false, api: false, adapter: null };
    const change: Partial<BrowserFacts> = { gpu, isolated: false, keeps: false, offline: 'no' };
    expect(row('secure', change)).toMatchObject({ state: 'no', step: expect.stringContaining('http://localhost') });
    for (const id of ['webgpu', 'threads', 'storage', 'offline'] as const) {
      expect(row(id, change)).toMatchObject({ state: 'no', step: expect.stringContaining('safe address') });
    }
  });
});
