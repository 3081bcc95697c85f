/** The models that this browser keeps, and where it keeps none, those that this page has downloaded. */

import { download, type Part } from './download';
import { list, modelsFolder, remove, stored } from './opfs';
import { serial } from '../inference/serial';
import type { FromStoreWorker, ToStoreWorker } from './storeWorker';
import { LanguageError, type ModelCard, type ModelStore, type Progress, type Stored } from './types';

/** Asks the browser whether it keeps files: it may lack the means, or have them switched off. */
export async function openStore(): Promise<ModelStore> {
  try {
    await modelsFolder();
    return new KeptModels();
  } catch {
    return new PageModels();
  }
}

class KeptModels implements ModelStore {
  readonly keeps = true;

  list(): Promise<readonly Stored[]> {
    return list();
  }

  async get(card: ModelCard, url: string, told: (progress: Progress) => void, signal: AbortSignal): Promise<Blob> {
    signal.throwIfAborted();
    const here = await stored(card).catch(() => null); // what can't be read is brought anew
    if (here) return here;
    // Some browsers ask the user; the download does not wait for that.
    navigator.storage.persist().catch(() => undefined);
    await downloadInWorker(card, new URL(url, location.href).href, told, signal);
    const file = await stored(card);
    if (!file) throw new LanguageError('foreign', 'gone after the download');
    return file;
  }

  remove(file: string): Promise<void> {
    return remove(file);
  }
}

function downloadInWorker(
  card: ModelCard,
  url: string,
  told: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<void> {
  const worker = new Worker(new URL('./storeWorker.ts', import.meta.url), { type: 'module' });
  const say = (message: ToStoreWorker): void => worker.postMessage(message);
  const cancel = (): void => say('cancel');
  signal.addEventListener('abort', cancel);
  return new Promise<void>((resolve, reject) => {
    worker.onerror = (event) => reject(new LanguageError('engine-failed', event.message));
    worker.onmessage = ({ data }: MessageEvent<FromStoreWorker>) => {
      if (data === 'done') resolve();
      else if (data === 'aborted') reject(signal.reason);
      else if ('progress' in data) told(data.progress);
      else reject(new LanguageError(data.problem, data.detail));
    };
    say({ card, url });
  }).finally(() => {
    signal.removeEventListener('abort', cancel);
    worker.terminate();
  });
}

/** For this page's life only. */
class PageModels implements ModelStore {
  readonly keeps = false;

  private readonly parts = new Map<string, MemoryPart>();
  private readonly inTurn = serial();

  async list(): Promise<readonly Stored[]> {
    return [];
  }

  get(card: ModelCard, url: string, told: (progress: Progress) => void, signal: AbortSignal): Promise<Blob> {
    return this.inTurn(async () => {
      const part = this.parts.get(card.sha256) ?? new MemoryPart();
      this.parts.set(card.sha256, part);
      await download(card, url, part, told, signal);
      this.parts.delete(card.sha256);
      return part.blob();
    });
  }

  async remove(): Promise<void> {
    this.parts.clear();
  }
}

class MemoryPart implements Part {
  size = 0;
  etag = '';

  private pieces: Uint8Array<ArrayBuffer>[] = [];

  blob(): Blob {
    return new Blob(this.pieces);
  }

  async read(from: number, to: number): Promise<Uint8Array> {
    return new Uint8Array(await this.blob().slice(from, to).arrayBuffer());
  }

  append(bytes: Uint8Array<ArrayBuffer>): void {
    this.pieces.push(bytes);
    this.size += bytes.length;
  }

  clear(): void {
    this.pieces = [];
    this.size = 0;
    this.etag = '';
  }
}
