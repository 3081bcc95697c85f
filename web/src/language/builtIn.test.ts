import { afterEach, describe, expect, it, vi } from 'vitest';

import { builtInState, openBuiltIn } from './builtIn';
import type { Message } from './types';

const MESSAGES: readonly Message[] = [
  { role: 'system', content: 'Be short.' },
  { role: 'user', content: 'Hi' },
  { role: 'assistant', content: 'Hello.' },
  { role: 'user', content: 'Who are you?' },
];
const WISHES = { maxTokens: 100, temperature: 0 };

class FakeSession {
  readonly asked: string[] = [];
  destroyed = false;

  constructor(
    readonly pieces: readonly string[],
    numbers: object,
    private readonly failure: DOMException | null,
  ) {
    Object.assign(this, numbers);
  }

  promptStreaming(input: string, { signal }: { signal: AbortSignal }): ReadableStream<string> {
    this.asked.push(input);
    if (this.failure) throw this.failure;
    const left = [...this.pieces];
    return new ReadableStream({
      pull: (controller) => {
        const piece = left.shift();
        if (piece === 'never') return rejectedBy(signal);
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      },
    });
  }

  destroy(): void {
    this.destroyed = true;
  }
}

const rejectedBy = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason));
  });

const NEW = { contextWindow: 9216, measureContextUsage: async (input: readonly Message[]) => input.length * 10 };
const OLD = { inputQuota: 6144, measureInputUsage: async (input: readonly Message[]) => input.length * 7 };

interface Browser {
  sessions: FakeSession[];
  created: { initialPrompts?: readonly Message[] }[];
}

function browserWith(
  state: string,
  pieces: readonly string[] = ['I ', 'am.'],
  numbers: object = NEW,
  failure: DOMException | null = null,
): Browser {
  const browser: Browser = { sessions: [], created: [] };
  vi.stubGlobal('LanguageModel', {
    availability: async () => state,
    create: async (options: object) => {
      browser.created.push(options);
      browser.sessions.push(new FakeSession(pieces, numbers, failure));
      return browser.sessions.at(-1);
    },
  });
  return browser;
}

afterEach(() => vi.unstubAllGlobals());

describe('what is there', () => {
  it.each([
    ['available', 'available'],
    ['downloadable', 'downloadable'],
    ['downloading', 'downloadable'],
    ['unavailable', 'absent'],
    ['something new', 'absent'],
  ])('%s', async (said, state) => {
    const browser = browserWith(said);
    expect(await builtInState()).toBe(state);
    expect(browser.created).toEqual([]);
  });

  it('is nothing in other browsers, or where a page may not ask', async () => {
    expect(await builtInState()).toBe('absent');
    vi.stubGlobal('LanguageModel', { availability: () => Promise.reject(new Error('policy')) });
    expect(await builtInState()).toBe('absent');
  });

  it.each(['downloadable', 'downloading', 'unavailable'])('is never created when %s', async (state) => {
    const browser = browserWith(state);
    await expect(openBuiltIn()).rejects.toMatchObject({ problem: 'unsupported' });
    expect(browser.created).toEqual([]);
  });
});

describe('an answer', () => {
  it('is written by a session of its own that knows what went before', async () => {
    const browser = browserWith('available');
    const model = await openBuiltIn();
    let text = '';
    const answer = await model.answer(MESSAGES, WISHES, (piece) => (text += piece), new AbortController().signal);
    expect([text, answer.finish, answer.written]).toEqual(['I am.', 'stop', null]);
    expect(answer.firstTokenSeconds).toBeGreaterThanOrEqual(0);
    expect(browser.created[1]!.initialPrompts).toEqual(MESSAGES.slice(0, -1));
    expect(browser.sessions[1]).toMatchObject({ asked: ['Who are you?'], destroyed: true });
    expect(browser.sessions[0]!.destroyed).toBe(false);
    await model.close();
    expect(browser.sessions[0]!.destroyed).toBe(true);
  });

  it('ends at the limit', async () => {
    browserWith('available', ['a', 'b', 'c']);
    const model = await openBuiltIn();
    const pieces: string[] = [];
    const { signal } = new AbortController();
    const write = async (maxTokens: number): Promise<string> =>
      (await model.answer(MESSAGES, { ...WISHES, maxTokens }, (piece) => pieces.push(piece), signal)).finish;
    expect(await write(2)).toBe('length');
    expect(pieces).toEqual(['a', 'b']);
    expect(await write(3)).toBe('stop');
  });

  it('stops at once, and its session ends', async () => {
    const browser = browserWith('available', ['a', 'never']);
    const model = await openBuiltIn();
    const stopping = new AbortController();
    const answer = await model.answer(MESSAGES, WISHES, () => stopping.abort(), stopping.signal);
    expect(answer.finish).toBe('stopped');
    await vi.waitFor(() => expect(browser.sessions[1]!.destroyed).toBe(true));
  });

  it('comes after the one before', async () => {
    const browser = browserWith('available');
    const model = await openBuiltIn();
    const { signal } = new AbortController();
    const pieces: string[] = [];
    await Promise.all([
      model.answer(MESSAGES, WISHES, (piece) => pieces.push(`1 ${piece}`), signal),
      model.answer(MESSAGES, WISHES, (piece) => pieces.push(`2 ${piece}`), signal),
    ]);
    expect(pieces).toEqual(['1 I ', '1 am.', '2 I ', '2 am.']);
    expect(browser.sessions.slice(1).every(({ destroyed }) => destroyed)).toBe(true);
  });

  it.each([
    ['QuotaExceededError', 'too-long'],
    ['UnknownError', 'engine-failed'],
  ])('fails with %s as %s', async (name, problem) => {
    const browser = browserWith('available', [], NEW, new DOMException('no', name));
    const model = await openBuiltIn();
    const { signal } = new AbortController();
    await expect(model.answer(MESSAGES, WISHES, () => undefined, signal)).rejects.toMatchObject({ problem });
    expect(browser.sessions[1]!.destroyed).toBe(true);
  });
});

describe('the numbers', () => {
  it.each([
    ['today', NEW, 9216, 40],
    ['of older versions', OLD, 6144, 28],
    ['untold', {}, Infinity, null],
  ])('%s', async (_, numbers, context, count) => {
    browserWith('available', [], numbers);
    const model = await openBuiltIn();
    expect(model.running).toMatchObject({ backend: 'built-in', threads: 0, context });
    expect(await model.count(MESSAGES)).toBe(count);
  });
});
