/**
 * Model files in the origin's private file system: for each a folder of its name with the bytes and a note on them.
 *
 * Bytes are written by the worker alone, in place: what has arrived stays, whatever ends the page. (A writable stream
 * works on a copy that a closed page throws away, and Safari has it since version 26 only.)
 */

import type { Part } from './download';
import type { ModelCard, Stored } from './types';

const FOLDER = 'homeward-models';
const BYTES = 'bytes';
const NOTE = 'note.json';

/** What is known of the bytes. */
interface Note {
  readonly sha256: string;
  readonly etag: string;
  /** All are there, and have the hash. */
  readonly whole: boolean;
}

/** Not among TypeScript's types for pages. */
interface SyncAccessHandle {
  getSize(): number;
  read(buffer: Uint8Array, options: { at: number }): number;
  write(buffer: Uint8Array, options?: { at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}

interface SyncFileHandle extends FileSystemFileHandle {
  createSyncAccessHandle(): Promise<SyncAccessHandle>;
}

/** Rejects where the browser keeps nothing. */
export async function modelsFolder(): Promise<FileSystemDirectoryHandle> {
  return (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
}

/** The whole file, or null. */
export async function stored(card: ModelCard): Promise<File | null> {
  const kept = await look(await modelsFolder(), card.file);
  return kept?.note?.whole && kept.note.sha256 === card.sha256 && kept.bytes.size === card.bytes ? kept.bytes : null;
}

export async function list(): Promise<Stored[]> {
  const folder = await modelsFolder();
  const found: Stored[] = [];
  for await (const file of folder.keys()) {
    const kept = await look(folder, file);
    if (kept && kept.bytes.size > 0) found.push({ file, bytes: kept.bytes.size, whole: kept.note?.whole ?? false });
  }
  return found.sort((one, other) => (one.file < other.file ? -1 : 1));
}

/** Waits for whoever is downloading it. */
export function remove(file: string): Promise<void> {
  return alone(file, undefined, async () => {
    try {
      await (await modelsFolder()).removeEntry(file, { recursive: true });
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  });
}

/** Does what no other tab may do with this file at the same time; `signal` ends the waiting only. */
export async function alone(file: string, signal: AbortSignal | undefined, work: () => Promise<void>): Promise<void> {
  await navigator.locks.request(`homeward-model ${file}`, { ...(signal && { signal }) }, work);
}

interface Kept {
  readonly bytes: File;
  readonly note: Note | null;
}

async function look(folder: FileSystemDirectoryHandle, file: string): Promise<Kept | null> {
  try {
    const own = await folder.getDirectoryHandle(file);
    const bytes = await (await own.getFileHandle(BYTES)).getFile();
    const note = await own.getFileHandle(NOTE).then(readNote, () => null);
    return { bytes, note };
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

async function readNote(handle: FileSystemFileHandle): Promise<Note | null> {
  try {
    return JSON.parse(await (await handle.getFile()).text()) as Note;
  } catch {
    return null; // half-written: the bytes are begun anew
  }
}

const isMissing = (error: unknown): boolean => error instanceof DOMException && error.name === 'NotFoundError';

/** The bytes of one model as they grow. Only for workers, and only `alone`. */
export class OpfsPart implements Part {
  private constructor(
    private readonly sha256: string,
    private readonly bytes: SyncAccessHandle,
    private readonly notes: SyncAccessHandle,
    private tag: string,
  ) {}

  static async open(card: ModelCard): Promise<OpfsPart> {
    const folder = await modelsFolder();
    const note = (await look(folder, card.file))?.note;
    const own = await folder.getDirectoryHandle(card.file, { create: true });
    const [bytes, notes] = [await synchronous(own, BYTES), await synchronous(own, NOTE)];
    const part = new OpfsPart(card.sha256, bytes, notes, note?.etag ?? '');
    if (note?.sha256 !== card.sha256) part.clear();
    return part;
  }

  get size(): number {
    return this.bytes.getSize();
  }

  get etag(): string {
    return this.tag;
  }

  set etag(value: string) {
    this.tag = value;
    this.write(false);
  }

  async read(from: number, to: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(to - from);
    return bytes.subarray(0, this.bytes.read(bytes, { at: from }));
  }

  append(bytes: Uint8Array): void {
    const size = this.size;
    this.bytes.write(bytes, { at: size });
    // Chromium says that it has written what it has not.
    if (this.size < size + bytes.length) throw new DOMException('only a part was written', 'QuotaExceededError');
  }

  clear(): void {
    this.bytes.truncate(0);
    this.etag = '';
  }

  /** From now on it is a stored file. */
  finish(): void {
    this.bytes.flush();
    this.write(true);
  }

  close(): void {
    this.bytes.close();
    this.notes.close();
  }

  private write(whole: boolean): void {
    const note: Note = { sha256: this.sha256, etag: this.tag, whole };
    this.notes.truncate(0);
    this.notes.write(new TextEncoder().encode(JSON.stringify(note)), { at: 0 });
    this.notes.flush();
  }
}

async function synchronous(folder: FileSystemDirectoryHandle, name: string): Promise<SyncAccessHandle> {
  return ((await folder.getFileHandle(name, { create: true })) as SyncFileHandle).createSyncAccessHandle();
}
