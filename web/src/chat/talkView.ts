/** The conversation on the page, and what stands around it. */

import type { Running } from '../language/types';
import { byId, element, setText } from '../page/dom';
import type { Speech } from '../page/page';
import { Units } from '../page/units';
import type { Texts } from '../texts/texts';
import { MESSAGES_OF_A_TURN } from './conversation';
import type { Talk, TalkState, Writing } from './talk';
import { type Actions, WritingElement, turnElement } from './turnView';

const NEAR_THE_END_PIXELS = 80;

export class TalkView {
  private readonly texts: Texts['chat'];
  private readonly units: Units;
  private readonly log = byId('log');
  private readonly shown = new Map<number, HTMLElement>();
  private writing: WritingElement | null = null;

  constructor(
    { texts, language }: Speech,
    private readonly talk: Talk,
    private readonly actions: Actions,
    private readonly problemText: (problem: NonNullable<TalkState['problem']>) => string,
  ) {
    this.texts = texts.chat;
    this.units = new Units(language);
    this.log.replaceChildren();
    byId('writing').replaceChildren();
  }

  show(running: Running): void {
    const { state } = this.talk;
    const atEnd = isAtEnd();
    this.showTurns(state);
    this.showWriting(state.writing);
    this.showAround(state);
    this.showContext(state, running);
    if (atEnd) toEnd();
  }

  private showTurns({ turns, leftOut }: TalkState): void {
    const present = new Set(turns.map(({ id }) => id));
    for (const [id, old] of this.shown) {
      if (present.has(id)) continue;
      old.remove();
      this.shown.delete(id);
    }
    for (const turn of turns) {
      if (this.shown.has(turn.id)) continue;
      const made = turnElement(turn, this.texts, this.units, this.actions);
      this.shown.set(turn.id, made);
      this.log.append(made);
    }
    turns.forEach(({ id }, index) => this.shown.get(id)?.classList.toggle('left-out', index < leftOut));
    const count = leftOut * MESSAGES_OF_A_TURN;
    setText('left-out', count > 0 ? this.texts.leftOut(count) : '');
  }

  private showWriting(writing: Writing | null): void {
    if (!writing) {
      this.writing?.element.remove();
      this.writing = null;
      return;
    }
    if (!this.writing) {
      this.writing = new WritingElement(writing.question, this.texts);
      byId('writing').append(this.writing.element);
    }
    this.writing.show(writing);
  }

  private showAround({ turns, writing, problem }: TalkState): void {
    byId('empty').hidden = turns.length > 0 || writing !== null;
    byId('talk').classList.toggle('busy', writing !== null);
    byId('send').hidden = writing !== null;
    byId('stop').hidden = writing === null;
    for (const id of ['fresh', 'save', 'change'])
      element(id, HTMLButtonElement).disabled = writing !== null || (id !== 'change' && turns.length === 0);
    element('threads', HTMLSelectElement).disabled = writing !== null;
    setText('live', writing ? this.liveText(writing) : '');
    byId('talk-problem').hidden = problem === null;
    setText('talk-problem', problem ? this.problemText(problem) : '');
  }

  private liveText({ pieces, perSecond }: Writing): string {
    if (pieces === 0 || perSecond === null) return this.texts.reading;
    return this.texts.writing(this.units.count(pieces), this.units.withTenths(perSecond));
  }

  private showContext({ used }: TalkState, { context }: Running): void {
    const known = used !== null && Number.isFinite(context);
    byId('meter').hidden = !known;
    setText('used', known ? this.texts.contextUsed(this.units.count(used), this.units.count(context)) : '');
    if (!known) return;
    const meter = element('meter', HTMLMeterElement);
    meter.max = context;
    meter.value = used;
    meter.high = context - this.talk.roomForAnswer(context);
    setText('full', used > meter.high ? this.texts.full : '');
  }
}

function isAtEnd(): boolean {
  const { scrollHeight, scrollTop, clientHeight } = byId('scroll');
  return scrollHeight - scrollTop - clientHeight < NEAR_THE_END_PIXELS;
}

export function toEnd(): void {
  const scroll = byId('scroll');
  scroll.scrollTop = scroll.scrollHeight;
}
