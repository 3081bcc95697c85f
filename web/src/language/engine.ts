/** wllama with one model: loaded, or failed with a reason. Asks for its own files only, and only this origin. */

import {
  CacheManager,
  type ChatCompletionChunk,
  type LoadedContextInfo,
  Wllama,
  WllamaError,
} from '@wllama/wllama/esm/index.js';
import type { StorageBackend } from '@wllama/wllama/esm/storage/index.js';
import wasmUrl from '@wllama/wllama/esm/wasm/wllama.wasm?url';
import compatWorkerUrl from '@wllama/wllama-compat/wasm/wllama.js?url';
import compatWasmUrl from '@wllama/wllama-compat/wasm/wllama.wasm?url';

import { NativeLog, problemOf } from './nativeLog';
import type { Rung } from './rungs';
import { LanguageError, type Message, type Wishes } from './types';

/** Tokens that the processor reads in one go: a stopped engine first ends what it is at. More would not be faster. */
const READ_AT_ONCE = 16;

/** Models are kept by our own store; and wllama's would refuse to exist on plain http pages. */
const NO_STORAGE = { isSupported: () => true } as StorageBackend;

/** Of one answer, as far as it has come. */
export interface Counts {
  read: number | null;
  written: number | null;
  tokensPerSecond: number | null;
  finish: 'stop' | 'length';
}

export const nothingYet = (): Counts => ({ read: null, written: null, tokensPerSecond: null, finish: 'stop' });

export class Engine {
  readonly log = new NativeLog();
  /** False after a crash or `close`. */
  alive = true;
  info!: LoadedContextInfo;

  private readonly wllama: Wllama;
  private tokensPerWord: number | null = null;
  private end!: (why: unknown) => void;
  /** Rejects when the worker is gone: what wllama promised before never settles then. */
  private readonly ended = new Promise<never>((_, reject) => {
    this.end = reject;
  });

  private constructor() {
    this.ended.catch(() => undefined);
    const note = (...words: unknown[]): void => this.note(words);
    const logger = { debug: note, log: note, warn: note, error: note };
    const cacheManager = new CacheManager([NO_STORAGE]);
    this.wllama = new Wllama({ default: wasmUrl }, { cacheManager, logger, suppressNativeLog: false });
    this.wllama.setCompat({ worker: compatWorkerUrl, wasm: compatWasmUrl });
  }

  /** Rejects with LanguageError, or with the AbortError of `signal`; nothing is left behind then. */
  static async load(file: Blob, rung: Rung, context: number, signal?: AbortSignal): Promise<Engine> {
    const engine = new Engine();
    const stop = (): void => engine.close(signal?.reason);
    signal?.addEventListener('abort', stop);
    try {
      await engine.load(file, rung, context);
      return engine;
    } catch (error) {
      engine.close();
      signal?.throwIfAborted();
      throw engine.explained(error);
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  private async load(file: Blob, { gpu, threads }: Rung, context: number): Promise<void> {
    const loading = this.wllama.loadModel([file], {
      n_ctx: context,
      n_parallel: 1,
      n_threads: threads,
      reasoning: false, // such small models think long, and little of it helps
      reasoning_format: 'none', // those that do it all the same are not silent meanwhile
      ...(gpu ? {} : { n_gpu_layers: 0, n_batch: READ_AT_ONCE, n_ubatch: READ_AT_ONCE }),
    });
    await Promise.race([loading, this.ended]);
    this.info = this.wllama.getLoadedContextInfo();
    // What can't be loaded seems to be.
    if (!(this.info.n_vocab > 0)) throw new LanguageError(this.log.loadProblem(), this.log.lastErrors());
  }

  get threads(): number {
    return this.wllama.getNumThreads();
  }

  /** Writes an answer, and its numbers into `counts`. Rejects with LanguageError; an abort only ends it early. */
  async answer(
    messages: readonly Message[],
    { maxTokens, temperature }: Wishes,
    wrote: (text: string) => void,
    counts: Counts,
    signal: AbortSignal,
  ): Promise<void> {
    const answering = this.wllama.createChatCompletion({
      messages: messages.map(({ role, content }) => ({ role, content })),
      max_tokens: maxTokens,
      temperature,
      stream: true,
      timings_per_token: true,
      abortSignal: signal,
      onData: (chunk) => {
        keep(counts, chunk);
        const text = chunk.choices[0]?.delta.content;
        if (text && !signal.aborted) wrote(text);
      },
    });
    try {
      await Promise.race([answering, this.ended]);
    } catch (error) {
      if (error instanceof Error && error.name === 'AbortError') return;
      throw this.explained(error);
    }
  }

  /**
   * Tokens of the messages as the model would read them; null where it doesn't tell.
   *
   * wllama has no call for that. A request that is longer than the context is refused with its length, before anything
   * is computed, so these are asked for with more words behind than the context has room for.
   */
  async count(messages: readonly Message[]): Promise<number | null> {
    if (messages.length === 0) return 0;
    const words = this.info.n_ctx;
    this.tokensPerWord ??= await this.measureWords(words);
    const refused = await this.refusedLength(messages, words);
    return refused && this.tokensPerWord && refused - Math.round(words * this.tokensPerWord);
  }

  private async measureWords(words: number): Promise<number | null> {
    const once = await this.refusedLength([{ role: 'user', content: '' }], words);
    const twice = await this.refusedLength([{ role: 'user', content: '' }], 2 * words);
    return once && twice && (twice - once) / words;
  }

  private async refusedLength(messages: readonly Message[], words: number): Promise<number | null> {
    const longer = messages.map(({ role, content }, index) => ({
      role,
      content: index === messages.length - 1 ? content + ' a'.repeat(words) : content,
    }));
    try {
      await Promise.race([this.wllama.createChatCompletion({ messages: longer, max_tokens: 1 }), this.ended]);
      return null;
    } catch (error) {
      const told = /request \((\d+) tokens\)/.exec(error instanceof Error ? error.message : '');
      return told ? Number(told[1]) : null;
    }
  }

  close(why: unknown = new LanguageError('engine-failed', 'closed')): void {
    this.alive = false;
    this.end(why);
    void this.wllama.exit();
  }

  private note(words: readonly unknown[]): void {
    for (const word of words) {
      if (typeof word === 'string') for (const line of word.split('\n')) this.log.add(line);
      // The worker could not be started, or has ended: wllama only logs it.
      else if (word instanceof Event) this.fail(word instanceof ErrorEvent ? word.message : 'no worker');
    }
    if (this.log.deviceLost) this.fail('the GPU device was lost');
  }

  private fail(words: string): void {
    this.alive = false;
    this.end(new Error(words));
  }

  private explained(error: unknown): LanguageError {
    if (error instanceof LanguageError) return error;
    const words = error instanceof Error ? error.message : String(error);
    // Whatever else it was, the engine doesn't answer any more.
    if (!(error instanceof WllamaError)) this.alive = false;
    return new LanguageError(problemOf(words), [words, this.log.lastErrors()].filter(Boolean).join('\n'));
  }
}

function keep(counts: Counts, { timings, choices }: ChatCompletionChunk): void {
  if (timings) {
    counts.read = timings.cache_n + timings.prompt_n;
    counts.written = timings.predicted_n;
    counts.tokensPerSecond = timings.predicted_per_second;
  }
  if (choices[0]?.finish_reason === 'length') counts.finish = 'length';
}
