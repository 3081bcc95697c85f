/** The card in which a model is chosen and loaded. */

import card from '../../models/starter.json';

import type { Progress } from '../language/types';
import { byId, element, made, setText } from '../page/dom';
import type { Speech } from '../page/page';
import { Units } from '../page/units';
import type { Texts } from '../texts/texts';
import { type LoaderState, partOf, wholeOf } from './loader';

const SECONDS_OF_A_MINUTE = 60;
const SHOWN_IN_MINUTES_ABOVE = 90;

export class StartView {
  private readonly texts: Texts['chat'];
  private readonly details: Texts['shared']['problemDetail'];
  private readonly units: Units;

  constructor({ texts, language }: Speech) {
    this.texts = texts.chat;
    this.details = texts.shared.problemDetail;
    this.units = new Units(language);
  }

  show(state: LoaderState): void {
    const { kind } = state.phase;
    const busy = kind === 'downloading' || kind === 'opening';
    byId('start-card').hidden = kind === 'ready';
    byId('offer').replaceChildren(...this.offer(state).map((text) => made('p', text)));
    const begin = element('begin', HTMLButtonElement);
    begin.hidden = busy || kind === 'looking' || !state.offered;
    setText(begin, this.beginText(state));
    byId('built-in').hidden = busy || state.builtIn !== 'available';
    byId('built-in-note').hidden = state.builtIn !== 'downloadable';
    for (const id of ['own', 'own-label', 'own-help']) byId(id).hidden = busy;
    byId('cancel').hidden = !busy;
    this.showProgress(state);
    byId('problem').hidden = state.problem === null;
    setText('problem', state.problem ? this.problemText(state.problem) : '');
  }

  problemText({ problem, detail }: NonNullable<LoaderState['problem']>): string {
    return this.texts.problems[problem] + (detail ? ` ${this.details(detail)}` : '');
  }

  private offer(state: LoaderState): readonly string[] {
    const { texts, units } = this;
    if (!state.offered) return [texts.notOffered];
    const model = texts.offered(card.name, card.licence, units.megabytes(card.bytes));
    if (wholeOf(state.stored)) return [model, texts.alreadyHere];
    const part = partOf(state.stored);
    return [
      model,
      texts.fromHere(units.megabytes(__LANGUAGE_ENGINE_BYTES__)),
      state.keeps ? texts.keptHere : texts.notKept,
      ...(part ? [texts.partHere(units.megabytes(part.bytes))] : []),
    ];
  }

  private beginText({ stored }: LoaderState): string {
    if (wholeOf(stored)) return this.texts.start;
    return partOf(stored) ? this.texts.goOn : this.texts.download(this.units.megabytes(card.bytes));
  }

  private showProgress({ phase, stored }: LoaderState): void {
    const progress = element('progress', HTMLProgressElement);
    progress.hidden = phase.kind !== 'downloading' && phase.kind !== 'opening';
    progress.setAttribute('aria-label', this.phaseText(phase, stored));
    setText('phase', this.phaseText(phase, stored));
    const told = phase.kind === 'downloading' ? phase.progress : null;
    if (told) progress.value = told.loaded / told.total;
    else progress.removeAttribute('value');
    setText('amount', told ? this.amount(told) : '');
  }

  private phaseText(phase: LoaderState['phase'], stored: LoaderState['stored']): string {
    switch (phase.kind) {
      case 'downloading':
        return this.texts.downloading;
      case 'opening':
        return this.texts.opening;
      case 'cancelled':
        return partOf(stored) ? this.texts.cancelled : this.texts.cancelledStarting;
      default:
        return '';
    }
  }

  private amount({ loaded, total, bytesPerSecond, secondsLeft }: Progress): string {
    const { texts, units } = this;
    const parts = [texts.progress(units.megabytes(loaded), units.megabytes(total))];
    if (bytesPerSecond > 0) parts.push(texts.speed(units.megabytes(bytesPerSecond)));
    if (secondsLeft !== null) parts.push(texts.left(this.time(secondsLeft)));
    return parts.join(' · ');
  }

  private time(seconds: number): string {
    return seconds < SHOWN_IN_MINUTES_ABOVE
      ? this.texts.seconds(this.units.count(Math.ceil(seconds)))
      : this.texts.minutes(this.units.count(Math.ceil(seconds / SECONDS_OF_A_MINUTE)));
  }
}
