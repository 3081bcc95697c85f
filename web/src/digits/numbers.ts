/** What went into the model and what came out, for whoever wants to check it with another program. */

import type { Backend } from '../inference/ladder';
import { tensorOf } from '../inference/picture';
import type { State } from './state';

export function numbersOf({ seen, picture, lanes, own }: State): string {
  const result = (backend: Backend): object => {
    const { loaded, outputs, firstMs, laterMs } = lanes[backend];
    const times = { create_ms: loaded?.createMs, first_ms: firstMs, later_ms: laterMs };
    return { adapter: loaded?.adapter ?? null, ...times, outputs };
  };
  return JSON.stringify({
    model: own?.name ?? 'digits.onnx',
    dims: picture?.dims,
    input: seen && picture ? Array.from(tensorOf(seen.values, picture)) : null,
    webgpu: result('webgpu'),
    wasm: result('wasm'),
  });
}
