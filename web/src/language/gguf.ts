/** What the first bytes of a GGUF say, so that no other file gets as far as the engine, which would abort on it. */

import { LanguageError } from './types';

/** Bytes that hold all that is read here: it stands before the tokenizer's long lists. */
export const HEAD_BYTES = 256 * 1024;
/** The engine's documented limit for one file. */
export const LARGEST_BYTES = 2 ** 31 - 1;

const SMALLEST = 24; // magic, version, two counts
const MOST_TENSORS = 1 << 20;
const MOST_ENTRIES = 1 << 16;

export interface Head {
  readonly architecture: string;
  readonly name: string;
  /** Tokens that the model was trained for; null where the head doesn't say so early. */
  readonly context: number | null;
}

/** Rejects with LanguageError: `not-gguf`, `cut`, `too-large` or `unsupported`. */
export async function checkFile(file: Blob): Promise<Head> {
  const head = readHead(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()));
  if (file.size > LARGEST_BYTES) throw new LanguageError('too-large', `${file.size} bytes`);
  return head;
}

/** Throws LanguageError: `not-gguf`, `cut` or `unsupported`. */
export function readHead(bytes: Uint8Array): Head {
  if (!'GGUF'.startsWith(ascii(bytes.subarray(0, 4))) || bytes.length === 0) throw new LanguageError('not-gguf');
  if (bytes.length < SMALLEST) throw new LanguageError('cut');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(4, false) <= 0xff) throw new LanguageError('unsupported', 'big-endian');
  const version = view.getUint32(4, true);
  if (version > 0xff) throw new LanguageError('not-gguf');
  if (version !== 2 && version !== 3) throw new LanguageError('unsupported', `GGUF version ${version}`);
  const [tensors, entries] = [view.getBigUint64(8, true), view.getBigUint64(16, true)];
  if (tensors > MOST_TENSORS || entries > MOST_ENTRIES || entries === 0n) throw new LanguageError('not-gguf');
  if (tensors === 0n) throw new LanguageError('unsupported', 'no tensors');
  const values = readEntries(view, Number(entries));
  const architecture = text(values.get('general.architecture'));
  if (architecture === 'clip') throw new LanguageError('unsupported', 'a projector, not a language model');
  if (Number(values.get('split.count') ?? 1) > 1) throw new LanguageError('unsupported', 'one part of several');
  const context = values.get(`${architecture}.context_length`);
  const name = text(values.get('general.name'));
  return { architecture, name, context: typeof context === 'number' ? context : null };
}

const text = (value: Value | undefined): string => (typeof value === 'string' ? value : '');
const ascii = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

type Value = number | string | null;

/** Sizes of the plain types by their number; 8 is text, 9 a list. */
const SIZES = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];
const [TEXT, LIST] = [8, 9];

/** As many as the bytes hold; lists are passed over. */
function readEntries(view: DataView, count: number): Map<string, Value> {
  const reader = new Reader(view);
  const values = new Map<string, Value>();
  try {
    for (let index = 0; index < count; index++) values.set(reader.text(), reader.value());
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // the end of these bytes
  }
  return values;
}

class Reader {
  private at = SMALLEST;

  constructor(private readonly view: DataView) {}

  text(): string {
    const length = this.length();
    if (this.at + length > this.view.byteLength) throw new RangeError();
    const bytes = new Uint8Array(this.view.buffer, this.view.byteOffset + this.at, length);
    this.at += length;
    return new TextDecoder().decode(bytes);
  }

  value(type = this.uint32()): Value {
    if (type === TEXT) return this.text();
    if (type === LIST) return this.list();
    const size = SIZES[type];
    if (!size) throw new RangeError();
    this.at += size;
    // Signs and fractions matter to none of the values that are asked for.
    if (size === 4) return this.view.getUint32(this.at - 4, true);
    return size === 2 ? this.view.getUint16(this.at - 2, true) : null;
  }

  private list(): null {
    const type = this.uint32();
    const count = this.length();
    if (type === TEXT) for (let index = 0; index < count; index++) this.text();
    else if (SIZES[type]) this.at += SIZES[type] * count;
    else throw new RangeError();
    return null;
  }

  private uint32(): number {
    this.at += 4;
    return this.view.getUint32(this.at - 4, true);
  }

  private length(): number {
    this.at += 8;
    return Number(this.view.getBigUint64(this.at - 8, true));
  }
}
