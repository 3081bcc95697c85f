/** Puts the state onto the page. */

import card from '../../models/digits.json';

import { type Backend, adapterName } from '../inference/ladder';
import type { Port } from '../inference/messages';
import { best, median, probabilities, shown } from '../inference/probabilities';
import { byId, element, made, setText } from '../page/dom';
import type { Speech } from '../page/page';
import type { Texts } from '../texts/texts';
import { type State, reader } from './state';

const BACKENDS: readonly Backend[] = ['webgpu', 'wasm'];
const NAMES: Readonly<Record<Backend, string>> = { webgpu: 'WebGPU', wasm: 'WASM' };
const MEGABYTE = 1_000_000;

export class View {
  private readonly percent: Intl.NumberFormat;
  private readonly number: Intl.NumberFormat;

  private readonly texts: Texts['digits'];
  private readonly shared: Texts['shared'];

  constructor({ texts, language }: Speech) {
    this.texts = texts.digits;
    this.shared = texts.shared;
    this.percent = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 });
    this.number = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
  }

  show(state: State): void {
    this.showStart(state);
    this.showSeen(state);
    this.showAnswer(state);
    this.showPlace(state);
    this.showTimes(state);
    this.showModel(state);
  }

  private showStart({ phase, problem }: State): void {
    const all = __ENGINE_BYTES__ + card.bytes;
    const busy = phase.kind === 'loading' || phase.kind === 'preparing' || phase.kind === 'measuring';
    setText('start-text', this.texts.startText(this.megabytes(all)));
    byId('start').hidden = busy || phase.kind === 'ready';
    byId('start-text').hidden = phase.kind === 'ready';
    byId('cancel').hidden = phase.kind !== 'loading';
    const progress = element('progress', HTMLProgressElement);
    progress.hidden = !busy;
    if (phase.kind === 'loading') progress.value = phase.bytes / all;
    else progress.removeAttribute('value');
    progress.setAttribute('aria-label', this.texts.startTitle);
    setText('phase', this.phaseText(phase, all));
    byId('problem').hidden = problem === null;
    const detail = problem?.detail ? ` ${this.shared.problemDetail(problem.detail)}` : '';
    setText('problem', problem ? this.texts.problems[problem.key] + detail : '');
  }

  private phaseText(phase: State['phase'], all: number): string {
    switch (phase.kind) {
      case 'loading':
        return this.texts.loading(this.megabytes(phase.bytes), this.megabytes(all));
      case 'preparing':
        return this.texts.preparing(NAMES[phase.backend]);
      case 'measuring':
        return this.texts.measuring(NAMES[phase.backend]);
      case 'ready':
        return this.texts.ready;
      case 'cancelled':
        return this.texts.cancelled;
      default:
        return '';
    }
  }

  private showSeen({ seen }: State): void {
    const canvas = element('seen', HTMLCanvasElement);
    const { width, height } = seen ?? { width: 28, height: 28 };
    canvas.width = width; // this empties it, too
    canvas.height = height;
    setText('seen-text', this.texts.seenText(width, height));
    if (!seen) return;
    const pixels = new ImageData(width, height);
    seen.values.forEach((value, index) => {
      pixels.data.fill(Math.round(value * 255), index * 4, index * 4 + 3);
      pixels.data[index * 4 + 3] = 255;
    });
    canvas.getContext('2d')?.putImageData(pixels, 0, 0);
  }

  private showAnswer(state: State): void {
    const backend = reader(state);
    const outputs = backend && state.lanes[backend].outputs;
    if (!outputs) {
      const waiting = state.seen && state.phase.kind !== 'ready';
      setText('answer', waiting ? this.texts.answerWaiting : this.texts.answerNone);
      byId('bars').replaceChildren();
      return;
    }
    const all = probabilities(outputs);
    const winner = best(all);
    setText('answer', this.texts.answer(this.label(state, winner.index), this.percent.format(winner.probability)));
    byId('bars').replaceChildren(
      ...shown(all).map(({ index, probability }) => {
        const row = document.createElement('tr');
        const head = made('th', this.label(state, index));
        head.scope = 'row';
        const track = made('td', '');
        track.className = 'track';
        const bar = made('div', '');
        bar.style.width = `${probability * 100}%`;
        track.append(bar);
        row.classList.toggle('best', index === winner.index);
        row.append(head, made('td', this.percent.format(probability)), track);
        return row;
      }),
    );
  }

  private label(state: State, index: number): string {
    return state.own ? this.texts.classNumber(index) : (card.classes[index] ?? '');
  }

  private showPlace(state: State): void {
    const backend = reader(state);
    const adapter = backend && state.lanes[backend].loaded?.adapter;
    const kind = backend === 'webgpu' && adapter?.software ? 'software' : backend;
    setText('badge', kind ? this.texts.badge[kind] : '');
    byId('badge').classList.toggle('caution', kind === 'software');
    const { verdict, facts, lanes } = state;
    let [reason, step] = ['', ''];
    if (verdict?.usable) {
      const name = adapterName(verdict.adapter);
      reason = verdict.adapter.software ? this.texts.gpuSoftware(name) : this.texts.gpuHardware(name);
      if (lanes.webgpu.failure) reason = this.texts.gpuFailed(lanes.webgpu.failure);
    } else if (verdict && facts) {
      reason = this.shared.reasons[verdict.reason];
      step = this.shared.step(verdict.step, facts.browser.name, facts.browser.system);
    }
    setText('gpu-reason', reason);
    setText('gpu-step', step);
  }

  private showTimes(state: State): void {
    const { texts } = this;
    const cell = (backend: Backend, content: (lane: State['lanes'][Backend]) => string): string => {
      const there = backend === 'wasm' || state.verdict === null || state.verdict.usable;
      return there ? content(state.lanes[backend]) || texts.notYet : texts.notThere;
    };
    const milliseconds = (value: number | null | undefined): string =>
      value == null ? '' : texts.milliseconds(this.number.format(value));
    const rows: readonly [string, (lane: State['lanes'][Backend], backend: Backend) => string][] = [
      [texts.times.adapter, (lane, backend) => this.device(lane, backend)],
      [texts.times.create, (lane) => milliseconds(lane.loaded?.createMs)],
      [texts.times.first, (lane) => milliseconds(lane.firstMs)],
      [
        texts.times.later,
        ({ laterMs }) => {
          const middle = median(laterMs);
          return middle === null ? '' : texts.ofRuns(this.number.format(middle), laterMs.length);
        },
      ],
      [
        texts.times.reads,
        ({ outputs }) => {
          if (!outputs) return '';
          const { index, probability } = best(probabilities(outputs));
          return `${this.label(state, index)} (${this.percent.format(probability)})`;
        },
      ],
    ];
    byId('times').replaceChildren(
      ...rows.map(([name, content]) => {
        const row = document.createElement('tr');
        const head = made('th', name);
        head.scope = 'row';
        row.append(head, ...BACKENDS.map((backend) => made('td', cell(backend, (lane) => content(lane, backend)))));
        return row;
      }),
    );
  }

  private device(lane: State['lanes'][Backend], backend: Backend): string {
    if (!lane.loaded) return '';
    const name = lane.loaded.adapter ? adapterName(lane.loaded.adapter) : this.texts.processor;
    const again = lane.recoveries > 0 ? ` ${this.texts.recovered(lane.recoveries)}` : '';
    return (backend === 'webgpu' && !lane.loaded.adapter ? '' : name) + again;
  }

  private showModel(state: State): void {
    const kilobytes = (bytes: number): string => this.number.format(Math.round(bytes / 1000));
    const { accuracy } = card;
    setText(
      'model-text',
      state.own
        ? this.texts.modelOwn(state.own.name, kilobytes(state.own.bytes))
        : this.texts.modelOurs(
            this.percent.format(accuracy.held_out),
            String(accuracy.images),
            kilobytes(card.bytes),
          ),
    );
    const loaded = state.lanes.wasm.loaded ?? state.lanes.webgpu.loaded;
    byId('ports').replaceChildren(
      ...(loaded ? [...ports(this.texts.inputs, loaded.inputs), ...ports(this.texts.outputs, loaded.outputs)] : []),
    );
    const ready = state.phase.kind === 'ready';
    byId('back').hidden = state.own === null;
    element('own', HTMLInputElement).disabled = !ready;
    element('fetched', HTMLSelectElement).disabled = !ready;
    element('save', HTMLButtonElement).disabled = reader(state) === null;
  }

  private megabytes(bytes: number): string {
    return (bytes / MEGABYTE).toFixed(1);
  }
}

function ports(title: string, all: readonly Port[]): HTMLElement[] {
  const value = all.map(({ name, type, shape }) => `${name}: ${type} [${shape.join(', ')}]`).join('; ');
  return [made('dt', title), made('dd', value)];
}
