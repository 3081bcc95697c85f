import { fileURLToPath } from 'node:url';

import pages from '../../../web/vite.config.mjs';

const root = fileURLToPath(new URL('.', import.meta.url));
const { outDir, ...build } = pages.build; // never the product's

export default { ...pages, plugins: [], root, build: { ...build, rollupOptions: { input: `${root}index.html` } } };
