/** Puts the engine where tests reach it, with no page around; none of this is in the product. */

import card from '../../../web/models/starter.json';
import * as language from '../../../web/src/language/open';
import { LanguageError, type LanguageModel, type Message, type Progress } from '../../../web/src/language/types';

const MODEL_URL = `models/${card.file}`;

interface AnswerOptions {
  messages: readonly Message[];
  maxTokens?: number;
  /** Stopped this long after so many pieces of text. */
  stopAfterPieces?: number;
  stopAfterMs?: number;
}

class Engine {
  readonly progress: Progress[] = [];
  file: Blob | null = null;
  model: LanguageModel | null = null;
  private readonly store = language.openStore();
  private cancelling = new AbortController();

  /** `done`, or what went wrong. */
  async get(changed: Partial<typeof card> = {}, url = MODEL_URL): Promise<string> {
    this.cancelling = new AbortController();
    const store = await this.store;
    return outcome(async () => {
      const told = (progress: Progress): void => void this.progress.push(progress);
      this.file = await store.get({ ...card, ...changed }, url, told, this.cancelling.signal);
    });
  }

  cancel(): void {
    this.cancelling.abort();
  }

  async stored(): Promise<unknown> {
    const store = await this.store;
    return { keeps: store.keeps, files: await store.list() };
  }

  async remove(): Promise<void> {
    await (await this.store).remove(card.file);
  }

  /** Until more than these have come. */
  async hasLoaded(bytes: number): Promise<void> {
    while ((this.progress.at(-1)?.loaded ?? 0) <= bytes) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  async sha256(): Promise<string> {
    const hash = await crypto.subtle.digest('SHA-256', await this.file!.arrayBuffer());
    return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  open(options: language.OpenOptions = { threads: 1 }, file = this.file): Promise<string> {
    return outcome(async () => {
      await this.model?.close();
      this.model = await language.openModel(file!, card.name, options);
    });
  }

  /** A file as a user would pick it: bytes of the starter, with others in front of them. */
  openMade(front: string | readonly number[], from: number, to: number): Promise<string> {
    const bytes = typeof front === 'string' ? front : Uint8Array.from(front);
    return this.open({ threads: 1 }, new File([bytes, this.file?.slice(from, to) ?? ''], 'mine.gguf'));
  }

  async answer({ messages, maxTokens = 32, stopAfterPieces, stopAfterMs = 20 }: AnswerOptions): Promise<unknown> {
    const stopping = new AbortController();
    let stoppedAt = 0;
    const stop = (): void => {
      stoppedAt = performance.now();
      stopping.abort();
    };
    const pieces: string[] = [];
    if (stopAfterPieces === 0) setTimeout(stop, stopAfterMs);
    const heard = (text: string): void => {
      pieces.push(text);
      if (pieces.length === stopAfterPieces) setTimeout(stop, stopAfterMs);
    };
    let answer = null;
    const problem = await outcome(async () => {
      answer = await this.model!.answer(messages, { maxTokens, temperature: 0 }, heard, stopping.signal);
    });
    const stopMs = stoppedAt && performance.now() - stoppedAt;
    await new Promise((resolve) => setTimeout(resolve, 50));
    return { problem, answer, text: pieces.join(''), stopMs };
  }

  count(messages: readonly Message[]): Promise<number | null> {
    return this.model!.count(messages);
  }
}

async function outcome(work: () => Promise<void>): Promise<string> {
  try {
    await work();
    return 'done';
  } catch (error) {
    if (error instanceof LanguageError) return error.problem;
    return error instanceof Error || error instanceof DOMException ? error.name : String(error);
  }
}

/** A model reads and writes, on a machine that does other things too. */
const LIMIT_MS = 300_000;

function inTime<Result>(work: Promise<Result>): Promise<Result> {
  const late = new Promise<never>((_, reject) => setTimeout(reject, LIMIT_MS, new Error('it takes too long')));
  return Promise.race([work, late]);
}

Object.assign(globalThis, { engine: new Engine(), inTime, language });
