/** Downloads one model into the private file system: off the page's thread, where files can be written in place. */

import { download } from './download';
import { alone, OpfsPart, stored } from './opfs';
import { LanguageError, type LanguageProblem, type ModelCard, type Progress } from './types';

export type ToStoreWorker = { readonly card: ModelCard; readonly url: string } | 'cancel';
export type FromStoreWorker =
  | { readonly progress: Progress }
  | 'done'
  | 'aborted'
  | { readonly problem: LanguageProblem; readonly detail: string };

const cancelling = new AbortController();

self.onmessage = ({ data }: MessageEvent<ToStoreWorker>) => {
  if (data === 'cancel') cancelling.abort();
  else void bring(data.card, data.url).then(say);
};

function say(message: FromStoreWorker): void {
  self.postMessage(message);
}

async function bring(card: ModelCard, url: string): Promise<FromStoreWorker> {
  const { signal } = cancelling;
  try {
    // Another tab may be at it: then this one waits, and finds the file.
    await alone(card.file, signal, () => fetchOnce(card, url, signal));
    return 'done';
  } catch (error) {
    if (signal.aborted) return 'aborted';
    if (error instanceof LanguageError) return { problem: error.problem, detail: error.detail };
    if (error instanceof DOMException && error.name === 'QuotaExceededError') return { problem: 'no-room', detail: '' };
    return { problem: 'engine-failed', detail: String(error) };
  }
}

async function fetchOnce(card: ModelCard, url: string, signal: AbortSignal): Promise<void> {
  if (await stored(card)) return;
  const part = await OpfsPart.open(card);
  try {
    await checkRoom(card.bytes - part.size);
    await download(card, url, part, (progress) => say({ progress }), signal);
    part.finish();
  } finally {
    part.close();
  }
}

/** Rejects before anything is downloaded; the browser's own number is an estimate, so writing may still fail. */
async function checkRoom(bytes: number): Promise<void> {
  const { quota, usage } = await navigator.storage.estimate();
  if (quota !== undefined && quota - (usage ?? 0) < bytes) throw new LanguageError('no-room', `${quota} bytes in all`);
}
