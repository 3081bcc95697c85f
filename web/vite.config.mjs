import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { serviceWorker } from './offline.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const bytes = (path) => statSync(here(`node_modules/${path}`)).size;

export default defineConfig({
  base: './', // works below any path, and as plain static files
  define: {
    __ENGINE_BYTES__: bytes('onnxruntime-web/dist/ort-wasm-simd-threaded.asyncify.wasm'),
    __LANGUAGE_ENGINE_BYTES__: bytes('@wllama/wllama/esm/wasm/wllama.wasm'),
  },
  build: {
    outDir: here('../src/homeward/browser/pages'), // where a checkout and an installation both have them
    emptyOutDir: true,
    rollupOptions: {
      input: {
        overview: here('index.html'),
        digits: here('digits/index.html'),
        chat: here('chat/index.html'),
        bridge: here('src/bridge/bridge.ts'),
      },
      preserveEntrySignatures: 'exports-only', // what the bridge exports is called by the main chat
      output: { entryFileNames: ({ name }) => (name === 'bridge' ? 'bridge.js' : 'assets/[name]-[hash].js') },
    },
    target: 'es2022',
    assetsInlineLimit: 0, // the pages' security policy knows files only
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  worker: { format: 'es' },
  plugins: [serviceWorker(here('src/offline/worker.ts'))],
});
