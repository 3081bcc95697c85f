import { describe, expect, it } from 'vitest';

import { checkFile, LARGEST_BYTES, readHead } from './gguf';
import { LanguageError } from './types';

const LITTLE = true;

const uint32 = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)];
const uint64 = (value: number): number[] => [...uint32(value % 2 ** 32), ...uint32(Math.floor(value / 2 ** 32))];
const text = (value: string): number[] => [...uint64(value.length), ...new TextEncoder().encode(value)];
const entry = (key: string, type: number, value: number[]): number[] => [...text(key), ...uint32(type), ...value];

interface Parts {
  version?: number[];
  tensors?: number;
  entries?: number[][];
}

function gguf({ version = uint32(3), tensors = 2, entries = MODEL }: Parts = {}): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([
    ...new TextEncoder().encode('GGUF'),
    ...version,
    ...uint64(tensors),
    ...uint64(entries.length),
    ...entries.flat(),
  ]);
}

const MODEL = [
  entry('general.architecture', 8, text('llama')),
  entry('general.tags', 9, [...uint32(8), ...uint64(2), ...text('a'), ...text('bc')]),
  entry('general.weights', 9, [...uint32(6), ...uint64(3), ...uint32(1), ...uint32(2), ...uint32(3)]),
  entry('general.small', 7, [1]),
  entry('general.long', 10, uint64(7)),
  entry('general.name', 8, text('Tiny')),
  entry('llama.context_length', 4, uint32(2048)),
  entry('split.count', 2, [1, 0]),
];

function problem(bytes: Uint8Array): string {
  try {
    readHead(bytes);
  } catch (error) {
    if (error instanceof LanguageError) return error.problem;
    throw error;
  }
  return 'none';
}

describe('a model', () => {
  it('tells what it is', () => {
    expect(readHead(gguf())).toEqual({ architecture: 'llama', name: 'Tiny', context: 2048 });
    expect(readHead(gguf({ version: uint32(2) })).name).toBe('Tiny');
  });

  it('tells as much as the first bytes hold', () => {
    const bytes = gguf();
    const [named, context] = [bytes.length - 60, bytes.length - 26];
    expect(readHead(bytes.subarray(0, context)).context).toBeNull();
    expect(readHead(bytes.subarray(0, named)).architecture).toBe('llama');
    for (let length = 24; length < bytes.length; length++) expect(problem(bytes.subarray(0, length))).toBe('none');
  });
});

describe('what is none', () => {
  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['a page', new TextEncoder().encode('<!doctype html><title>Not found</title>')],
    ['bytes after the magic', Uint8Array.from([71, 71, 85, 70, ...Array(200).fill(0xc3)])],
    ['more tensors than any', gguf({ tensors: 2 ** 40 })],
    ['no entries', gguf({ entries: [] })],
  ])('is no GGUF: %s', (_, bytes) => expect(problem(bytes)).toBe('not-gguf'));

  it('is cut within its first numbers', () => {
    for (let length = 1; length < 24; length++) expect(problem(gguf().subarray(0, length))).toBe('cut');
  });

  it.each<[string, Parts]>([
    ['a version of old', { version: uint32(1) }],
    ['a version to come', { version: uint32(4) }],
    ['big-endian', { version: uint32(3).reverse() }],
    ['without tensors', { tensors: 0 }],
    ['a projector', { entries: [entry('general.architecture', 8, text('clip'))] }],
    ['one part of several', { entries: [...MODEL.slice(0, -1), entry('split.count', 2, [3, 0])] }],
  ])('is not supported: %s', (_, parts) => expect(problem(gguf(parts))).toBe('unsupported'));
});

it('takes no file above the limit', async () => {
  const large = { size: LARGEST_BYTES + 1, slice: () => new Blob([gguf()]) } as unknown as Blob;
  await expect(checkFile(large)).rejects.toMatchObject({ problem: 'too-large' });
  expect((await checkFile(new Blob([gguf()]))).architecture).toBe('llama');
});

it('survives whatever bytes follow', () => {
  const view = new DataView(gguf().buffer);
  for (let at = 24; at < view.byteLength - 8; at++) {
    const copy = new Uint8Array(view.buffer.slice(0));
    new DataView(copy.buffer).setBigUint64(at, 0xffff_ffff_ffff_ffffn, LITTLE);
    expect(['none', 'unsupported']).toContain(problem(copy));
  }
});
