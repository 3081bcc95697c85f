/**
 * Lets the chat's page answer with a model of its own; the card `Tab.jsx` of the chat loads it and shows its phases.
 *
 * One job per answer. It outlives the card for a moment, for the page may draw its cards anew at any time.
 */

import card from '../../models/starter.json';
import { openModel, openStore } from '../language/open';
import { type Answer, LanguageError, type LanguageModel, type Progress } from '../language/types';
import { Post, type Say } from './post';

export type Phase =
  | { readonly kind: 'looking' | 'opening' | 'answering' | 'ended' }
  | { readonly kind: 'asking'; readonly name: string; readonly bytes: number; readonly licence: string }
  | { readonly kind: 'loading'; readonly progress: Progress | null };

/** What the card's props say. */
export interface Order {
  readonly do: 'load' | 'write';
  readonly messages?: readonly { readonly role: 'system' | 'user' | 'assistant'; readonly content: string }[];
  readonly max_tokens?: number | null;
  readonly temperature?: number | null;
}

const HERE = import.meta.url; // named, or Vite would look for the model among its own files
const MODEL_URL = new URL(`models/${card.file}`, HERE).href;
const LIFE_SECONDS = 4;
const ANSWER_TOKENS = 1024;
/** A card that is drawn anew is back within that; else its answer was stopped. */
const GONE_SECONDS = 0.5;

const jobs = new Map<string, Job>();
/** One for all answers of this page: it stays in memory. */
let loaded: LanguageModel | null = null;

export function jobOf(id: string, say: Say): Job {
  const job = jobs.get(id) ?? new Job(() => jobs.delete(id));
  jobs.set(id, job);
  job.post.say = say;
  return job;
}

class Job {
  readonly post: Post;
  private phase: Phase = { kind: 'looking' };
  private shown: (phase: Phase) => void = () => {};
  private readonly done = new Set<Order['do']>();
  private readonly ending = new AbortController();
  private decide: (agreed: boolean) => void = () => {};
  private leaving = 0;
  private readonly life: number;

  constructor(private readonly forget: () => void) {
    this.post = new Post(() => this.end());
    this.life = window.setInterval(() => void this.post.send({ about: 'waiting' }), LIFE_SECONDS * 1000);
  }

  /** The card is there. */
  watch(shown: (phase: Phase) => void): void {
    window.clearTimeout(this.leaving);
    this.shown = shown;
    shown(this.phase);
  }

  /** The card is gone. */
  leave(): void {
    this.shown = () => {};
    this.leaving = window.setTimeout(() => this.end(), GONE_SECONDS * 1000);
  }

  /** The user's answer to the card's question, or their wish to break off. */
  agree(): void {
    this.decide(true);
  }

  decline(): void {
    void this.post.send({ about: 'failed', cause: 'declined', detail: '' });
    this.end();
  }

  /** What the server wants; each thing is done once, however often it is said. */
  async carryOut(order: Order): Promise<void> {
    if (this.done.has(order.do) || this.ending.signal.aborted) return;
    this.done.add(order.do);
    try {
      await (order.do === 'load' ? this.load() : this.write(order));
    } catch (error) {
      if (this.ending.signal.aborted) return;
      const [cause, detail] = error instanceof LanguageError ? [error.problem, error.detail] : ['broken', String(error)];
      await this.post.send({ about: 'failed', cause, detail });
      this.end();
    }
  }

  private async load(): Promise<void> {
    const model = (loaded ??= await this.opened());
    await this.post.send({ about: 'ready', model: model.running.model, context_tokens: model.running.context });
    this.show({ kind: 'answering' });
  }

  private async opened(): Promise<LanguageModel> {
    const store = await openStore();
    const stored = (await store.list()).some(({ file, whole }) => file === card.file && whole);
    if (!stored && !(await this.agreed())) throw new LanguageError('missing');
    this.show({ kind: 'loading', progress: null });
    const told = (progress: Progress): void => this.show({ kind: 'loading', progress });
    const file = await store.get(card, MODEL_URL, told, this.ending.signal);
    this.show({ kind: 'opening' });
    return openModel(file, card.name, { signal: this.ending.signal });
  }

  private agreed(): Promise<boolean> {
    this.show({ kind: 'asking', name: card.name, bytes: card.bytes, licence: card.licence });
    return new Promise((resolve) => (this.decide = resolve));
  }

  private async write({ messages = [], max_tokens, temperature }: Order): Promise<void> {
    if (!loaded) throw new LanguageError('engine-failed', 'not loaded');
    const wishes = { maxTokens: max_tokens ?? ANSWER_TOKENS, temperature: temperature ?? 0.7 };
    const answer = await loaded.answer(messages, wishes, (text) => this.post.wrote(text), this.ending.signal);
    if (answer.finish === 'stopped') return; // whoever stopped it knows
    await this.post.flush();
    await this.post.send({ about: 'ended', finish: answer.finish, ...counts(answer) });
    this.end();
  }

  private show(phase: Phase): void {
    this.phase = phase;
    this.shown(phase);
  }

  private end(): void {
    window.clearInterval(this.life);
    window.clearTimeout(this.leaving);
    this.ending.abort();
    this.decide(false);
    this.show({ kind: 'ended' });
    this.forget();
  }
}

function counts({ read, written }: Answer): { read: number | null; written: number | null } {
  return { read, written };
}
