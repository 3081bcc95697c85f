import { createHash } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { download, type Part } from './download';
import { LanguageError, type ModelCard, type Progress } from './types';

const BYTES = Uint8Array.from({ length: 700_000 }, (_, index) => (index * 7) % 256);
BYTES.set([71, 71, 85, 70, 3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
const CARD: ModelCard = {
  file: 'tiny.gguf',
  name: 'Tiny',
  bytes: BYTES.length,
  sha256: createHash('sha256').update(BYTES).digest('hex'),
  licence: 'Apache-2.0',
};

class Memory implements Part {
  etag = '';
  bytes = new Uint8Array();
  room = Infinity;

  get size(): number {
    return this.bytes.length;
  }

  get isWhole(): boolean {
    return Buffer.compare(this.bytes, BYTES) === 0;
  }

  async read(from: number, to: number): Promise<Uint8Array> {
    return this.bytes.slice(from, to);
  }

  append(bytes: Uint8Array): void {
    if (this.size + bytes.length > this.room) throw new DOMException('full', 'QuotaExceededError');
    this.bytes = new Uint8Array(Buffer.concat([this.bytes, bytes]));
  }

  clear(): void {
    this.bytes = new Uint8Array();
    this.etag = '';
  }
}

interface Served {
  bytes?: Uint8Array;
  etag?: string | null;
  /** The connection breaks after as many of them. */
  breaksAfter?: number;
  status?: number;
  ranges?: boolean;
}

/** A server with one file, and what it was asked for. */
function server(served: Served = {}): { fetched: typeof fetch; asked: Headers[] } {
  const { bytes = BYTES, etag = '"one"', breaksAfter = Infinity, status = 200, ranges = true } = served;
  const asked: Headers[] = [];
  const fetched = async (_: unknown, init?: RequestInit): Promise<Response> => {
    init?.signal?.throwIfAborted();
    const headers = new Headers(init?.headers);
    asked.push(headers);
    if (status !== 200) return new Response('no', { status });
    const from = Number(/^bytes=(\d+)-$/.exec(headers.get('range') ?? '')?.[1] ?? 0);
    const same = !headers.has('if-range') || headers.get('if-range') === etag;
    const partial = ranges && from > 0 && same;
    if (partial && from >= bytes.length) return new Response('', { status: 416 });
    const sent = bytes.subarray(partial ? from : 0);
    return new Response(streamOf(sent, breaksAfter, init?.signal ?? null), {
      status: partial ? 206 : 200,
      headers: {
        ...(etag && { etag }),
        ...(partial && { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
      },
    });
  };
  return { fetched: fetched as typeof fetch, asked };
}

function streamOf(bytes: Uint8Array, breaksAfter: number, signal: AbortSignal | null): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (signal?.aborted) controller.error(signal.reason);
      else if (at >= breaksAfter) controller.error(new TypeError('network error'));
      else if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, (at = Math.min(at + 65_536, breaksAfter, bytes.length))));
    },
  });
}

async function run(part: Part, fetched: typeof fetch, signal = new AbortController().signal): Promise<Progress[]> {
  const told: Progress[] = [];
  await download(CARD, 'models/tiny.gguf', part, (progress) => told.push(progress), signal, fetched);
  return told;
}

const rangeOf = (headers: Headers): unknown => [headers.get('range'), headers.get('if-range')];
const problem = (part: Part, served: Served): Promise<string> =>
  run(part, server(served).fetched).then(
    () => 'none',
    (error: unknown) => (error instanceof LanguageError ? error.problem : String(error)),
  );

describe('a download', () => {
  it('brings the file, and tells from nothing to all', async () => {
    const part = new Memory();
    const { fetched, asked } = server();
    const told = await run(part, fetched);
    expect(part.isWhole).toBe(true);
    expect(asked.map((headers) => headers.get('range'))).toEqual([null]);
    expect(told[0]).toMatchObject({ loaded: 0, total: CARD.bytes, secondsLeft: null });
    expect(told.at(-1)).toMatchObject({ loaded: CARD.bytes, secondsLeft: 0 });
  });

  it('goes on after a cut connection, and still knows the hash of all', async () => {
    const part = new Memory();
    expect(await problem(part, { breaksAfter: 300_000 })).toBe('cut');
    expect(part.size).toBe(300_000);
    const { fetched, asked } = server();
    const told = await run(part, fetched);
    expect(part.isWhole).toBe(true);
    expect(asked.map(rangeOf)).toEqual([['bytes=300000-', '"one"']]);
    expect(told[0]).toMatchObject({ loaded: 300_000 });
  });

  it('goes on after being cancelled', async () => {
    const part = new Memory();
    const cancelling = new AbortController();
    const { fetched } = server();
    part.append = (bytes) => {
      Memory.prototype.append.call(part, bytes);
      if (part.size > 200_000) cancelling.abort();
    };
    await expect(run(part, fetched, cancelling.signal)).rejects.toMatchObject({ name: 'AbortError' });
    expect(part.size).toBeGreaterThan(200_000);
    expect(part.size).toBeLessThan(CARD.bytes);
    await run(part, fetched);
    expect(part.isWhole).toBe(true);
  });

  it.each<[string, Served]>([
    ['has another version now', { etag: '"two"' }],
    ['knows no ranges', { ranges: false }],
  ])('starts again where the server %s', async (_, served) => {
    const part = new Memory();
    await problem(part, { breaksAfter: 300_000 });
    part.bytes.fill(0); // of the part nothing may be left
    expect(await problem(part, served)).toBe('none');
    expect(part.isWhole).toBe(true);
  });

  it.each([null, 'W/"weak"'])('goes on without a tag that names bytes: %s', async (etag) => {
    const part = new Memory();
    await problem(part, { breaksAfter: 300_000, etag });
    const { fetched, asked } = server({ etag });
    await run(part, fetched);
    expect(asked.map(rangeOf)).toEqual([['bytes=300000-', null]]);
  });

  it('asks for nothing where all is here, but checks it', async () => {
    const part = new Memory();
    part.bytes = BYTES.slice();
    const { fetched, asked } = server();
    await run(part, fetched);
    expect(asked).toEqual([]);
    part.bytes[1000]! ^= 1;
    await expect(run(part, fetched)).rejects.toMatchObject({ problem: 'foreign' });
    expect(part.size).toBe(0);
  });

  it('finds a damaged part in the end, and then starts from nothing', async () => {
    const part = new Memory();
    await problem(part, { breaksAfter: 300_000 });
    part.bytes[5000]! ^= 1;
    expect(await problem(part, {})).toBe('foreign');
    expect(part.size).toBe(0);
    expect(await problem(part, {})).toBe('none');
  });
});

describe('a wrong answer', () => {
  it.each<[string, Served, string, number]>([
    ['nothing there', { status: 404 }, 'missing', 0],
    ['forbidden', { status: 403 }, 'refused', 0],
    ['a broken server', { status: 500 }, 'refused', 0],
    ['a page', { bytes: new TextEncoder().encode('<!doctype html><title>Sign in</title>') }, 'not-gguf', 0],
    ['a long page', { bytes: new Uint8Array(700_000).fill(60) }, 'not-gguf', 0],
    ['another model', { bytes: BYTES.with(300_000, 1) }, 'foreign', 0],
    ['a longer one', { bytes: new Uint8Array(Buffer.concat([BYTES, Uint8Array.of(1)])) }, 'foreign', 0],
    ['a cut one', { bytes: BYTES.subarray(0, 400_000) }, 'cut', 0],
  ])('%s', async (_, served, code, left) => {
    const part = new Memory();
    expect(await problem(part, served)).toBe(code);
    expect(part.size).toBe(left);
  });

  it('comes from nobody', async () => {
    const nobody = (async () => {
      throw new TypeError('Failed to fetch');
    }) as typeof fetch;
    await expect(run(new Memory(), nobody)).rejects.toMatchObject({ problem: 'unreachable' });
  });

  it('is about a shorter file than before', async () => {
    const part = new Memory();
    await problem(part, { breaksAfter: 300_000 });
    expect(await problem(part, { bytes: BYTES.subarray(0, 400_000) })).toBe('foreign');
    await problem(part, { breaksAfter: 300_000 });
    expect(await problem(part, { bytes: BYTES.subarray(0, 200_000) })).toBe('cut');
    expect(await problem(part, {})).toBe('none');
  });

  it('leaves the part where there is no room for more', async () => {
    const part = new Memory();
    part.room = 400_000;
    expect(await problem(part, {})).toBe('no-room');
    expect(part.size).toBeGreaterThan(300_000);
    part.room = Infinity;
    expect(await problem(part, {})).toBe('none');
  });
});
