/** The page's side of the service worker. */

const PATIENCE_MS = 10_000;

/** Undefined on plain http addresses of other machines, though TypeScript takes it for granted. */
const workers = (): ServiceWorkerContainer | undefined => navigator.serviceWorker as ServiceWorkerContainer | undefined;

/** `root` leads from the page to where the worker lies. */
export function keepOffline(root: string): void {
  // A browser that refuses it still shows the pages; the overview tells.
  workers()?.register(`${root}sw.js`, { updateViaCache: 'none' }).catch(() => undefined);
}

export type Offline = 'yes' | 'soon' | 'no';

export async function offlineState(): Promise<Offline> {
  const container = workers();
  if (!container) return 'no';
  if (container.controller) return 'yes';
  const registration = await container.getRegistration().catch(() => undefined);
  return registration ? 'soon' : 'no';
}

/**
 * Waits until requests of this page pass the worker, so that what they bring is kept. Never rejects; gives up where
 * the worker doesn't come.
 */
export async function offlineReady(): Promise<void> {
  const container = workers();
  if (!container || container.controller || !(await container.getRegistration().catch(() => undefined))) return;
  await new Promise<void>((resolve) => {
    container.addEventListener('controllerchange', () => resolve(), { once: true });
    setTimeout(resolve, PATIENCE_MS);
    if (container.controller) resolve();
  });
}
