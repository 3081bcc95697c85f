import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';

const MOST_BYTES_AT_INSTALLATION = 1_000_000; // what is larger is stored when it is used

/** Builds the service worker `sw.js`, which knows every file of the build that it belongs to. */
export function serviceWorker(entry) {
  let config;
  return {
    name: 'homeward-service-worker',
    apply: 'build',
    configResolved(resolved) {
      config = resolved;
    },
    async writeBundle() {
      const folder = config.build.outDir;
      const size = (path) => statSync(join(folder, path)).size;
      const paths = readdirSync(folder, { recursive: true }).map((path) => path.replaceAll('\\', '/')).sort();
      const all = paths.filter((path) => path.startsWith('assets/'));
      const pages = paths.filter((path) => /\.(html|txt|svg)$/.test(path) && !all.includes(path));
      const version = createHash('sha256').update(all.join());
      for (const path of pages) version.update(path).update(readFileSync(join(folder, path)));
      const facts = {
        version: version.digest('hex').slice(0, 16),
        pages: pages.map((path) => path.replace(/index\.html$/, '')),
        small: all.filter((path) => size(path) <= MOST_BYTES_AT_INSTALLATION),
        all,
      };
      await build({
        configFile: false,
        publicDir: false,
        logLevel: 'warn',
        define: { __BUILD__: JSON.stringify(facts) },
        build: {
          outDir: folder,
          emptyOutDir: false,
          target: config.build.target,
          lib: { entry, formats: ['iife'], name: 'worker', fileName: () => 'sw.js' },
        },
      });
    },
  };
}
