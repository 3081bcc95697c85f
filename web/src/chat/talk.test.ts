import { describe, expect, it } from 'vitest';

import { type Answer, LanguageError, type LanguageModel, type Message, type Wishes } from '../language/types';
import { Talk } from './talk';

const ANSWER: Answer = { finish: 'stop', read: 10, written: 2, firstTokenSeconds: 1, tokensPerSecond: 5 };

type Answering = (messages: readonly Message[], wrote: (text: string) => void) => Answer | Promise<Answer>;

/** Answers as told; counts ten tokens for each message. */
class Scripted implements LanguageModel {
  readonly running = {
    model: 'm',
    backend: 'one-thread',
    threads: 1,
    adapter: null,
    context: 100,
    why: [],
  } as const;
  wishes: Wishes[] = [];

  constructor(
    private readonly answering: Answering,
    private readonly counts = true,
  ) {}

  async answer(messages: readonly Message[], wishes: Wishes, wrote: (text: string) => void): Promise<Answer> {
    this.wishes.push(wishes);
    return this.answering(messages, wrote);
  }

  async count(messages: readonly Message[]): Promise<number | null> {
    return this.counts ? messages.length * 10 : null;
  }

  async close(): Promise<void> {}
}

const talkWith = (model: LanguageModel): Talk => new Talk(
  () => model,
  () => undefined,
);

/** Says back what it was asked last. */
const echo: Answering = (messages, wrote) => {
  wrote('to ');
  wrote(messages.at(-1)?.content ?? '');
  return ANSWER;
};

const answers = (talk: Talk): string[] => talk.state.turns.map(({ answer }) => answer);

describe('a conversation', () => {
  it('keeps what was asked and answered, and the tokens that it has', async () => {
    const talk = talkWith(new Scripted(echo));
    expect(await talk.ask('one')).toBe(true);
    await talk.ask('two');
    expect(answers(talk)).toEqual(['to one', 'to two']);
    expect(talk.state.used).toBe(12);
    expect(talk.state.writing).toBeNull();
  });

  it('answers the last question anew, or another one instead', async () => {
    const talk = talkWith(new Scripted(echo));
    await talk.ask('one');
    await talk.ask('two');
    await talk.answerAgain();
    expect(answers(talk)).toEqual(['to one', 'to two']);
    await talk.ask('three', true);
    expect(answers(talk)).toEqual(['to one', 'to three']);
    expect(new Set(talk.state.turns.map(({ id }) => id)).size).toBe(2);
  });

  it('does not ask twice at once', async () => {
    const talk = talkWith(new Scripted(echo));
    const first = talk.ask('one');
    expect(await talk.ask('two')).toBe(false);
    await first;
    expect(answers(talk)).toEqual(['to one']);
  });
});

it.each<[Partial<Answer>, string]>([
  [{}, 'done'],
  [{ finish: 'stopped' }, 'stopped'],
  [{ finish: 'length', written: 512 }, 'length'],
  [{ finish: 'length', written: 40 }, 'full'],
  [{ finish: 'length', written: null }, 'length'],
])('marks how an answer ended: %o', async (change, end) => {
  const talk = talkWith(new Scripted(() => ({ ...ANSWER, ...change })));
  await talk.ask('one');
  expect(talk.state.turns[0]?.end).toBe(end);
});

describe('an answer that fails', () => {
  const fails = (text: string): Answering => (_messages, wrote) => {
    if (text) wrote(text);
    throw new LanguageError('engine-failed', 'detail');
  };

  it('stays as far as it came', async () => {
    const talk = talkWith(new Scripted(fails('half')));
    expect(await talk.ask('one')).toBe(true);
    expect(talk.state.turns[0]).toMatchObject({ answer: 'half', end: 'broken', receipt: null });
    expect(talk.state.problem).toEqual({ problem: 'engine-failed', detail: 'detail' });
  });

  it('gives the question back, and what it should have replaced', async () => {
    let failing = false;
    const model = new Scripted((messages, wrote) => (failing ? fails('') : echo)(messages, wrote));
    const talk = talkWith(model);
    await talk.ask('one');
    failing = true;
    expect(await talk.ask('two', true)).toBe(false);
    expect(answers(talk)).toEqual(['to one']);
  });
});

describe('a context that gets full', () => {
  it('goes without the oldest turns, and has no more written than there is room for', async () => {
    const model = new Scripted(echo);
    const talk = talkWith(model);
    for (const question of ['1', '2', '3', '4', '5']) await talk.ask(question);
    expect(talk.state.leftOut).toBe(1);
    expect(model.wishes.map(({ maxTokens }) => maxTokens)).toEqual([90, 70, 50, 30, 30]);
  });

  it('is found out by trying where nobody counts', async () => {
    const model = new Scripted((messages, wrote) => {
      if (messages.length > 3) throw new LanguageError('too-long');
      return echo(messages, wrote);
    }, false);
    const talk = talkWith(model);
    for (const question of ['1', '2', '3']) await talk.ask(question);
    expect(answers(talk)).toEqual(['to 1', 'to 2', 'to 3']);
    expect(talk.state.leftOut).toBe(1);
  });
});
