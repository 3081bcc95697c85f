/** What was asked and answered, and how much of it the model still sees. */

import { type Answer, LanguageError, type Message } from '../language/types';

/** `full`: the context had no room for more. */
export type End = 'done' | 'stopped' | 'length' | 'full' | 'broken';

export interface Turn {
  readonly id: number;
  readonly question: string;
  readonly answer: string;
  readonly end: End;
  /** Null where it broke off. */
  readonly receipt: Answer | null;
}

const LEAST_ROOM = 16; // tokens; an answer with less is none

/** Each turn is a question and its answer. */
export const MESSAGES_OF_A_TURN = 2;

/** As the model reads them. Turns without an answer are left out, for many models know only pairs. */
export function messagesOf(turns: readonly Turn[], system: string, question: string): readonly Message[] {
  const before = turns
    .filter(({ answer }) => answer !== '')
    .flatMap(({ question: asked, answer }): Message[] => [
      { role: 'user', content: asked },
      { role: 'assistant', content: answer },
    ]);
  const instruction: Message[] = system.trim() ? [{ role: 'system', content: system }] : [];
  return [...instruction, ...before, { role: 'user', content: question }];
}

export interface Fitting {
  readonly messages: readonly Message[];
  /** The oldest turns that the model doesn't see. */
  readonly leftOut: number;
  /** Tokens; null where the engine doesn't tell. */
  readonly used: number | null;
}

export interface Room {
  readonly context: number;
  /** Tokens to be kept free for the answer. */
  readonly answer: number;
  count(messages: readonly Message[]): Promise<number | null>;
}

/** Leaves out as few of the oldest turns as it can, `leftOut` at least. Rejects with `too-long` where nothing helps. */
export async function fitting(
  turns: readonly Turn[],
  system: string,
  question: string,
  leftOut: number,
  room: Room,
): Promise<Fitting> {
  for (let out = leftOut; ; out += 1) {
    const messages = messagesOf(turns.slice(out), system, question);
    const used = await room.count(messages);
    const last = out >= turns.length;
    const needed = last ? Math.min(LEAST_ROOM, room.answer) : room.answer;
    if (used === null || used + needed <= room.context) return { messages, leftOut: out, used };
    if (last) throw new LanguageError('too-long');
  }
}

interface Words {
  readonly title: string;
  readonly you: string;
  readonly model: string;
  readonly marks: Readonly<Record<Exclude<End, 'done'>, string>>;
}

/** The whole conversation as Markdown. */
export function asMarkdown(turns: readonly Turn[], words: Words): string {
  const parts = turns.map(({ question, answer, end }) => {
    const mark = end === 'done' ? '' : `\n\n*${words.marks[end]}*`;
    return `## ${words.you}\n\n${question}\n\n## ${words.model}\n\n${answer}${mark}\n`;
  });
  return [`# ${words.title}\n`, ...parts].join('\n');
}
