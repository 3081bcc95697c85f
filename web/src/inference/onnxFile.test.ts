import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { problemOf } from './onnxFile';

const digits = new Uint8Array(readFileSync(new URL('../../models/digits.onnx', import.meta.url)));
const text = (content: string): Uint8Array => new TextEncoder().encode(content);

/** A protobuf field with bytes in it. */
function field(number: number, content: Uint8Array): Uint8Array {
  return Uint8Array.of(number * 8 + 2, content.length, ...content);
}

describe('a file', () => {
  it('is fine when it is our model', () => {
    expect(problemOf(digits)).toBeNull();
  });

  it.each([1, 10, 1000, digits.length - 1])('is cut after %i bytes', (length) => {
    expect(problemOf(digits.subarray(0, length))).toBe('cut');
  });

  it.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(), 'empty'],
    ['a web page', text('\n<!DOCTYPE html><html></html>'), 'web-page'],
    ['a pointer', text('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 26\n'), 'pointer'],
    ['a GGUF', text('GGUF\u0003\0\0\0'), 'not-onnx'],
    ['a picture', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), 'not-onnx'],
    ['zeros', new Uint8Array(1000), 'not-onnx'],
    ['protobuf without a graph', Uint8Array.of(0x08, 0x08), 'not-onnx'],
    ['plain text', text('hello world, this is no model'), 'not-onnx'],
  ])('may be %s', (_, bytes, problem) => {
    expect(problemOf(bytes)).toBe(problem);
  });

  it('may have its weights elsewhere', () => {
    const tensor = (location: number): Uint8Array => Uint8Array.of(14 * 8, location);
    const model = (location: number): Uint8Array => field(7, field(5, tensor(location)));
    expect(problemOf(model(1))).toBe('external-data');
    expect(problemOf(model(0))).toBeNull();
  });
});
