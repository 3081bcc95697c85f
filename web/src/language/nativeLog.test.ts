import { describe, expect, it } from 'vitest';

import { NativeLog, problemOf } from './nativeLog';

/** As llama.cpp b11364 writes them. */
const LOADED = [
  'load_tensors: loading model tensors, this can take a while... (load_mode = none)',
  'load_tensors: offloading 30 repeating layers to GPU',
  'load_tensors: offloaded 31/31 layers to GPU',
  'load_tensors:          CPU model buffer size =    28.22 MiB',
  'load_tensors:       WebGPU model buffer size =    92.10 MiB',
];

function logOf(lines: readonly string[]): NativeLog {
  const log = new NativeLog();
  for (const line of lines) log.add(line);
  return log;
}

describe('the model is on the GPU', () => {
  it('when layers and bytes of it are', () => {
    expect(logOf(LOADED).onGpu).toBe(true);
  });

  it.each<[string, readonly string[]]>([
    ['nothing was said', []],
    ['the processor took all', LOADED.filter((line) => !/WebGPU|offload/.test(line))],
    ['layers count as offloaded, with no device', LOADED.filter((line) => !line.includes('WebGPU model'))],
    ['no layer was', LOADED.map((line) => line.replace('31/31', '0/31'))],
    ['its buffer is empty', LOADED.map((line) => line.replace('92.10', '0.00'))],
  ])('but not when %s', (_, lines) => expect(logOf(lines).onGpu).toBe(false));
});

it('tells of a lost device', () => {
  expect(logOf(LOADED).deviceLost).toBe(false);
  expect(logOf([...LOADED, 'ggml_webgpu: Device lost! Reason: 1, Message: A valid external...']).deviceLost).toBe(true);
});

describe('a problem', () => {
  it.each<[string, string]>([
    ["tensor 'token_embd.weight' data is not within the file bounds, model is corrupted or incomplete", 'cut'],
    ['gguf_init_from_reader: failed to read key-value pairs', 'cut'],
    ['read: string length 7493989779 exceeds maximum 1073741824\ngguf_init_from_reader: failed to read', 'not-gguf'],
    ['ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 4294967296', 'no-memory'],
    ["llama_model_load: error loading model: unknown model architecture: 'odd'", 'unsupported'],
  ])('while loading: %s', (words, problem) => {
    expect(logOf([...LOADED, ...words.split('\n')]).loadProblem()).toBe(problem);
  });

  it.each([
    ['request (3031 tokens) exceeds the available context size (1024 tokens), try increasing it', 'too-long'],
    ['(ABORT) Aborted(OOM). std::bad_alloc', 'no-memory'],
    ['Cannot allocate WebAssembly.Memory', 'no-memory'],
    ['memory access out of bounds', 'engine-failed'],
  ])('while answering: %s', (words, problem) => expect(problemOf(words)).toBe(problem));

  it('comes with the last words about it, of a log that never grows', () => {
    const log = logOf(Array.from({ length: 1000 }, (_, index) => `error ${index}`));
    expect(log.lastErrors()).toBe('error 995\nerror 996\nerror 997\nerror 998\nerror 999');
  });
});
