import { expect, it } from 'vitest';

import { offeredModels } from './offered';

const answer = (body: string, status = 200) => () => Promise.resolve(new Response(body, { status }));

it('takes the image classifiers of the list', async () => {
  const asked: string[] = [];
  const list = [{ file: 'starter.gguf', bytes: 1 }, { file: 'mnist-12.onnx', bytes: 2 }];
  const ask = (url: string): Promise<Response> => {
    asked.push(url);
    return answer(JSON.stringify(list))();
  };
  expect(await offeredModels('../models/', ask)).toEqual(['mnist-12.onnx']);
  expect(asked).toEqual(['../models/list.json']);
});

it.each([
  ['a plain web server', answer('Not found.', 404)],
  ['a page in place of the list', answer('<!doctype html>')],
  ['another shape', answer('{"models": []}')],
  ['other entries', answer('[1, null, {"name": "x.onnx"}, {"file": 3}]')],
  ['nobody', () => Promise.reject(new TypeError('failed to fetch'))],
])('offers none from %s', async (_, ask) => {
  expect(await offeredModels('../models/', ask)).toEqual([]);
});
