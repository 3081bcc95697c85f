/** What the page and its workers say to each other. */

import type { Adapter, Backend } from './ladder';

/** An input or output of a model. */
export interface Port {
  readonly name: string;
  /** As in `float32`, or what the model says where it is no tensor. */
  readonly type: string;
  /** Numbers, and names where the model leaves the size open. */
  readonly shape: readonly (number | string)[];
}

export interface Loaded {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Of the device that the model runs on; null for WebAssembly. */
  readonly adapter: Adapter | null;
  readonly createMs: number;
}

export interface Ran {
  readonly outputs: readonly number[];
  readonly runMs: number;
}

export type Task =
  | { readonly action: 'load'; readonly backend: Backend; readonly engine: ArrayBuffer; readonly model: Uint8Array }
  | { readonly action: 'run'; readonly input: Float32Array; readonly dims: readonly number[] };

export interface Results {
  readonly load: Loaded;
  readonly run: Ran;
}

export type ToWorker = Task & { readonly id: number };
export type FromWorker =
  | { readonly id: number; readonly result: Loaded | Ran }
  | { readonly id: number; readonly error: string }
  | { readonly lost: string };
