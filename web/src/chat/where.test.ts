import { expect, it } from 'vitest';

import type { Facts } from '../inference/ladder';
import type { Running, Why } from '../language/types';
import { Units } from '../page/units';
import { english } from '../texts/en';
import { badgeText, reasons } from './where';

const FACTS: Facts = {
  secure: true,
  api: true,
  adapter: { vendor: 'google', architecture: 'swiftshader', description: '', software: true },
  adapterFailed: false,
  f16: false,
  browser: { name: 'firefox', version: 150, system: 'windows' },
};
const RUNNING: Running = { model: 'm', backend: 'webgpu', threads: 4, adapter: 'ada', context: 4096, why: [] };

it.each<[Partial<Running>, string]>([
  [{}, 'WebGPU: ada'],
  [{ backend: 'threads' }, 'WebAssembly, 4 threads'],
  [{ backend: 'one-thread' }, 'WebAssembly, one thread'],
  [{ backend: 'built-in' }, 'Chrome’s built-in model'],
])('names where it runs: %o', (change, text) => {
  expect(badgeText({ ...RUNNING, ...change }, english.chat, new Units('en'))).toBe(text);
});

it.each<[Why, Partial<Facts>, RegExp, RegExp]>([
  ['insecure', { secure: false, adapter: null }, /https pages/, /http:\/\/localhost/],
  ['no-webgpu', { api: false, adapter: null }, /does not offer it/, /about:config/],
  ['no-webgpu', { adapter: null }, /found no graphics adapter/, /hardware acceleration/],
  ['software-adapter', {}, /software only/, /hardware acceleration/],
  ['no-f16', {}, /shader-f16/, /driver/],
  ['garbage', {}, /nonsense/, /driver/],
  ['gpu-failed', {}, /failed/, /driver/],
  ['not-isolated', {}, /not isolated/, /Cross-Origin-Embedder-Policy/],
  ['one-core', {}, /too few processor cores/, /^$/],
])('says why not faster, and what to do: %s %o', (why, change, sentence, step) => {
  expect(reasons([why], { ...FACTS, ...change }, english)).toEqual([
    { why: expect.stringMatching(sentence), step: expect.stringMatching(step) },
  ]);
});
