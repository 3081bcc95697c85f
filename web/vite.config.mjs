import { statSync } from 'node:fs';
import { defineConfig } from 'vite';

const engine = new URL('node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.asyncify.wasm', import.meta.url);

export default defineConfig({
  base: './', // works below any path, and as plain static files
  define: { __ENGINE_BYTES__: statSync(engine).size },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // the page's security policy knows files only
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  worker: { format: 'es' },
});
