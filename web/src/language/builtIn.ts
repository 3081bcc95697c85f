/** The language model that the browser itself brings, by its Prompt API; never downloaded for us. */

import { serial } from '../inference/serial';
import {
  type Answer,
  LanguageError,
  type LanguageModel as Model,
  type Message,
  type Running,
  type Wishes,
} from './types';

/** As far as it is used; the second names are those of older versions. */
interface Session {
  readonly contextWindow?: number;
  readonly inputQuota?: number;
  measureContextUsage?(input: readonly Message[]): Promise<number>;
  measureInputUsage?(input: readonly Message[]): Promise<number>;
  promptStreaming(input: string, options: { signal: AbortSignal }): ReadableStream<string>;
  destroy(): void;
}

interface PromptApi {
  availability(): Promise<string>;
  create(options: { initialPrompts?: readonly Message[]; signal?: AbortSignal }): Promise<Session>;
}

export type BuiltInState = 'available' | 'downloadable' | 'absent';

const api = (): PromptApi | undefined => (globalThis as { LanguageModel?: PromptApi }).LanguageModel;

/** Starts no download. */
export async function builtInState(): Promise<BuiltInState> {
  try {
    const state = (await api()?.availability()) ?? 'unavailable';
    if (state === 'available') return 'available';
    return state === 'downloadable' || state === 'downloading' ? 'downloadable' : 'absent';
  } catch {
    return 'absent'; // not allowed on this page
  }
}

/** Rejects with LanguageError; `unsupported` unless it is there already, for creating it would start its download. */
export async function openBuiltIn(): Promise<Model> {
  const found = api();
  if (!found || (await builtInState()) !== 'available') throw new LanguageError('unsupported', 'not available');
  try {
    return new BuiltIn(found, await found.create({}));
  } catch (error) {
    throw explained(error);
  }
}

const UNTOLD = { read: null, written: null, tokensPerSecond: null };

class BuiltIn implements Model {
  readonly running: Running;

  private readonly inTurn = serial();
  private readonly closing = new AbortController();

  /** The empty session keeps the model in memory, and counts. */
  constructor(
    private readonly api: PromptApi,
    private readonly empty: Session,
  ) {
    this.running = {
      model: '',
      backend: 'built-in',
      threads: 0,
      adapter: null,
      context: empty.contextWindow ?? empty.inputQuota ?? Infinity,
      why: [],
    };
  }

  async answer(
    messages: readonly Message[],
    { maxTokens }: Wishes,
    wrote: (text: string) => void,
    signal: AbortSignal,
  ): Promise<Answer> {
    const stopping = AbortSignal.any([signal, this.closing.signal]);
    let firstTokenSeconds: number | null = null;
    const answered = (finish: Answer['finish']): Answer => ({ ...UNTOLD, finish, firstTokenSeconds });
    const done = this.inTurn(async () => {
      if (stopping.aborted) return answered('stopped');
      const started = performance.now();
      const full = await this.write(messages, maxTokens, stopping, (text) => {
        if (stopping.aborted) return;
        firstTokenSeconds ??= (performance.now() - started) / 1000;
        wrote(text);
      });
      return answered(full ? 'length' : 'stop');
    });
    done.catch(() => undefined); // nobody waits for a stopped one
    const stopped = new Promise<Answer>((resolve) => {
      if (stopping.aborted) resolve(answered('stopped'));
      stopping.addEventListener('abort', () => resolve(answered('stopped')), { once: true });
    });
    return Promise.race([done, stopped]);
  }

  async count(messages: readonly Message[]): Promise<number | null> {
    try {
      const { empty } = this;
      return (await (empty.measureContextUsage?.(messages) ?? empty.measureInputUsage?.(messages))) ?? null;
    } catch {
      return null;
    }
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.empty.destroy();
  }

  /** True where it reached the limit. The browser has no option for that: a piece counts as a token. */
  private async write(
    messages: readonly Message[],
    limit: number,
    signal: AbortSignal,
    wrote: (text: string) => void,
  ): Promise<boolean> {
    let session: Session | null = null;
    try {
      session = await this.api.create({ initialPrompts: messages.slice(0, -1), signal });
      const reader = session.promptStreaming(messages.at(-1)?.content ?? '', { signal }).getReader();
      for (let pieces = 0; ; pieces++) {
        const { done, value } = await reader.read();
        if (done) return false;
        if (pieces === limit) {
          await reader.cancel();
          return true;
        }
        wrote(value);
      }
    } catch (error) {
      throw explained(error);
    } finally {
      session?.destroy();
    }
  }
}

function explained(error: unknown): LanguageError {
  const tooLong = error instanceof Error && error.name === 'QuotaExceededError';
  return new LanguageError(tooLong ? 'too-long' : 'engine-failed', String(error));
}
