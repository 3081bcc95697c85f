/** Where questions are written. */

import { byId, element, onClick } from '../page/dom';
import type { Talk } from './talk';

export class Composer {
  private readonly text = element('question', HTMLTextAreaElement);
  private editing = false;

  /** `sent` is called when a question goes to the model. */
  constructor(
    private readonly talk: Talk,
    private readonly sent: () => void,
  ) {
    element('composer', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      void this.send();
    });
    this.text.addEventListener('keydown', (event) => {
      // While a syllable is being composed, Enter ends it and sends nothing.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === COMPOSING) return;
      event.preventDefault();
      void this.send();
    });
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && !event.isComposing) this.stop();
    });
    onClick('stop', () => this.stop());
    onClick('give-up', () => {
      this.text.value = '';
      this.setEditing(false);
      this.focus();
    });
  }

  focus(): void {
    this.text.focus();
  }

  /** The last question comes back, to be asked otherwise. */
  edit(): void {
    this.text.value = this.talk.state.turns.at(-1)?.question ?? '';
    this.setEditing(true);
    this.focus();
  }

  private setEditing(editing: boolean): void {
    this.editing = editing;
    byId('editing').hidden = !editing;
  }

  private stop(): void {
    if (!this.talk.state.writing) return;
    this.talk.stop();
    this.focus();
  }

  private async send(): Promise<void> {
    const question = this.text.value.trim();
    if (!question || this.talk.state.writing) return;
    const instead = this.editing;
    this.text.value = '';
    this.setEditing(false);
    this.focus();
    const asking = this.talk.ask(question, instead);
    this.sent();
    if (await asking) return;
    this.text.value ||= question;
    this.setEditing(instead);
  }
}

/** Safari tells of the Enter that ends a composition after it has ended. */
const COMPOSING = 229;
