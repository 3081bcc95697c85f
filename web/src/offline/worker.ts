/**
 * The service worker: what was visited once works with the network cut.
 *
 * Each build has its own stored pages; assets, named by their content, are shared between builds. A new worker waits
 * until no page of the old one is open, so nothing vanishes under an open page.
 */

import { outdated, wayOf } from './strategy';

interface Lasting extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Lasting {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Worker {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  addEventListener(kind: 'install' | 'activate', listener: (event: Lasting) => void): void;
  addEventListener(kind: 'fetch', listener: (event: Fetching) => void): void;
}

interface Build {
  readonly version: string;
  readonly pages: readonly string[];
  /** Assets that are stored at once. */
  readonly small: readonly string[];
  readonly all: readonly string[];
}
declare const __BUILD__: Build;

const build = __BUILD__;
const worker = self as unknown as Worker;
const { scope } = worker.registration;
const PREFIX = 'homeward-pages-';
const PAGES = PREFIX + build.version;
const ASSETS = 'homeward-assets';
const PATIENCE_MS = 3000;
const WHATEVER = { ignoreSearch: true, ignoreVary: true };

worker.addEventListener('install', (event) => event.waitUntil(store()));
worker.addEventListener('activate', (event) => event.waitUntil(tidy().then(() => worker.clients.claim())));
worker.addEventListener('fetch', (event) => {
  const { method, url, headers } = event.request;
  const way = wayOf({ method, url, range: headers.get('range') }, scope);
  if (way === 'page') event.respondWith(page(event.request));
  if (way === 'asset') event.respondWith(asset(event));
});

async function store(): Promise<void> {
  const [pages, assets] = await Promise.all([caches.open(PAGES), caches.open(ASSETS)]);
  const here = new Set((await assets.keys()).map(({ url }) => url));
  const missing = build.small.map((path) => scope + path).filter((url) => !here.has(url));
  await assets.addAll(missing);
  await pages.addAll(build.pages.map((path) => new Request(scope + path, { cache: 'no-cache' })));
}

async function tidy(): Promise<void> {
  const old = outdated(await caches.keys(), PREFIX, PAGES);
  await Promise.all(old.map((name) => caches.delete(name)));
  const assets = await caches.open(ASSETS);
  const ours = new Set(build.all.map((path) => scope + path));
  const gone = (await assets.keys()).filter(({ url }) => !ours.has(url));
  await Promise.all(gone.map((request) => assets.delete(request)));
}

async function page(request: Request): Promise<Response> {
  const fromNetwork = fetch(request);
  const stored = (await (await caches.open(PAGES)).match(request, WHATEVER)) ?? null;
  if (!stored) return fromNetwork;
  const late = new Promise<Response>((resolve) => setTimeout(resolve, PATIENCE_MS, stored));
  const sound = fromNetwork.then((answer) => (answer.status < 500 ? answer : stored));
  return Promise.race([sound, late]).catch(() => stored);
}

async function asset(event: Fetching): Promise<Response> {
  const assets = await caches.open(ASSETS);
  const stored = await assets.match(event.request, WHATEVER);
  if (stored) return stored;
  const answer = await fetch(event.request);
  // Without room for it, it is fetched again next time.
  if (answer.status === 200) event.waitUntil(assets.put(event.request, answer.clone()).catch(() => undefined));
  return answer;
}
