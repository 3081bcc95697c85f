/** What the service worker does with a request: decided from the request alone. */

export type Way =
  | 'page' // the network's for as long as it answers soon, else the stored one
  | 'asset' // its name changes with its content, so the stored one is right for ever
  | 'pass'; // not ours to answer

export interface Asked {
  readonly method: string;
  readonly url: string;
  /** Of a `Range` header. */
  readonly range: string | null;
}

/** `scope` is the address below which the pages lie; it ends with a slash. */
export function wayOf({ method, url, range }: Asked, scope: string): Way {
  if (method !== 'GET' || range !== null || !url.startsWith(scope)) return 'pass';
  const [place = ''] = url.slice(scope.length).split(/[?#]/);
  if (place.startsWith('assets/')) return 'asset';
  if (place.startsWith('models/')) return 'pass'; // the pages keep these themselves
  return place === '' || place.endsWith('/') || /\.(html|txt|svg)$/.test(place) ? 'page' : 'pass';
}

/** Names of caches that an earlier build has left. */
export function outdated(names: readonly string[], prefix: string, current: string): readonly string[] {
  return names.filter((name) => name.startsWith(prefix) && name !== current);
}
