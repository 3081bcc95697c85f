import { describe, expect, it } from 'vitest';

import { type LanguageError, type Message } from '../language/types';
import { type Turn, asMarkdown, fitting, messagesOf } from './conversation';

const turn = (id: number, answer = `answer ${id}`): Turn => ({
  id,
  question: `question ${id}`,
  answer,
  end: 'done',
  receipt: null,
});
const contents = (messages: readonly Message[]): string[] => messages.map(({ content }) => content);

/** Ten tokens for each message. */
const room = (context: number, answer: number) => ({
  context,
  answer,
  count: (messages: readonly Message[]) => Promise.resolve(messages.length * 10),
});

describe('what the model reads', () => {
  it('is the instruction, the turns, and the question', () => {
    expect(messagesOf([turn(1)], 'Be brief.', 'now')).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'question 1' },
      { role: 'assistant', content: 'answer 1' },
      { role: 'user', content: 'now' },
    ]);
  });

  it('has no empty instruction, and no question without an answer', () => {
    expect(contents(messagesOf([turn(1, '')], ' \n', 'now'))).toEqual(['now']);
  });
});

describe('a full context', () => {
  const turns = [turn(1), turn(2), turn(3)];

  it('keeps all while there is room', async () => {
    expect(await fitting(turns, '', 'now', 0, room(100, 30))).toMatchObject({ leftOut: 0, used: 70 });
  });

  it('loses the oldest turns first, and as few as possible', async () => {
    const { messages, leftOut, used } = await fitting(turns, 'Be brief.', 'now', 0, room(100, 40));
    expect(leftOut).toBe(1);
    expect(used).toBe(60);
    expect(contents(messages)).toEqual(['Be brief.', 'question 2', 'answer 2', 'question 3', 'answer 3', 'now']);
  });

  it('does not bring back what was left out', async () => {
    expect(await fitting(turns, '', 'now', 2, room(1000, 30))).toMatchObject({ leftOut: 2, used: 30 });
  });

  it('lets a long question have a short answer rather than none', async () => {
    expect(await fitting(turns, '', 'now', 0, room(30, 25))).toMatchObject({ leftOut: 3, used: 10 });
  });

  it('refuses a question that leaves no room', async () => {
    await expect(fitting(turns, '', 'now', 0, room(20, 40))).rejects.toMatchObject({
      problem: 'too-long',
    } satisfies Partial<LanguageError>);
  });

  it('sends everything where nobody counts', async () => {
    const uncounted = { ...room(1, 1), count: () => Promise.resolve(null) };
    expect(await fitting(turns, '', 'now', 0, uncounted)).toMatchObject({ leftOut: 0, used: null });
  });
});

it('is saved as Markdown, with what became of each answer', () => {
  const marks = { stopped: 'Stopped.', length: '', full: '', broken: '' };
  const words = { title: 'Private chat', you: 'You', model: 'Model', marks };
  expect(asMarkdown([turn(1), { ...turn(2), end: 'stopped' }], words)).toBe(
    '# Private chat\n\n## You\n\nquestion 1\n\n## Model\n\nanswer 1\n\n' +
      '## You\n\nquestion 2\n\n## Model\n\nanswer 2\n\n*Stopped.*\n',
  );
});
