/** Beside the conversation: where it runs, options, and what is stored. */

import type { Facts } from '../inference/ladder';
import { byId, element, made, madeButton, setText } from '../page/dom';
import type { Speech } from '../page/page';
import { Units } from '../page/units';
import type { Running, Stored } from '../language/types';
import type { Texts } from '../texts/texts';
import type { LoaderState } from './loader';
import { badgeText, reasons } from './where';

export class SideView {
  private readonly texts: Texts;
  private readonly units: Units;

  /** `remove` deletes a stored file. */
  constructor(
    { texts, language }: Speech,
    private readonly remove: (file: string) => void,
  ) {
    this.texts = texts;
    this.units = new Units(language);
  }

  showStored({ keeps, stored, usage, phase }: LoaderState): void {
    const { chat } = this.texts;
    const busy = phase.kind === 'downloading';
    const rows = stored.map((one) => this.storedRow(one, busy));
    const nothing = made('li', keeps ? chat.storedNothing : chat.storedNever);
    byId('stored').replaceChildren(...(rows.length > 0 ? rows : [nothing]));
    const { usage: used, quota } = usage ?? {};
    const known = used !== undefined && quota !== undefined;
    setText('usage', known ? chat.usage(this.units.megabytes(used), this.units.gigabytes(quota)) : '');
  }

  showRunning(running: Running, facts: Facts, mostThreads: number): void {
    const { chat } = this.texts;
    setText('model-name', running.model);
    setText('badge', badgeText(running, chat, this.units));
    const sentences = reasons(running.why, facts, this.texts);
    const items = sentences.map(({ why, step }) => {
      const item = made('li', why);
      if (step) item.append(made('span', step, 'step muted'));
      return item;
    });
    const nothing = running.backend === 'built-in' ? chat.itsOwn : chat.fastest;
    byId('why').replaceChildren(...(items.length > 0 ? items : [made('li', nothing)]));
    byId('temperature-field').hidden = running.backend === 'built-in'; // it has its own
    this.showThreads(running, mostThreads);
  }

  private storedRow({ file, bytes, whole }: Stored, busy: boolean): HTMLElement {
    const { chat } = this.texts;
    const row = made('li', '', 'stored');
    const name = made('span', whole ? file : chat.storedPart(file));
    const remove = madeButton(chat.delete, () => this.remove(file));
    remove.setAttribute('aria-label', chat.deleteOne(file));
    remove.disabled = busy;
    row.append(name, made('span', chat.megabytes(this.units.megabytes(bytes)), 'muted'), remove);
    return row;
  }

  private showThreads({ backend, threads }: Running, most: number): void {
    const adjustable = (backend === 'threads' || backend === 'one-thread') && most > 1;
    byId('threads-field').hidden = !adjustable;
    if (!adjustable) return;
    const choice = element('threads', HTMLSelectElement);
    const numbers = Array.from({ length: most }, (_, index) => String(index + 1));
    if (choice.options.length !== most) choice.replaceChildren(...numbers.map((number) => new Option(number)));
    choice.value = String(threads);
  }
}
