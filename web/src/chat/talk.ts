/** A conversation with a model. It lives in this tab's memory and nowhere else. */

import { type Answer, LanguageError, type LanguageModel } from '../language/types';
import { type End, type Fitting, type Turn, fitting } from './conversation';
import { type Problem, problemOf } from './loader';

export interface Options {
  readonly temperature: number;
  readonly maxTokens: number;
  readonly system: string;
}

export interface Writing {
  readonly question: string;
  readonly text: string;
  /** Pieces that came, nearly one for each token. */
  readonly pieces: number;
  readonly perSecond: number | null;
}

export interface TalkState {
  readonly turns: readonly Turn[];
  /** The answer that is being written. */
  readonly writing: Writing | null;
  /** The oldest turns that the model doesn't see any more. */
  readonly leftOut: number;
  /** Tokens of the context; null where nobody tells. */
  readonly used: number | null;
  /** Why the last question was not answered. */
  readonly problem: Problem | null;
}

const NEW: TalkState = { turns: [], writing: null, leftOut: 0, used: 0, problem: null };
const DEFAULTS: Options = { temperature: 0.3, maxTokens: 512, system: '' };
const MOST_OF_CONTEXT_FOR_ANSWER = 0.25; // is kept free before older turns are left out

export class Talk {
  state: TalkState = NEW;
  options: Options = DEFAULTS;

  private nextId = 1;
  private abort: AbortController | null = null;

  constructor(
    private readonly model: () => LanguageModel | null,
    private readonly changed: () => void,
  ) {}

  /** Room that an answer would have after the oldest turns are left out. */
  roomForAnswer(context: number): number {
    return Math.min(this.options.maxTokens, Math.floor(context * MOST_OF_CONTEXT_FOR_ANSWER));
  }

  /** False where it could not be asked, so that the question isn't lost. `instead` replaces the last turn. */
  async ask(question: string, instead = false): Promise<boolean> {
    const model = this.model();
    if (!model || this.state.writing) return false;
    const before = instead ? this.state.turns.slice(0, -1) : this.state.turns;
    const removed = this.state.turns.slice(before.length);
    this.abort = new AbortController();
    const writing = { question, text: '', pieces: 0, perSecond: null };
    this.set({ turns: before, writing, problem: null, leftOut: Math.min(this.state.leftOut, before.length) });
    try {
      await this.answer(model, question, this.abort.signal);
      return true;
    } catch (error) {
      return this.breakOff(question, removed, problemOf(error));
    }
  }

  async answerAgain(): Promise<void> {
    const last = this.state.turns.at(-1);
    if (last) await this.ask(last.question, true);
  }

  stop(): void {
    this.abort?.abort();
  }

  /** Forgets everything; not while an answer is written. */
  fresh(): void {
    if (!this.state.writing) this.set(NEW);
  }

  private set(change: Partial<TalkState>): void {
    this.state = { ...this.state, ...change };
    this.changed();
  }

  private async answer(model: LanguageModel, question: string, signal: AbortSignal): Promise<void> {
    const { context } = model.running;
    const room = { context, answer: this.roomForAnswer(context), count: model.count.bind(model) };
    let fit = await fitting(this.state.turns, this.options.system, question, this.state.leftOut, room);
    for (;;) {
      this.set({ leftOut: fit.leftOut, used: fit.used ?? this.state.used });
      const answer = await this.attempt(model, fit, signal);
      if (answer) return this.finish(question, answer, fit);
      fit = await fitting(this.state.turns, this.options.system, question, fit.leftOut + 1, room);
    }
  }

  /** Null where the engine finds it too long after all, and there are older turns to leave out. */
  private async attempt(model: LanguageModel, fit: Fitting, signal: AbortSignal): Promise<Answer | null> {
    const free = model.running.context - (fit.used ?? 0);
    const wishes = { temperature: this.options.temperature, maxTokens: Math.min(this.options.maxTokens, free) };
    try {
      return await model.answer(fit.messages, wishes, this.listener(), signal);
    } catch (error) {
      const tooLong = error instanceof LanguageError && error.problem === 'too-long';
      if (tooLong && fit.leftOut < this.state.turns.length) return null;
      throw error;
    }
  }

  private listener(): (text: string) => void {
    let first = 0;
    return (piece) => {
      const { writing } = this.state;
      if (!writing) return;
      const now = performance.now();
      first ||= now;
      const perSecond = now > first ? (writing.pieces * 1000) / (now - first) : null;
      this.set({ writing: { ...writing, text: writing.text + piece, pieces: writing.pieces + 1, perSecond } });
    };
  }

  private finish(question: string, receipt: Answer, fit: Fitting): void {
    const text = this.state.writing?.text ?? '';
    const { read, written } = receipt;
    const used = read === null || written === null ? fit.used : read + written;
    this.keep({ question, answer: text, end: this.endOf(receipt), receipt }, used);
  }

  private endOf({ finish, written }: Answer): End {
    if (finish === 'stop') return 'done';
    if (finish === 'stopped') return 'stopped';
    return written !== null && written < this.options.maxTokens ? 'full' : 'length';
  }

  /** What is already written stays; else the question goes back to who asked it, and what it replaced comes back. */
  private breakOff(question: string, removed: readonly Turn[], problem: Problem): boolean {
    const text = this.state.writing?.text ?? '';
    if (text) this.keep({ question, answer: text, end: 'broken', receipt: null }, this.state.used);
    else this.set({ turns: [...this.state.turns, ...removed], writing: null });
    this.set({ problem });
    return text !== '';
  }

  private keep(turn: Omit<Turn, 'id'>, used: number | null): void {
    const kept: Turn = { id: this.nextId++, ...turn };
    this.set({ turns: [...this.state.turns, kept], writing: null, used });
  }
}
