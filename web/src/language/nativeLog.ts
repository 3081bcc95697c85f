/** What the engine tells only in its log: whether the model really lies on a GPU, and what went wrong. */

import type { LanguageProblem } from './types';

const KEPT_LINES = 40;
const KEPT_ERRORS = 5;

export class NativeLog {
  /** The engine only logs it, and then waits forever. */
  deviceLost = false;

  private readonly lines: string[] = [];
  private gpuLayers = 0;
  private gpuMegabytes = 0;

  add(line: string): void {
    this.lines.push(line);
    if (this.lines.length > KEPT_LINES) this.lines.shift();
    const offloaded = /offloaded (\d+)\/\d+ layers to GPU/.exec(line);
    if (offloaded) this.gpuLayers = Number(offloaded[1]);
    const buffer = /\bWebGPU\d* model buffer size = +([\d.]+) MiB/.exec(line);
    if (buffer) this.gpuMegabytes += Number(buffer[1]);
    if (/ggml_webgpu: Device lost!/.test(line)) this.deviceLost = true;
  }

  /** Layers counted as offloaded lie on the processor where there is no device to take them. */
  get onGpu(): boolean {
    return this.gpuLayers > 0 && this.gpuMegabytes > 0;
  }

  /** Why a model could not be loaded, as far as the log tells. */
  loadProblem(): LanguageProblem {
    const text = this.lines.join('\n');
    if (/corrupted or incomplete/.test(text)) return 'cut';
    if (/gguf_init\w*: failed to read/.test(text)) return NONSENSE.test(text) ? 'not-gguf' : 'cut';
    return NO_MEMORY.test(text) ? 'no-memory' : 'unsupported';
  }

  /** The engine's own words on it. */
  lastErrors(): string {
    const telling = this.lines.filter((line) => /error|fail|exceed|invalid/i.test(line) && !/webgpu/i.test(line));
    return telling.slice(-KEPT_ERRORS).join('\n');
  }
}

const NONSENSE = /exceeds maximum|invalid/;
const NO_MEMORY = /out of memory|(?:failed to|cannot|could not) allocate|bad_alloc|cannot enlarge memory/i;

/** Of a call that the engine rejected. */
export function problemOf(words: string): LanguageProblem {
  if (/exceeds? the available context size|context (?:size|length) exceeded/i.test(words)) return 'too-long';
  return NO_MEMORY.test(words) ? 'no-memory' : 'engine-failed';
}
