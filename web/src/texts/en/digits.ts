/** The page "Draw a digit" in English. */

import type { ProblemKey } from '../keys';

export const digits = {
  title: 'Draw a digit',
  lead: 'A small model in this tab reads what you draw. The drawing, the model and the answer stay in the tab.',
  startTitle: 'Load the model',
  startText: (megabytes: string) =>
    `Before it can read, the tab needs ONNX Runtime and the model: ${megabytes} MB from the address of this page, ` +
    'nothing from anywhere else. Your browser keeps them for the next visit.',
  start: 'Load',
  loading: (done: string, all: string) => `Loading: ${done} of ${all} MB`,
  preparing: (backend: string) => `Preparing ${backend} …`,
  measuring: (backend: string) => `Measuring ${backend} …`,
  ready: 'Ready. Draw a digit.',
  cancelled: 'Cancelled.',

  drawTitle: 'Your drawing',
  padLabel: 'Drawing area',
  padHelp:
    'Draw with mouse, finger or pen. By keyboard: arrow keys move the pen, Space puts it down and lifts it, Backspace ' +
    'takes back a stroke, Enter reads the drawing.',
  penDown: 'Pen down',
  penUp: 'Pen up',
  clear: 'Clear',
  undo: 'Undo',
  recognise: 'Read it',
  example: 'Or take an example: ',
  exampleNone: 'none',

  answerTitle: 'What the model reads',
  answerNone: 'Nothing is drawn yet.',
  answerWaiting: 'Load the model to have it read.',
  answer: (label: string, percent: string) => `${label}, ${percent} sure`,
  seenText: (width: number, height: number) =>
    `What the model sees of it: ${width} × ${height} pixels, cropped and centred.`,
  seenLabel: 'The picture that the model sees',
  barsCaption: 'How sure the model is of each class',
  barsClass: 'Class',
  barsShare: 'Share',
  classNumber: (index: number) => `Class ${index}`,

  whereTitle: 'Where it runs',
  badge: { webgpu: 'Read by WebGPU', software: 'Read by WebGPU in software', wasm: 'Read by WebAssembly (processor)' },
  gpuHardware: (adapter: string) => `WebGPU is there. Adapter: ${adapter}.`,
  gpuSoftware: (adapter: string) =>
    `WebGPU is there, but only in software, on the processor. Adapter: ${adapter}. It is shown for comparison.`,
  gpuFailed: (detail: string) => `WebGPU was there, but could not run this model. The browser says: ${detail}`,
  recovered: (times: number) => (times === 1 ? 'Started again once.' : `Started again ${times} times.`),
  timesCaption: 'Times on WebGPU and on WebAssembly',
  times: {
    adapter: 'Device',
    create: 'Load the model',
    first: 'First run',
    later: 'Later runs, median',
    reads: 'Reads',
  },
  processor: 'processor, 1 thread',
  milliseconds: (value: string) => `${value} ms`,
  ofRuns: (value: string, runs: number) => `${value} ms (of ${runs})`,
  notThere: 'not there',
  notYet: '–',
  timesNote:
    'The first run on WebGPU compiles its shaders. On a model this small the processor is often faster than a graphics ' +
    'card; larger models gain.',

  modelTitle: 'The model',
  modelOurs: (percent: string, images: string, kilobytes: string) =>
    `Homeward’s own, ${kilobytes} KB. It reads ${percent} of ${images} handwritten digits rightly that it was not ` +
    'trained on: small scans, enlarged, so it says little about other pens. Whatever you draw, it answers with a digit.',
  modelOwn: (name: string, kilobytes: string) => `Your file ${name}, ${kilobytes} KB. It stays in this tab.`,
  inputs: 'Inputs',
  outputs: 'Outputs',
  fetched: 'Models that this Homeward fetched',
  fetchedNone: 'none chosen',
  own: 'Use your own ONNX image classifier',
  ownHelp:
    'A file from your disk, such as mnist-12.onnx: one input with one or three channels of float32 from 0 to 1. It gets ' +
    'your drawing in its own size; the first output is shown.',
  back: 'Back to our model',
  save: 'Save the numbers',

  problems: {
    empty: 'This file is empty. Choose another one.',
    'too-large': 'This file has more than 512 MB. Choose a smaller one.',
    'web-page': 'This is a web page, not a model: most likely a download that went wrong. Download the file itself.',
    pointer: 'This is a Git LFS pointer, not the model itself. Download the file that it stands for.',
    'not-onnx': 'This is not an ONNX model. Choose a file that ends in .onnx.',
    cut: 'This ONNX file is cut off. Download it again.',
    'external-data': 'This model keeps its weights in another file. Choose one that has everything in a single file.',
    'not-a-picture':
      'This model does not take one picture: it needs a single float32 input with 1 or 3 channels and a fixed size of ' +
      '8 to 1024 pixels. Choose an image classifier.',
    refused: 'ONNX Runtime could not load this model. Choose another one, or export it anew for opset 17.',
    unreachable: 'The page could not load what it needs: nobody answers. Is Homeward still running? Then load again.',
    missing: 'The server does not have a file of this page. Reload the page; if that is no help, install Homeward anew.',
    'run-failed': 'The model could not read this drawing. Read it again, or reload the page.',
  } satisfies Record<ProblemKey, string>,
};
