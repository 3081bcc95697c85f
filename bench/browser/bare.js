/* wllama alone: what its own example does. */
import { Wllama } from './wllama/esm/index.min.js';

let llm = null;

window.load = async (model, threads, layers) => {
  const began = performance.now();
  await llm?.exit();
  llm = new Wllama({ default: './wllama/esm/wasm/wllama.wasm' }, { suppressNativeLog: true });
  llm.setCompat(null);
  const options = layers === null ? {} : { n_gpu_layers: layers };
  await llm.loadModelFromUrl(model, { n_ctx: 4096, n_parallel: 1, n_threads: threads, ...options });
  return (performance.now() - began) / 1000;
};

window.answer = async (question, most) => {
  const began = performance.now();
  let first = null;
  let timings = null;
  await llm.createChatCompletion({
    messages: [{ role: 'user', content: question }],
    max_tokens: most,
    temperature: 0,
    stream: true,
    timings_per_token: true,
    onData: (chunk) => {
      if (chunk.choices?.[0]?.delta?.content) first ??= (performance.now() - began) / 1000;
      timings = chunk.timings ?? timings;
    },
  });
  return { first, tokens: timings.predicted_n, speed: timings.predicted_per_second };
};

document.title = "wllama alone"; // it can be called now
