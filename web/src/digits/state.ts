/** All that the page shows, as one value. */

import type { PictureInput } from '../inference/picture';
import type { Backend, Facts, Verdict } from '../inference/ladder';
import { rungs } from '../inference/ladder';
import type { Loaded } from '../inference/messages';
import type { ProblemKey } from '../texts/keys';

export interface LaneState {
  readonly loaded: Loaded | null;
  readonly firstMs: number | null;
  readonly laterMs: readonly number[];
  /** Of the last drawing. */
  readonly outputs: readonly number[] | null;
  /** Why it does not work; empty while it does. */
  readonly failure: string;
  readonly recoveries: number;
}

export const NEW_LANE: LaneState = {
  loaded: null,
  firstMs: null,
  laterMs: [],
  outputs: null,
  failure: '',
  recoveries: 0,
};

export type Phase =
  | { readonly kind: 'idle' | 'cancelled' | 'ready' | 'failed' }
  | { readonly kind: 'loading'; readonly bytes: number }
  | { readonly kind: 'preparing' | 'measuring'; readonly backend: Backend };

export interface Problem {
  readonly key: ProblemKey;
  /** What the engine or the browser said; may be empty. */
  readonly detail: string;
}

export interface Seen {
  readonly values: Float32Array;
  readonly width: number;
  readonly height: number;
}

export interface State {
  readonly phase: Phase;
  readonly problem: Problem | null;
  readonly facts: Facts | null;
  readonly verdict: Verdict | null;
  readonly lanes: Readonly<Record<Backend, LaneState>>;
  /** Null before a model is loaded. */
  readonly picture: PictureInput | null;
  /** What the model sees of the drawing; null where nothing is drawn. */
  readonly seen: Seen | null;
  /** Of the user's own model; null for ours. */
  readonly own: { readonly name: string; readonly bytes: number } | null;
}

export const START: State = {
  phase: { kind: 'idle' },
  problem: null,
  facts: null,
  verdict: null,
  lanes: { webgpu: NEW_LANE, wasm: NEW_LANE },
  picture: null,
  seen: null,
  own: null,
};

/** The best backend that has read the drawing; its answer is the one that the page gives. */
export function reader(state: State): Backend | null {
  if (!state.verdict) return null;
  return rungs(state.verdict).find((backend) => state.lanes[backend].outputs !== null) ?? null;
}
