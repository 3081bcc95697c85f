/** A GGUF as the pages use it: on the fastest backend that works, one answer at a time, opened anew after a crash. */

import { serial } from '../inference/serial';
import { Engine, nothingYet } from './engine';
import { planFor, type Machine, type Plan, type Rung, type Wanted } from './rungs';
import { CHECK_MESSAGES, CHECK_TOKENS, isLanguage } from './selfCheck';
import {
  type Answer,
  LanguageError,
  type LanguageModel,
  type LanguageProblem,
  type Message,
  type Running,
  type Why,
  type Wishes,
} from './types';

const CHECK_LIMIT_MS = 60_000; // the first run compiles the shaders
/** What another backend doesn't change. */
const FINAL: readonly LanguageProblem[] = ['cut', 'not-gguf', 'too-large'];

export interface Gguf {
  readonly file: Blob;
  readonly name: string;
  /** Tokens to make room for. */
  readonly context: number;
}

export class LocalModel implements LanguageModel {
  private readonly inTurn = serial();
  private readonly rungs: Rung[];
  private readonly why: Why[];
  private engine: Engine | null = null;
  private told: Running | null = null;
  private readonly closing = new AbortController();

  private constructor(
    private readonly gguf: Gguf,
    private readonly machine: Machine,
    plan: Plan,
  ) {
    this.rungs = [...plan.rungs];
    this.why = [...plan.why];
  }

  /** Rejects with LanguageError, or with the AbortError of `signal`. */
  static async open(gguf: Gguf, machine: Machine, wanted: Wanted, signal?: AbortSignal): Promise<LocalModel> {
    const model = new LocalModel(gguf, machine, planFor(machine, wanted));
    await model.ready(signal);
    return model;
  }

  get running(): Running {
    if (!this.told) throw new Error('not loaded');
    return this.told;
  }

  async answer(
    messages: readonly Message[],
    wishes: Wishes,
    wrote: (text: string) => void,
    signal: AbortSignal,
  ): Promise<Answer> {
    if (this.closing.signal.aborted) throw new LanguageError('engine-failed', 'closed');
    const stopping = AbortSignal.any([signal, this.closing.signal]);
    const counts = nothingYet();
    let firstTokenSeconds: number | null = null;
    const answered = (): Answer => ({ ...counts, firstTokenSeconds, ...(stopping.aborted && { finish: 'stopped' }) });
    const done = this.inTurn(async () => {
      if (stopping.aborted) return answered();
      const engine = await this.ready(this.closing.signal);
      const started = performance.now();
      const heard = (text: string): void => {
        firstTokenSeconds ??= (performance.now() - started) / 1000;
        wrote(text);
      };
      await engine.answer(messages, wishes, heard, counts, stopping);
      return answered();
    });
    done.catch(() => undefined); // nobody waits for a stopped one
    // The engine ends its current step first: up to seconds while it reads a long question.
    return Promise.race([done, aborted(stopping).then(answered)]);
  }

  async count(messages: readonly Message[]): Promise<number | null> {
    return this.inTurn(async () => (this.engine?.alive ? this.engine.count(messages) : null));
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.engine?.close();
  }

  /** The engine, loaded anew if it crashed; without the GPU if it was on that. */
  private async ready(signal?: AbortSignal): Promise<Engine> {
    if (this.engine?.alive) return this.engine;
    this.engine?.close(); // a crashed one still has its memory
    if (this.engine?.log.onGpu) this.giveUpRung('gpu-failed');
    this.engine = await this.climb(signal);
    return this.engine;
  }

  private async climb(signal?: AbortSignal): Promise<Engine> {
    for (;;) {
      const rung = this.rungs[0]!;
      try {
        const engine = await Engine.load(this.gguf.file, rung, this.gguf.context, signal);
        const failure = rung.gpu ? await gpuFailure(engine, signal) : null;
        if (failure) this.giveUpRung(failure);
        if (!failure || !engine.log.onGpu) {
          this.told = this.describe(engine);
          return engine;
        }
        engine.close();
        signal?.throwIfAborted();
      } catch (error) {
        if (!(error instanceof LanguageError) || this.rungs.length === 1 || FINAL.includes(error.problem)) throw error;
        this.giveUpRung(rung.gpu ? 'gpu-failed' : null);
      }
    }
  }

  private giveUpRung(why: Why | null): void {
    this.rungs.shift();
    if (why) this.why.unshift(why);
  }

  /** As far as the browser tells it. */
  private adapterName(): string | null {
    const { description = '', vendor = '', architecture = '' } = this.machine.adapter ?? {};
    return description || `${vendor} ${architecture}`.trim() || null;
  }

  private describe(engine: Engine): Running {
    const threads = engine.threads;
    return {
      model: this.gguf.name,
      backend: engine.log.onGpu ? 'webgpu' : threads > 1 ? 'threads' : 'one-thread',
      threads,
      adapter: engine.log.onGpu ? this.adapterName() : null,
      context: engine.info.n_ctx,
      why: [...this.why],
    };
  }
}

/** Null where the model is on the GPU and writes language there. */
async function gpuFailure(engine: Engine, signal?: AbortSignal): Promise<'gpu-failed' | 'garbage' | null> {
  if (!engine.log.onGpu) return 'gpu-failed'; // it took the processor, without a word
  let text = '';
  const limit = AbortSignal.timeout(CHECK_LIMIT_MS);
  const stopping = signal ? AbortSignal.any([signal, limit]) : limit;
  const wishes = { maxTokens: CHECK_TOKENS, temperature: 0 };
  const checking = engine.answer(CHECK_MESSAGES, wishes, (piece) => (text += piece), nothingYet(), stopping);
  try {
    await Promise.race([checking, aborted(stopping)]);
  } catch {
    return 'gpu-failed';
  }
  if (stopping.aborted) return 'gpu-failed';
  return isLanguage(text) ? null : 'garbage';
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
