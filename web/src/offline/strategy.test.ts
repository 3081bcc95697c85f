import { expect, it } from 'vitest';

import { type Way, outdated, wayOf } from './strategy';

const SCOPE = 'https://home.example/browser/';

it.each<[string, Way]>([
  ['', 'page'],
  ['?language=ko', 'page'],
  ['chat/', 'page'],
  ['chat/index.html#top', 'page'],
  ['third-party.txt', 'page'],
  ['assets/chat-1a2b.js', 'asset'],
  ['models/starter.gguf', 'pass'],
  ['sw.js', 'pass'],
  ['chat', 'pass'],
])('treats %s as %s', (place, way) => {
  expect(wayOf({ method: 'GET', url: SCOPE + place, range: null }, SCOPE)).toBe(way);
});

it.each([
  [{ method: 'POST', url: `${SCOPE}chat/`, range: null }],
  [{ method: 'GET', url: `${SCOPE}assets/a.wasm`, range: 'bytes=0-' }],
  [{ method: 'GET', url: 'https://home.example/assets/a.js', range: null }],
  [{ method: 'GET', url: 'https://other.example/browser/', range: null }],
])('leaves %o alone', (asked) => {
  expect(wayOf(asked, SCOPE)).toBe('pass');
});

it('drops the pages of other builds, and nobody else’s caches', () => {
  expect(outdated(['pages-1', 'pages-2', 'assets', 'their-pages-1'], 'pages-', 'pages-2')).toEqual(['pages-1']);
});
