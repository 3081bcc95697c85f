/** The private chat in English. */

import type { LanguageProblem, Why } from '../keys';

export const chat = {
  title: 'Private chat',
  lead: 'A small language model in this tab answers you. Questions and answers stay in the tab and are sent to nobody.',

  startTitle: 'Before you begin',
  offered: (name: string, licence: string, megabytes: string) =>
    `The model: ${name}, licence ${licence}, ${megabytes} MB. It is small: good for trying out, often wrong about facts.`,
  fromHere: (megabytes: string) =>
    `It comes from the address of this page and from nowhere else, with ${megabytes} MB for the engine that runs it.`,
  keptHere: 'This browser keeps it for the next visit, and you can delete it below.',
  notKept: 'This browser keeps no models on this address: it has to be downloaded at each visit.',
  alreadyHere: 'It is already stored in this browser. Nothing has to be downloaded.',
  partHere: (megabytes: string) => `${megabytes} MB of it are already here. The download goes on from there.`,
  notOffered: 'The server of this page offers no model. You can open a GGUF file of your own.',
  download: (megabytes: string) => `Download and start (${megabytes} MB)`,
  start: 'Start',
  goOn: 'Go on with the download',
  own: 'Open your own GGUF',
  ownHelp: 'Or drop a .gguf file onto this card. It is read from your disk and not uploaded. Up to 2 GB.',
  builtIn: 'Use Chrome’s built-in model',
  builtInDownloadable: 'Chrome could download a model of its own. This page never starts that download.',

  progress: (done: string, all: string) => `${done} of ${all} MB`,
  speed: (megabytes: string) => `${megabytes} MB/s`,
  left: (time: string) => `${time} left`,
  seconds: (value: string) => `${value} s`,
  minutes: (value: string) => `${value} min`,
  downloading: 'Downloading the model …',
  opening: 'Starting the model …',
  cancelled: 'Cancelled. What is already here is kept.',
  cancelledStarting: 'Cancelled.',

  conversation: 'Conversation',
  details: 'Model, options and storage',
  empty: 'Ask something. What you write stays in this tab, and a reload empties it.',
  you: 'You',
  model: 'Model',
  question: 'Your question',
  send: 'Send',
  stop: 'Stop',
  keys: 'Enter sends, Shift+Enter starts a new line, Esc stops the answer.',
  reading: 'Reading …',
  writing: (tokens: string, speed: string) => `${tokens} tokens, ${speed} tokens/s`,
  receipt: {
    tokens: (written: string) => `${written} tokens`,
    speed: (speed: string) => `${speed} tokens/s`,
    first: (seconds: string) => `first word after ${seconds} s`,
  },
  marks: {
    stopped: 'Stopped by you.',
    length: 'Cut off: it reached the most tokens that the options allow.',
    full: 'Cut off: the context is full.',
    broken: 'Broken off by an error.',
  },
  copy: 'Copy',
  copied: 'Copied.',
  notCopied: 'The browser did not let this page copy. Mark the text and copy it yourself.',
  copyCode: 'Copy code',
  again: 'Answer anew',
  edit: 'Edit question',
  editing: 'You are changing your last question. Its answer is replaced when you send it.',
  giveUpEdit: 'Leave it as it was',
  fresh: 'New conversation',
  save: 'Save as file',
  fileName: 'conversation.md',
  change: 'Change model',

  context: 'Context',
  contextUsed: (used: string, all: string) => `${used} of ${all} tokens of context`,
  leftOut: (count: number) =>
    count === 1
      ? 'The oldest message no longer fits: the model does not see it any more.'
      : `The ${count} oldest messages no longer fit: the model does not see them any more.`,
  full: 'The context is full. The next question goes without the oldest messages, or begin a new conversation.',

  whereTitle: 'Where it runs',
  backends: {
    webgpu: (adapter: string) => `WebGPU: ${adapter}`,
    threads: (count: string) => `WebAssembly, ${count} threads`,
    oneThread: 'WebAssembly, one thread',
    builtIn: 'Chrome’s built-in model',
  },
  why: {
    insecure: 'No WebGPU and no threads: browsers offer them on https pages and on this machine itself only.',
    'no-webgpu': 'No WebGPU: the browser offers no graphics adapter to this page.',
    'software-adapter': 'WebGPU works in software only here, which is slower than WebAssembly.',
    'no-f16': 'No WebGPU: this adapter cannot calculate with 16-bit numbers (shader-f16), which the engine needs.',
    garbage: 'No WebGPU: in a short test the graphics card wrote nonsense. The processor writes correctly.',
    'gpu-failed': 'No WebGPU: the graphics card failed on this model, so the processor goes on.',
    'not-isolated': 'One thread: the page is not isolated.',
    'one-core': 'One thread: this machine has too few processor cores for more.',
  } satisfies Record<Why, string>,
  itsOwn: 'Chrome runs it by its own means, and keeps it for all pages.',
  fastest: 'This is the fastest way that this browser offers.',

  optionsTitle: 'Options',
  optionsNote: 'Kept until this tab is reloaded.',
  temperature: 'Temperature',
  temperatureHelp: '0 always gives the likeliest answer, higher values vary more.',
  maxTokens: 'Most tokens of an answer',
  threads: 'Threads',
  threadsHelp: 'A change starts the model again. With all cores in use, the machine may become slow.',
  system: 'Instruction to the model',

  storedTitle: 'What is stored',
  storedNothing: 'No model is stored in this browser.',
  storedNever: 'This browser stores no models on this address.',
  storedPart: (name: string) => `${name} (part)`,
  megabytes: (value: string) => `${value} MB`,
  delete: 'Delete',
  deleteOne: (name: string) => `Delete ${name}`,
  deleted: (name: string) => `${name} is deleted.`,
  usage: (used: string, quota: string) => `This address uses ${used} MB of the ${quota} GB that the browser allows.`,
  nothingOfConversation: 'Nothing of a conversation is stored.',

  problems: {
    unreachable: 'The download failed: nobody answers. Is the server of this page still running? Then go on.',
    missing: 'The server of this page does not have the model. Open a GGUF file of your own.',
    refused: 'The server refused to send the model. Reload the page and try again.',
    cut: 'The file is not complete. Download it again, or go on with the download.',
    foreign:
      'What arrived is not the model that this page knows, so it was deleted. ' +
      'Download it again; if it stays so, tell whoever runs the server.',
    'not-gguf': 'This is not a GGUF file. Choose a file that ends in .gguf.',
    unsupported: 'The engine cannot run this model. Choose another GGUF, such as a chat model quantised to Q4.',
    'too-large': 'This file is larger than 2 GB, the most that a browser can load at once. Choose a smaller one.',
    'no-room':
      'The browser has no room for the model. Delete stored models ' +
      'below, or free some disk space, and try again.',
    'no-memory': 'There is not enough memory for this model. Close other tabs, or choose a smaller model.',
    'too-long': 'This question is longer than the context of the model. Shorten it.',
    'engine-failed': 'The engine failed. Try again; if it stays so, reload the page.',
  } satisfies Record<LanguageProblem, string>,
  ready: (name: string) => `${name} is ready.`,
};
