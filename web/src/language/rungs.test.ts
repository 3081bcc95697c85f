import { describe, expect, it } from 'vitest';

import { type Machine, planFor, threadsFor } from './rungs';

const CARD = { vendor: 'nvidia', architecture: 'ada', description: '', software: false };
const MACHINE: Machine = {
  secure: true,
  api: true,
  adapter: CARD,
  adapterFailed: false,
  f16: true,
  browser: { name: 'chrome', version: 150, system: 'windows' },
  isolated: true,
  cores: 8,
};

describe('the order', () => {
  it('is the GPU, threads, one thread', () => {
    expect(planFor(MACHINE)).toEqual({
      rungs: [
        { gpu: true, threads: 4 },
        { gpu: false, threads: 4 },
        { gpu: false, threads: 1 },
      ],
      why: [],
    });
  });

  it('has each only once', () => {
    expect(planFor({ ...MACHINE, cores: 2, adapter: null }).rungs).toEqual([{ gpu: false, threads: 1 }]);
  });

  it('leaves the GPU out where the user wants that, without a reason of its own', () => {
    expect(planFor(MACHINE, { avoidGpu: true })).toEqual({
      rungs: [
        { gpu: false, threads: 4 },
        { gpu: false, threads: 1 },
      ],
      why: [],
    });
  });
});

describe('the threads', () => {
  it.each([
    [0, 1],
    [1, 1],
    [3, 1],
    [4, 2],
    [16, 8],
  ])('are half of %i cores, at least one: %i', (cores, threads) => {
    expect(threadsFor({ isolated: true, cores }).chosen).toBe(threads);
  });

  it('are as many as the user says, up to the cores', () => {
    const threads = (wanted: number): unknown => planFor(MACHINE, { threads: wanted, avoidGpu: true }).rungs[0];
    expect([threads(3), threads(99), threads(0), threads(2.7)]).toEqual([
      { gpu: false, threads: 3 },
      { gpu: false, threads: 8 },
      { gpu: false, threads: 1 },
      { gpu: false, threads: 2 },
    ]);
    expect(planFor({ ...MACHINE, isolated: false }, { threads: 6 }).rungs.at(-1)).toEqual({ gpu: false, threads: 1 });
  });
});

describe('the reasons', () => {
  it.each<[string, Partial<Machine>, readonly string[]]>([
    ['no API', { api: false, adapter: null }, ['no-webgpu']],
    ['no adapter', { adapter: null }, ['no-webgpu']],
    ['a broken driver', { adapter: null, adapterFailed: true }, ['no-webgpu']],
    ['software', { adapter: { ...CARD, software: true } }, ['software-adapter']],
    ['no 16-bit floats', { f16: false }, ['no-f16']],
    ['no isolation', { isolated: false }, ['not-isolated']],
    ['few cores', { cores: 2 }, ['one-core']],
    ['http', { secure: false, api: false, adapter: null, isolated: false }, ['insecure']],
    ['two of them', { f16: false, isolated: false }, ['no-f16', 'not-isolated']],
  ])('name %s', (_, facts, why) => expect(planFor({ ...MACHINE, ...facts }).why).toEqual(why));

  it('do not explain what the user chose', () => {
    expect(planFor({ ...MACHINE, cores: 2 }, { threads: 1 }).why).toEqual([]);
  });
});
