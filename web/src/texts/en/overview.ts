/** The overview in English. */

export const overview = {
  title: 'AI in this browser',
  lead:
    'Two pages whose models run in this tab, on your own processor or graphics card. What you write or draw there is ' +
    'sent to nobody: not even to the machine that these pages come from.',
  chatCard:
    'Talk with a small language model. It is downloaded once, with ' +
    'your consent, and works with the network cut.',
  chatOpen: 'Open the private chat',
  digitsCard: 'Draw a digit and see how a small model reads it, on WebGPU and on the processor.',
  digitsOpen: 'Open the drawing page',
  difference:
    'In Homeward’s main chat, the place “This browser” uses the same model, but your text passes through Homeward’s ' +
    'server on the machine where it runs, and goes no further. Here it does not even leave the tab.',
  mainChat: 'To the main chat',
  tableTitle: 'What this browser can do',
  feature: 'Feature',
  answer: 'Here',
  asking: 'Asking the browser …',
  withSafeAddress: 'A safe address brings it: see the first line.',
  states: { yes: 'Yes', partly: 'Partly', no: 'No' },

  secure: {
    name: 'Safe address',
    yes: 'This address is https, or this machine itself.',
    no: 'This is plain http from another machine. Browsers give such pages no WebGPU, no threads and no storage.',
  },
  webgpu: {
    name: 'WebGPU',
    yes: (adapter: string) => `The graphics card can run models. Adapter: ${adapter}.`,
    software: (adapter: string) =>
      'Only in software, on the processor; the pages rather ' +
      `use WebAssembly. Adapter: ${adapter}.`,
    noF16: (adapter: string) =>
      'Enough for drawings, but the language model needs 16-bit ' +
      `numbers (shader-f16). Adapter: ${adapter}.`,
  },
  threads: {
    name: 'Threads',
    yes: (threads: string, cores: string) =>
      `The language model takes ${threads} of the ${cores} ` +
      'processor cores that the browser offers.',
    fewCores: (cores: string) =>
      `The browser offers ${cores} processor cores. The language model ` +
      'takes one, so that the rest of the machine goes on.',
    notIsolated: 'The page is not isolated, so models run on one core.',
  },
  storage: {
    name: 'Storage',
    yes: 'Models are kept until you delete them.',
    partly: 'Models are kept, but the browser may remove them when the disk gets full.',
    no: 'This browser keeps no models here: each visit downloads them anew.',
    privateWindow: 'Leave the private window, or allow this address to store data.',
  },
  offline: {
    name: 'With the network cut',
    yes: 'Pages that you have visited and models that are stored work without a network.',
    soon: 'The browser is storing the pages. Reload in a moment.',
    no: 'This browser has no service workers here, so the pages need their server at each visit.',
  },
  builtIn: {
    name: 'Chrome’s built-in model',
    available: 'It is there, and the private chat can use it without a download.',
    downloadable: 'Chrome could download one. These pages never start that download.',
    absent: 'This browser has none. Nothing here needs it.',
  },
};
