import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { Counts } from './engine';
import { LocalModel } from './localModel';
import type { Machine, Rung, Wanted } from './rungs';
import { CHECK_MESSAGES } from './selfCheck';
import { LanguageError, type LanguageProblem, type Message } from './types';

const MACHINE: Machine = {
  secure: true,
  api: true,
  adapter: { vendor: 'acme', architecture: 'one', description: '', software: false },
  adapterFailed: false,
  f16: true,
  browser: { name: 'chrome', version: 150, system: 'windows' },
  isolated: true,
  cores: 8,
};
const GPU: Rung = { gpu: true, threads: 4 };
const THREADS: Rung = { gpu: false, threads: 4 };
const ONE: Rung = { gpu: false, threads: 1 };
const QUESTION: readonly Message[] = [{ role: 'user', content: 'Hi' }];
const WISHES = { maxTokens: 10, temperature: 0 };
const never = new AbortController().signal;

/** How an engine behaves on a rung; the real one is run by the tests in a browser. */
interface Behaviour {
  problem?: LanguageProblem;
  onGpu?: boolean;
  check?: string;
  crashes?: boolean;
}

const behaviours = new Map<string, Behaviour>();
const loads: Rung[] = [];
const engines: FakeEngine[] = [];
const behaveOn = (rung: Rung, behaviour: Behaviour): unknown => behaviours.set(JSON.stringify(rung), behaviour);

class FakeEngine {
  alive = true;
  readonly info = { n_ctx: 2048 };
  readonly log: { onGpu: boolean };
  /** Lets a running answer end. */
  finish: () => void = () => undefined;
  slow = false;
  writing = false;

  constructor(
    private readonly behaviour: Behaviour,
    readonly threads: number,
    gpu: boolean,
  ) {
    this.log = { onGpu: behaviour.onGpu ?? gpu };
    engines.push(this);
  }

  static async load(_: Blob, rung: Rung): Promise<FakeEngine> {
    loads.push(rung);
    const behaviour = behaviours.get(JSON.stringify(rung)) ?? {};
    if (behaviour.problem) throw new LanguageError(behaviour.problem);
    return new FakeEngine(behaviour, rung.threads, rung.gpu);
  }

  async answer(messages: readonly Message[], _: unknown, wrote: (text: string) => void, counts: Counts): Promise<void> {
    if (messages === CHECK_MESSAGES) return wrote(this.behaviour.check ?? 'The capital is Paris.');
    if (this.behaviour.crashes) {
      this.alive = false;
      throw new LanguageError('engine-failed', 'Device lost');
    }
    wrote('Hel');
    this.writing = true;
    if (this.slow) await new Promise<void>((resolve) => (this.finish = resolve));
    wrote('lo');
    Object.assign(counts, { read: 5, written: 2, tokensPerSecond: 10 });
  }

  async count(messages: readonly Message[]): Promise<number> {
    return messages.length;
  }

  close(): void {
    this.alive = false;
  }
}

vi.mock('./engine', () => ({
  Engine: class {
    static load = (file: Blob, rung: Rung): Promise<unknown> => FakeEngine.load(file, rung);
  },
  nothingYet: (): Counts => ({ read: null, written: null, tokensPerSecond: null, finish: 'stop' }),
}));

beforeEach(() => {
  behaviours.clear();
  loads.length = engines.length = 0;
});

const open = (machine: Machine = MACHINE, wanted: Wanted = {}): Promise<LocalModel> =>
  LocalModel.open({ file: new Blob(), name: 'Tiny', context: 4096 }, machine, wanted);

async function say(model: LocalModel, signal = never): Promise<string> {
  let text = '';
  const { finish } = await model.answer(QUESTION, WISHES, (piece) => (text += piece), signal);
  return `${text} ${finish}`;
}

describe('the backend', () => {
  it('is the GPU where the model lies on it and writes language', async () => {
    const model = await open();
    expect(model.running).toEqual({
      model: 'Tiny',
      backend: 'webgpu',
      threads: 4,
      adapter: 'acme one',
      context: 2048,
      why: [],
    });
    expect(loads).toEqual([GPU]);
  });

  it.each<[string, Behaviour, string, boolean]>([
    ['writes nonsense', { check: '@@@@@@@@' }, 'garbage', true],
    ['writes nothing', { check: '' }, 'garbage', true],
    ['can not load it', { problem: 'engine-failed' }, 'gpu-failed', true],
    ['has too little memory', { problem: 'no-memory' }, 'gpu-failed', true],
    ['is not used by the engine', { onGpu: false }, 'gpu-failed', false],
  ])('is the processor where the GPU %s', async (_, behaviour, why, loadedAnew) => {
    behaveOn(GPU, behaviour);
    const model = await open();
    expect(model.running).toMatchObject({ backend: 'threads', threads: 4, adapter: null, why: [why] });
    expect(loads).toEqual(loadedAnew ? [GPU, THREADS] : [GPU]);
    expect(engines.filter(({ alive }) => alive)).toHaveLength(1);
    expect(await say(model)).toBe('Hello stop');
  });

  it('is one thread where more fail', async () => {
    behaveOn(THREADS, { problem: 'no-memory' });
    const model = await open({ ...MACHINE, f16: false });
    expect(model.running).toMatchObject({ backend: 'one-thread', threads: 1, why: ['no-f16'] });
    expect(loads).toEqual([THREADS, ONE]);
  });

  it('is none where nothing can run it, for the last reason', async () => {
    for (const rung of [GPU, THREADS, ONE]) behaveOn(rung, { problem: 'unsupported' });
    await expect(open()).rejects.toMatchObject({ problem: 'unsupported' });
    expect(loads).toEqual([GPU, THREADS, ONE]);
  });

  it('is not looked for with a file that none can run', async () => {
    behaveOn(GPU, { problem: 'cut' });
    await expect(open()).rejects.toMatchObject({ problem: 'cut' });
    expect(loads).toEqual([GPU]);
  });
});

describe('a crash', () => {
  it('on the GPU ends in the next answer on the processor', async () => {
    behaveOn(GPU, { crashes: true });
    const model = await open();
    await expect(say(model)).rejects.toMatchObject({ problem: 'engine-failed' });
    expect(await say(model)).toBe('Hello stop');
    expect(model.running).toMatchObject({ backend: 'threads', why: ['gpu-failed'] });
  });

  it('on the processor ends in the same engine anew', async () => {
    const model = await open(MACHINE, { avoidGpu: true });
    engines[0]!.close();
    expect(await model.count(QUESTION)).toBeNull();
    expect(await say(model)).toBe('Hello stop');
    expect(loads).toEqual([THREADS, THREADS]);
    expect(await model.count(QUESTION)).toBe(1);
  });
});

describe('an answer', () => {
  it('that is stopped ends before the engine does, and the next one comes after that', async () => {
    const model = await open();
    const engine = engines[0]!;
    engine.slow = true;
    const stopping = new AbortController();
    const stopped = say(model, stopping.signal);
    await vi.waitFor(() => expect(engine.writing).toBe(true));
    const waiting = say(model, stopping.signal);
    const next = say(model);
    stopping.abort();
    expect((await stopped).endsWith('stopped')).toBe(true);
    expect(await waiting).toBe(' stopped');
    engine.slow = false;
    engine.finish();
    expect(await next).toBe('Hello stop');
  });

  it('ends with the model', async () => {
    const model = await open();
    engines[0]!.slow = true;
    const running = say(model);
    await model.close();
    expect((await running).endsWith('stopped')).toBe(true);
    await expect(say(model)).rejects.toMatchObject({ problem: 'engine-failed' });
    expect(engines[0]!.alive).toBe(false);
  });
});
