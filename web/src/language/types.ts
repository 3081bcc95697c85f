/** What a language model in this tab is to the rest of the pages, whoever runs it. */

/** A model that the page's own server offers, below `models/`. */
export interface ModelCard {
  readonly file: string;
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly licence: string;
}

export interface Progress {
  /** Bytes that are here, those of an earlier visit among them. */
  readonly loaded: number;
  readonly total: number;
  readonly bytesPerSecond: number;
  /** Null until it can be told. */
  readonly secondsLeft: number | null;
}

export interface Stored {
  readonly file: string;
  readonly bytes: number;
  /** A part is gone on with when the model is asked for again. */
  readonly whole: boolean;
}

/** Model files that this browser keeps between visits, in the origin's private file system. */
export interface ModelStore {
  /** False where browsers keep nothing: on plain http addresses of other machines, in some private windows. */
  readonly keeps: boolean;
  list(): Promise<readonly Stored[]>;
  /**
   * The whole, checked file: from here without a request, else downloaded from `url`, going on where it broke off.
   * Rejects with LanguageError, or with the AbortError of `signal`.
   */
  get(card: ModelCard, url: string, told: (progress: Progress) => void, signal: AbortSignal): Promise<Blob>;
  remove(file: string): Promise<void>;
}

export type Backend = 'webgpu' | 'threads' | 'one-thread' | 'built-in';

/** Why not a faster one. */
export type Why =
  | 'insecure' // WebGPU and threads: plain http on another machine's address
  | 'no-webgpu' // no API, or no adapter
  | 'software-adapter' // slower than WASM
  | 'no-f16' // the adapter lacks shader-f16, which the engine needs
  | 'garbage' // the self-check: the GPU wrote nonsense
  | 'gpu-failed' // loading or running on it failed
  | 'not-isolated' // no COOP/COEP, so no threads
  | 'one-core';

export interface Running {
  readonly model: string;
  readonly backend: Backend;
  /** 0 for the built-in one. */
  readonly threads: number;
  /** The GPU's own name, where one is used. */
  readonly adapter: string | null;
  /** Tokens that question, answer and what went before may have together. */
  readonly context: number;
  readonly why: readonly Why[];
}

export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface Wishes {
  readonly maxTokens: number;
  readonly temperature: number;
}

export interface Answer {
  readonly finish: 'stop' | 'length' | 'stopped';
  /** Tokens read for it, and written; null where the engine doesn't tell. */
  readonly read: number | null;
  readonly written: number | null;
  readonly firstTokenSeconds: number | null;
  readonly tokensPerSecond: number | null;
}

/** One model, loaded. One answer at a time; a second call waits for the first. */
export interface LanguageModel {
  readonly running: Running;
  /** Rejects with LanguageError. An abort ends it as `stopped` within 50 ms; the model is usable at once. */
  answer(
    messages: readonly Message[],
    wishes: Wishes,
    wrote: (text: string) => void,
    signal: AbortSignal,
  ): Promise<Answer>;
  /** Tokens of the conversation as the model would read it; null where the engine doesn't tell. */
  count(messages: readonly Message[]): Promise<number | null>;
  /** Gives its memory back. */
  close(): Promise<void>;
}

export type LanguageProblem =
  | 'unreachable' // nobody answers
  | 'missing' // not served here
  | 'refused' // any other status
  | 'cut' // shorter than it should be
  | 'foreign' // not the file that the card names, by its hash
  | 'not-gguf'
  | 'unsupported' // a GGUF that the engine can't run
  | 'too-large' // above what one file may have in a browser
  | 'no-room' // quota
  | 'no-memory'
  | 'too-long' // the conversation exceeds the context
  | 'engine-failed';

export class LanguageError extends Error {
  /** `detail`: the engine's own words, for those who report it; may be empty. */
  constructor(
    readonly problem: LanguageProblem,
    readonly detail = '',
  ) {
    super(detail ? `${problem}: ${detail}` : problem);
  }
}
