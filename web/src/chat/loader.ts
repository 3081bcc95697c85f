/** Gets a model ready: from the server with consent, from the user's disk, or Chrome's own. Keeps what is stored. */

import card from '../../models/starter.json';

import { builtInState, openBuiltIn, openModel, openStore } from '../language/open';
import { LanguageError, type LanguageModel, type ModelStore, type Progress, type Stored } from '../language/types';
import { offlineReady } from '../offline/register';

export interface Problem {
  readonly problem: LanguageError['problem'];
  readonly detail: string;
}

export type Phase =
  | { readonly kind: 'looking' | 'waiting' | 'cancelled' | 'opening' | 'ready' }
  | { readonly kind: 'downloading'; readonly progress: Progress | null };

export interface LoaderState {
  readonly phase: Phase;
  readonly problem: Problem | null;
  /** Whether this browser keeps models. */
  readonly keeps: boolean;
  readonly stored: readonly Stored[];
  readonly usage: StorageEstimate | null;
  /** False where the server says that it has no model. */
  readonly offered: boolean;
  readonly builtIn: 'available' | 'downloadable' | 'absent';
}

const START: LoaderState = {
  phase: { kind: 'looking' },
  problem: null,
  keeps: true,
  stored: [],
  usage: null,
  offered: true,
  builtIn: 'absent',
};

type Opening = (threads: number | undefined, signal: AbortSignal) => Promise<LanguageModel>;

export class Loader {
  state: LoaderState = START;
  model: LanguageModel | null = null;

  private readonly store: Promise<ModelStore> = openStore();
  private abort: AbortController | null = null;
  /** How the model that runs is opened once more. */
  private opening: Opening | null = null;

  /** `folder` is where the server offers its models. */
  constructor(
    private readonly folder: string,
    private readonly changed: () => void,
  ) {}

  get busy(): boolean {
    return this.state.phase.kind === 'downloading' || this.state.phase.kind === 'opening';
  }

  /** What there is, without downloading anything. */
  async look(): Promise<void> {
    await this.lookAtStored();
    const [builtIn, offered] = await Promise.all([builtInState(), this.isOffered()]);
    this.set({ builtIn, offered, phase: { kind: 'waiting' } });
  }

  /** The server's model; without any request where it is stored. */
  download(threads: number | undefined): Promise<void> {
    return this.load(threads, async (signal) => {
      this.set({ phase: { kind: 'downloading', progress: null } });
      const store = await this.store;
      const told = (progress: Progress): void => this.set({ phase: { kind: 'downloading', progress } });
      const file = await store.get(card, this.url, told, signal);
      await this.lookAtStored();
      return (chosen, cancelled) => openModel(file, card.name, { ...given(chosen), signal: cancelled });
    });
  }

  openOwn(file: File, threads: number | undefined): Promise<void> {
    const opening: Opening = (chosen, signal) => openModel(file, file.name, { ...given(chosen), signal });
    return this.load(threads, () => Promise.resolve(opening));
  }

  openBuiltIn(): Promise<void> {
    return this.load(undefined, () => Promise.resolve(() => openBuiltIn()));
  }

  /** The same model with another number of threads. */
  reopen(threads: number): Promise<void> {
    const { opening } = this;
    return opening ? this.load(threads, () => Promise.resolve(opening)) : Promise.resolve();
  }

  cancel(): void {
    this.abort?.abort();
  }

  /** Back to the choice of a model. */
  async leave(): Promise<void> {
    await this.close();
    this.set({ phase: { kind: 'waiting' }, problem: null });
  }

  async remove(file: string): Promise<void> {
    await (await this.store).remove(file);
    await this.lookAtStored();
  }

  private get url(): string {
    return this.folder + card.file;
  }

  private set(change: Partial<LoaderState>): void {
    this.state = { ...this.state, ...change };
    this.changed();
  }

  /** One at a time; what goes wrong is in the state afterwards. */
  private async load(
    threads: number | undefined,
    prepared: (signal: AbortSignal) => Promise<Opening>,
  ): Promise<void> {
    if (this.busy) return;
    this.abort = new AbortController();
    const { signal } = this.abort;
    this.set({ phase: { kind: 'opening' }, problem: null });
    try {
      await offlineReady(); // what the engine needs is kept then, and nothing more is asked for later
      const opening = await prepared(signal);
      this.set({ phase: { kind: 'opening' } });
      await this.close(); // two models may be more than the memory holds
      this.model = await opening(threads, signal);
      this.opening = opening;
      this.set({ phase: { kind: 'ready' } });
    } catch (error) {
      const cancelled = error instanceof DOMException && error.name === 'AbortError';
      this.set({ phase: { kind: cancelled ? 'cancelled' : 'waiting' }, problem: cancelled ? null : problemOf(error) });
    }
    await this.lookAtStored();
  }

  private async close(): Promise<void> {
    const { model } = this;
    this.model = null;
    await model?.close();
  }

  private async lookAtStored(): Promise<void> {
    const store = await this.store;
    const storage = navigator.storage as StorageManager | undefined;
    const usage = (await storage?.estimate().catch(() => null)) ?? null;
    this.set({ keeps: store.keeps, stored: await store.list(), usage });
  }

  /** Whoever does not answer, or fails, may do so later. */
  private async isOffered(): Promise<boolean> {
    if (wholeOf(this.state.stored)) return true;
    const answer = await fetch(this.url, { method: 'HEAD' }).catch(() => null);
    return answer?.status !== 404;
  }
}

/** The server's model, where all of it is stored. */
export function wholeOf(stored: readonly Stored[]): Stored | null {
  return stored.find(({ file, whole }) => whole && file === card.file) ?? null;
}

export function partOf(stored: readonly Stored[]): Stored | null {
  return stored.find(({ file, bytes, whole }) => !whole && bytes > 0 && file === card.file) ?? null;
}

export function problemOf(error: unknown): Problem {
  if (error instanceof LanguageError) return { problem: error.problem, detail: error.detail };
  return { problem: 'engine-failed', detail: error instanceof Error ? error.message : String(error) };
}

function given(threads: number | undefined): { threads?: number } {
  return threads === undefined ? {} : { threads };
}
