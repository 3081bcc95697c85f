/** Brings one model file here, going on where it broke off, and keeps it only if it is the one that the card names. */

import { HEAD_BYTES, readHead } from './gguf';
import { Meter } from './progress';
import { Sha256 } from './sha256';
import { LanguageError, type LanguageProblem, type ModelCard, type Progress } from './types';

/** Where the bytes go. */
export interface Part {
  readonly size: number;
  /** Whose version the bytes are of; empty where the server doesn't say. */
  etag: string;
  read(from: number, to: number): Promise<Uint8Array>;
  /** Throws QuotaExceededError where there is no room. */
  append(bytes: Uint8Array): void;
  clear(): void;
}

const READ_BYTES = 4 * 1024 * 1024;
const TOLD_EVERY_MS = 250;
const PAUSE_EVERY_MS = 50;
/** After these nothing of what is here is of use. */
const WRONG: readonly LanguageProblem[] = ['foreign', 'not-gguf', 'unsupported'];

/** Fills the part. Rejects with LanguageError, after which a wrong file is gone and a part stays; or AbortError. */
export async function download(
  card: ModelCard,
  url: string,
  part: Part,
  told: (progress: Progress) => void,
  signal: AbortSignal,
  fetched: typeof fetch = fetch,
): Promise<void> {
  if (part.size > card.bytes) part.clear();
  const meter = new Meter(part.size, card.bytes, performance.now());
  const tell = (): void => told(meter.at(part.size, performance.now()));
  const telling = setInterval(tell, TOLD_EVERY_MS);
  try {
    tell();
    await new Download(card, url, part, signal, fetched).run();
    tell();
  } catch (error) {
    if (error instanceof LanguageError && WRONG.includes(error.problem)) part.clear();
    throw error;
  } finally {
    clearInterval(telling);
  }
}

class Download {
  /** Of all that the part has. */
  private hash = new Sha256();
  private readonly pause: () => Promise<void>;

  constructor(
    private readonly card: ModelCard,
    private readonly url: string,
    private readonly part: Part,
    private readonly signal: AbortSignal,
    private readonly fetched: typeof fetch,
  ) {
    this.pause = pausing(signal);
  }

  async run(): Promise<void> {
    const { card, part } = this;
    for (let at = 0; at < part.size; at += READ_BYTES) {
      await this.pause();
      this.hash.add(await part.read(at, Math.min(at + READ_BYTES, part.size)));
    }
    if (part.size < card.bytes) await this.receive(await this.respond());
    if (this.hash.end() !== card.sha256) throw new LanguageError('foreign', 'other content');
  }

  /** One whose body goes on where the part ends. */
  private async respond(): Promise<Response> {
    const { part } = this;
    let response = await this.ask();
    if (response.status === 416) {
      this.startAgain();
      response = await this.ask();
    }
    if (response.status === 206) checkRange(response, part.size, this.card.bytes);
    else if (response.status === 200) this.startAgain();
    else throw refusal(response.status);
    part.etag = response.headers.get('etag') ?? '';
    return response;
  }

  private startAgain(): void {
    this.part.clear();
    this.hash = new Sha256();
  }

  private async ask(): Promise<Response> {
    const { fetched, part, signal } = this; // the browser's own fetch may be no method of ours
    const headers: Record<string, string> = {};
    if (part.size > 0) {
      headers['range'] = `bytes=${part.size}-`;
      // A weak tag names no bytes; without one the hash tells in the end.
      if (part.etag && !part.etag.startsWith('W/')) headers['if-range'] = part.etag;
    }
    try {
      return await fetched(this.url, { headers, signal, cache: 'no-store' });
    } catch (error) {
      signal.throwIfAborted();
      throw new LanguageError('unreachable', String(error));
    }
  }

  private async receive(response: Response): Promise<void> {
    const { card, part } = this;
    const reader = response.body!.getReader();
    let checked = part.size > 0;
    try {
      for (;;) {
        await this.pause();
        const bytes = await this.next(reader);
        if (!bytes) break;
        if (part.size + bytes.length > card.bytes) throw new LanguageError('foreign', 'longer than the card says');
        keep(part, bytes);
        this.hash.add(bytes);
        if (!checked && part.size >= HEAD_BYTES) {
          readHead(await part.read(0, HEAD_BYTES));
          checked = true;
        }
      }
    } finally {
      reader.cancel().catch(() => undefined); // of what is done with, or broken already
    }
    if (part.size === card.bytes) return;
    if (!checked) readHead(await part.read(0, part.size));
    const bytes = part.size;
    part.clear(); // a shorter file, not a broken connection: nothing to go on with
    throw new LanguageError('cut', `${bytes} of ${card.bytes} bytes`);
  }

  /** Null at the end. */
  private async next(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array | null> {
    try {
      return (await reader.read()).value ?? null;
    } catch (error) {
      this.signal.throwIfAborted();
      throw new LanguageError('cut', String(error));
    }
  }
}

/** Bytes that come fast leave no room for timers, and for being cancelled, unless it is made. */
function pausing(signal: AbortSignal): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last > PAUSE_EVERY_MS) {
      await new Promise((resolve) => setTimeout(resolve));
      last = performance.now();
    }
    signal.throwIfAborted();
  };
}

function refusal(status: number): LanguageError {
  return new LanguageError(status === 404 || status === 410 ? 'missing' : 'refused', `status ${status}`);
}

/** What comes must go on exactly where the part ends, in a file of the card's length. */
function checkRange(response: Response, from: number, total: number): void {
  const range = response.headers.get('content-range') ?? '';
  const [, first, length] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(range) ?? [];
  if (Number(first) !== from || (length !== '*' && Number(length) !== total)) throw new LanguageError('foreign', range);
}

function keep(part: Part, bytes: Uint8Array): void {
  try {
    part.append(bytes);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'QuotaExceededError') throw new LanguageError('no-room');
    throw error;
  }
}
