import { describe, expect, it } from 'vitest';

import type { Browser } from './browser';
import { type Facts, judge, rungs } from './ladder';

const CHROME: Browser = { name: 'chrome', version: 150, system: 'windows' };
const FACTS: Facts = { secure: true, api: true, adapter: null, adapterFailed: false, f16: false, browser: CHROME };
const CARD = { vendor: 'nvidia', architecture: 'ada', description: '', software: false };

const onLinux = (facts: Partial<Facts>): Facts => ({ ...FACTS, browser: { ...CHROME, system: 'linux' }, ...facts });
const without = (browser: Browser): unknown => judge({ ...FACTS, api: false, browser });

describe('the order', () => {
  it('is WebGPU before WebAssembly on a graphics card', () => {
    const verdict = judge({ ...FACTS, adapter: CARD });
    expect(verdict).toEqual({ usable: true, adapter: CARD });
    expect(rungs(verdict)).toEqual(['webgpu', 'wasm']);
  });

  it('puts software WebGPU last', () => {
    expect(rungs(judge({ ...FACTS, adapter: { ...CARD, software: true } }))).toEqual(['wasm', 'webgpu']);
  });

  it('never tries WebGPU without an adapter', () => {
    expect(rungs(judge(FACTS))).toEqual(['wasm']);
  });
});

describe('the reason', () => {
  it('is the address before all else, for browsers hide the rest there', () => {
    expect(judge({ ...FACTS, secure: false, api: false })).toEqual({
      usable: false,
      reason: 'insecure',
      step: 'safe-address',
    });
  });

  it('tells a failing browser from one that has no adapter', () => {
    expect(judge(FACTS)).toMatchObject({ reason: 'no-adapter', step: 'chromium-acceleration' });
    expect(judge(onLinux({ adapterFailed: true }))).toMatchObject({ reason: 'adapter-failed', step: 'chromium-flags' });
  });

  it.each<[Browser, string]>([
    [{ name: 'chrome', version: 112, system: 'windows' }, 'update'],
    [{ name: 'chrome', version: 113, system: 'linux' }, 'chromium-flags'],
    [{ name: 'edge', version: 120, system: 'android' }, 'update'],
    [{ name: 'firefox', version: 140, system: 'windows' }, 'update'],
    [{ name: 'firefox', version: 145, system: 'mac' }, 'firefox-setting'],
    [{ name: 'firefox', version: 153, system: 'linux' }, 'firefox-setting'],
    [{ name: 'firefox', version: 153, system: 'android' }, 'other-browser'],
    [{ name: 'safari', version: 18, system: 'mac' }, 'update'],
    [{ name: 'safari', version: 26, system: 'mac' }, 'safari-settings'],
    [{ name: 'chrome', version: 150, system: 'ios' }, 'update'],
    [{ name: 'other', version: 0, system: 'other' }, 'other-browser'],
  ])('comes with the next step for %o', (browser, step) => {
    expect(without(browser)).toEqual({ usable: false, reason: 'no-api', step });
  });

  it.each<[Browser['name'], string]>([
    ['firefox', 'firefox-acceleration'],
    ['safari', 'safari-settings'],
    ['other', 'other-browser'],
  ])('comes with the next step for %s without an adapter', (name, step) => {
    expect(judge({ ...FACTS, browser: { ...CHROME, name } })).toMatchObject({ reason: 'no-adapter', step });
  });
});
