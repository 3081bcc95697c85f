/** Questions and answers as elements. */

import { made, madeButton } from '../page/dom';
import { Units } from '../page/units';
import type { Answer } from '../language/types';
import type { Texts } from '../texts/texts';
import type { Turn } from './conversation';
import { Growing, render } from './markdown';
import type { Writing } from './talk';

export interface Actions {
  copy(text: string): void;
  again(): void;
  edit(): void;
}

type Words = Texts['chat'];

export function questionElement(question: string, texts: Words): HTMLElement {
  const article = made('article', '', 'question');
  article.append(made('h3', texts.you, 'unseen'), made('p', question, 'text'));
  return article;
}

/** A turn that has ended. */
export function turnElement(turn: Turn, texts: Words, units: Units, actions: Actions): HTMLElement {
  const element = made('div', '', 'turn');
  const answer = made('article', '', 'answer');
  const prose = made('div', '', 'prose');
  prose.innerHTML = render(turn.answer, texts); // made harmless there
  answer.append(made('h3', texts.model, 'unseen'), prose);
  if (turn.end !== 'done') answer.append(made('p', texts.marks[turn.end], 'mark'));
  const foot = made('p', '', 'foot muted');
  foot.append(made('span', receiptText(turn.receipt, texts, units), 'receipt'));
  foot.append(madeButton(texts.copy, () => actions.copy(turn.answer)));
  foot.append(madeButton(texts.again, () => actions.again(), 'last-only'));
  foot.append(madeButton(texts.edit, () => actions.edit(), 'last-only'));
  answer.append(foot);
  element.append(questionElement(turn.question, texts), answer);
  return element;
}

function receiptText(receipt: Answer | null, { receipt: texts }: Words, units: Units): string {
  if (!receipt) return '';
  const { written, tokensPerSecond, firstTokenSeconds } = receipt;
  const parts: string[] = [];
  if (written !== null) parts.push(texts.tokens(units.count(written)));
  if (tokensPerSecond !== null) parts.push(texts.speed(units.withTenths(tokensPerSecond)));
  if (firstTokenSeconds !== null) parts.push(texts.first(units.withTenths(firstTokenSeconds)));
  return parts.join(' · ');
}

/** The answer that is being written. It is outside of what screen readers follow until it has ended. */
export class WritingElement {
  readonly element = made('div', '', 'turn');

  private readonly growing: Growing;
  private readonly settled = made('div', '', 'prose');
  private readonly open = made('div', '', 'prose open');

  constructor(question: string, texts: Words) {
    this.growing = new Growing(texts);
    const answer = made('article', '', 'answer');
    answer.append(this.settled, this.open);
    this.element.append(questionElement(question, texts), answer);
  }

  show({ text }: Writing): void {
    const { settled, open } = this.growing.grow(text);
    if (settled) this.settled.insertAdjacentHTML('beforeend', settled);
    this.open.innerHTML = open;
  }
}
