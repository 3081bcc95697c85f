import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import type { FromWorker, Loaded, ToWorker } from './messages';
import { Session, type WorkerLike } from './session';

const LOADED: Loaded = { inputs: [], outputs: [], adapter: null, createMs: 1 };
const MODEL = { engine: new ArrayBuffer(0), bytes: new Uint8Array() };

/** Answers what it is told to, and nothing on its own. */
class FakeWorker implements WorkerLike {
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null = null;
  onerror: ((event: ErrorEvent) => void) | null = null;
  terminated = false;
  readonly received: ToWorker[] = [];

  postMessage(message: ToWorker): void {
    this.received.push(message);
    if (message.action === 'load') queueMicrotask(() => this.say({ id: message.id, result: LOADED }));
  }

  terminate(): void {
    this.terminated = true;
  }

  say(data: FromWorker): void {
    this.onmessage?.({ data } as MessageEvent<FromWorker>);
  }
}

let worker: FakeWorker;
beforeEach(() => {
  worker = new FakeWorker();
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const open = (): Promise<{ session: Session }> => Session.open(worker, 'wasm', MODEL, 1000);

it('gives each answer to the one who asked', async () => {
  const { session } = await open();
  const [first, second] = [session.run(new Float32Array(1), [1]), session.run(new Float32Array(1), [1])];
  worker.say({ id: 3, result: { outputs: [2], runMs: 1 } });
  worker.say({ id: 2, error: 'no' });
  await expect(first).rejects.toThrow('no');
  await expect(second).resolves.toEqual({ outputs: [2], runMs: 1 });
});

it('ends with its device, and says so to who waits', async () => {
  const { session } = await open();
  const run = session.run(new Float32Array(1), [1]);
  worker.say({ lost: 'driver reset' });
  await expect(run).rejects.toThrow('driver reset');
  expect([session.alive, worker.terminated]).toEqual([false, true]);
  await expect(session.run(new Float32Array(1), [1])).rejects.toThrow('closed');
});

it('ends a worker that does not answer', async () => {
  const { session } = await open();
  const run = session.run(new Float32Array(1), [1]);
  const refused = expect(run).rejects.toThrow('does not answer');
  await vi.advanceTimersByTimeAsync(1000);
  await refused;
  expect(worker.terminated).toBe(true);
});

it('ends the worker of a model that does not load', async () => {
  worker.postMessage = (message) => queueMicrotask(() => worker.say({ id: message.id, error: 'bad model' }));
  await expect(open()).rejects.toThrow('bad model');
  expect(worker.terminated).toBe(true);
});
