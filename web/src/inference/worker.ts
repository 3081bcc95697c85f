/**
 * ONNX Runtime with one model on one backend.
 *
 * One thing at a time: two concurrent runs on WebGPU freeze the thread for good (microsoft/onnxruntime#32561).
 * The backend is asked for by name, never as a list, for that falls back without a word.
 */

import * as ort from 'onnxruntime-web/webgpu';

import type { FromWorker, Loaded, Port, Ran, Task, ToWorker } from './messages';
import { describe } from './probe';

ort.env.wasm.numThreads = 1; // more gain nothing with models that a page can wait for, and need more of the server

let session: ort.InferenceSession | null = null;
let queue: Promise<void> = Promise.resolve();

function say(message: FromWorker): void {
  self.postMessage(message);
}

async function load({ backend, engine, model }: Extract<Task, { action: 'load' }>): Promise<Loaded> {
  ort.env.wasm.wasmBinary = engine;
  const started = performance.now();
  session = await ort.InferenceSession.create(model, { executionProviders: [backend] });
  const createMs = performance.now() - started;
  let adapter = null;
  if (backend === 'webgpu') {
    const device = (await ort.env.webgpu.device) as GPUDevice | undefined;
    if (!device) throw new Error('ONNX Runtime has no WebGPU device');
    const info = device.adapterInfo as GPUAdapterInfo | undefined; // older browsers know it of adapters only
    adapter = describe(info ?? (await navigator.gpu.requestAdapter())?.info);
    void device.lost.then(({ message, reason }) => say({ lost: message || reason }));
  }
  return { inputs: session.inputMetadata.map(port), outputs: session.outputMetadata.map(port), adapter, createMs };
}

function port(value: ort.InferenceSession.ValueMetadata): Port {
  return value.isTensor
    ? { name: value.name, type: value.type, shape: value.shape }
    : { name: value.name, type: 'not a tensor', shape: [] };
}

async function run({ input, dims }: Extract<Task, { action: 'run' }>): Promise<Ran> {
  if (!session) throw new Error('no model is loaded');
  const [inputName, outputName] = [session.inputNames[0], session.outputNames[0]];
  if (inputName === undefined || outputName === undefined) throw new Error('the model has no input or no output');
  const started = performance.now();
  const results = await session.run({ [inputName]: new ort.Tensor('float32', input, dims) }, [outputName]);
  const runMs = performance.now() - started;
  const values = results[outputName]?.data;
  return { outputs: values ? Array.from(values, Number) : [], runMs };
}

async function answer(task: ToWorker): Promise<void> {
  try {
    say({ id: task.id, result: task.action === 'load' ? await load(task) : await run(task) });
  } catch (error) {
    say({ id: task.id, error: error instanceof Error ? error.message : String(error) });
  }
}

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  queue = queue.then(() => answer(data));
};
