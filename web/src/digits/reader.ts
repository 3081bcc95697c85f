/** Loads models and reads drawings, on every backend that there is, one after the other. */

import engineUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';

import { type Ink, modelInput } from '../drawing/preprocess';
import { DownloadError, download } from '../inference/download';
import { Lane } from '../inference/lane';
import { type Backend, judge, rungs } from '../inference/ladder';
import type { Loaded } from '../inference/messages';
import { problemOf } from '../inference/onnxFile';
import { type PictureInput, pictureInput, tensorOf } from '../inference/picture';
import { probe } from '../inference/probe';
import { serial } from '../inference/serial';
import { Session } from '../inference/session';
import { offlineReady } from '../offline/register';
import modelUrl from '../../models/digits.onnx?url';
import { type LaneState, NEW_LANE, type Problem, START, type State } from './state';

const OUR_SIZE = { width: 28, height: 28 };
const LATER_RUNS = 10;
const MOST_MEASURING_MS = 1500;
const TIMES_KEPT = 50;

type Lanes = Map<Backend, Lane>;

/** A model that can't be used, with the words for it. */
class ModelError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.key);
  }
}

export class Reader {
  state: State = START;

  private readonly turn = serial();
  private engine: ArrayBuffer | null = null;
  private lanes: Lanes = new Map();
  private downloading: AbortController | null = null;
  private queuedRead: Promise<void> | null = null;

  constructor(
    private readonly ink: () => Ink,
    private readonly changed: () => void,
  ) {}

  /** Load the engine and our model. What goes wrong is in the state afterwards. */
  start(): Promise<void> {
    return this.turn(async () => {
      await this.attempt(async () => {
        this.downloading = new AbortController();
        const { signal } = this.downloading;
        this.set({ phase: { kind: 'loading', bytes: 0 } });
        await offlineReady(); // so that what comes is kept
        const facts = await probe();
        this.set({ facts, verdict: judge(facts) });
        const told = (bytes: number): void => this.set({ phase: { kind: 'loading', bytes } });
        this.engine ??= (await download(engineUrl, signal, told)).buffer;
        const model = await download(modelUrl, signal, (bytes) => told(__ENGINE_BYTES__ + bytes));
        await this.take(model, null);
      });
      await this.readNow();
    });
  }

  cancel(): void {
    this.downloading?.abort();
  }

  /** Use a model from the user's disk; the one before stays where this is none. */
  useOwn(file: File): Promise<void> {
    return this.turn(async () => {
      await this.attempt(async () => {
        const bytes = new Uint8Array(await file.arrayBuffer());
        await this.take(bytes, { name: file.name, bytes: bytes.length });
      });
      await this.readNow();
    });
  }

  /** Use a model that the server has; the one before stays where this is none. */
  useOffered(url: string, name: string): Promise<void> {
    return this.turn(async () => {
      await this.attempt(async () => {
        const bytes = await download(url, new AbortController().signal, () => {});
        await this.take(bytes, { name, bytes: bytes.length });
      });
      await this.readNow();
    });
  }

  /** The drawing changed, or somebody wants it read again. Many at once become one: of the newest drawing. */
  read(): Promise<void> {
    this.look();
    this.queuedRead ??= this.turn(async () => {
      this.queuedRead = null;
      await this.readNow();
    });
    return this.queuedRead;
  }

  private set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    this.changed();
  }

  private setLane(backend: Backend, change: Partial<LaneState>): void {
    this.set({ lanes: { ...this.state.lanes, [backend]: { ...this.state.lanes[backend], ...change } } });
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    this.set({ problem: null });
    try {
      await work();
    } catch (error) {
      const usable = this.lanes.size > 0;
      const cancelled = error instanceof DOMException && error.name === 'AbortError';
      this.set({
        phase: { kind: usable ? 'ready' : cancelled ? 'cancelled' : 'failed' },
        problem: cancelled ? null : problemFrom(error),
      });
    }
  }

  /** Open the model on each backend and measure it; only then does it replace the one before. */
  private async take(bytes: Uint8Array, own: State['own']): Promise<void> {
    const wrong = problemOf(bytes);
    if (wrong) throw new ModelError({ key: wrong, detail: '' });
    const lanes: Lanes = new Map();
    const states: Record<Backend, LaneState> = { webgpu: NEW_LANE, wasm: NEW_LANE };
    let picture: PictureInput | null = null;
    try {
      for (const backend of this.state.verdict ? rungs(this.state.verdict) : []) {
        const lane = this.lane(backend, bytes);
        lanes.set(backend, lane);
        this.set({ phase: { kind: 'preparing', backend } });
        const loaded = await lane.ready().catch((error: unknown) => messageOf(error));
        if (typeof loaded === 'string') {
          states[backend] = { ...NEW_LANE, failure: loaded };
          lanes.delete(backend);
          continue;
        }
        picture = pictureInput(loaded.inputs);
        if (!picture) throw new ModelError({ key: 'not-a-picture', detail: '' });
        this.set({ phase: { kind: 'measuring', backend } });
        states[backend] = await measured(lane, loaded, picture);
      }
      if (lanes.size === 0) throw new ModelError({ key: 'refused', detail: states.wasm.failure });
    } catch (error) {
      for (const lane of lanes.values()) lane.close();
      throw error;
    }
    for (const lane of this.lanes.values()) lane.close();
    this.lanes = lanes;
    this.set({ lanes: states, picture, own, phase: { kind: 'ready' } });
  }

  private lane(backend: Backend, bytes: Uint8Array): Lane {
    return new Lane(() => {
      if (!this.engine) throw new Error('the engine is not loaded');
      const worker = new Worker(new URL('../inference/worker.ts', import.meta.url), { type: 'module' });
      return Session.open(worker, backend, { engine: this.engine, bytes });
    });
  }

  private look(): void {
    const size = this.state.picture ?? OUR_SIZE;
    const values = modelInput(this.ink(), size);
    this.set({ seen: values && { values, width: size.width, height: size.height } });
  }

  private async readNow(): Promise<void> {
    this.look();
    const { seen, picture } = this.state;
    for (const [backend, lane] of this.lanes) {
      if (!seen || !picture) {
        this.setLane(backend, { outputs: null });
        continue;
      }
      try {
        const { outputs, runMs } = await lane.run(tensorOf(seen.values, picture), picture.dims);
        const laterMs = [...this.state.lanes[backend].laterMs, runMs].slice(-TIMES_KEPT);
        const loaded = await lane.ready();
        this.setLane(backend, { outputs, laterMs, loaded, recoveries: lane.recoveries, failure: '' });
        if (this.state.problem?.key === 'run-failed') this.set({ problem: null });
      } catch (error) {
        this.setLane(backend, { outputs: null, failure: messageOf(error) });
        if (backend === 'wasm') this.set({ problem: { key: 'run-failed', detail: messageOf(error) } });
      }
    }
  }
}

/** Times of an empty picture: once, and then often enough for a median. */
async function measured(lane: Lane, loaded: Loaded, picture: PictureInput): Promise<LaneState> {
  const empty = tensorOf(new Float32Array(picture.width * picture.height), picture);
  const firstMs = (await lane.run(empty, picture.dims)).runMs;
  const laterMs: number[] = [];
  const end = performance.now() + MOST_MEASURING_MS;
  while (laterMs.length < LATER_RUNS && performance.now() < end) {
    laterMs.push((await lane.run(empty, picture.dims)).runMs);
  }
  return { ...NEW_LANE, loaded, firstMs, laterMs };
}

function problemFrom(error: unknown): Problem {
  if (error instanceof ModelError) return error.problem;
  if (error instanceof DownloadError) return { key: 'missing', detail: '' };
  if (error instanceof TypeError) return { key: 'unreachable', detail: '' }; // fetch's word for a dead line
  return { key: 'refused', detail: messageOf(error) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
