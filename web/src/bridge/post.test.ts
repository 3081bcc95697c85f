import { expect, it, vi } from 'vitest';

import { Post, type Said } from './post';

/** A server that answers when it is told to. */
function slow(): { say: (said: Said) => Promise<boolean>; heard: Said[]; answer: (heard?: boolean) => Promise<void> } {
  const heard: Said[] = [];
  let resolve: (heard: boolean) => void = () => {};
  return {
    heard,
    say: (said) => {
      heard.push(said);
      return new Promise((done) => (resolve = done));
    },
    answer: async (yes = true) => {
      resolve(yes);
      await new Promise((done) => setTimeout(done));
    },
  };
}

it('brings words together that come while others are on their way', async () => {
  const server = slow();
  const post = new Post(() => {});
  post.say = server.say;
  post.wrote('The ');
  await server.answer();
  await vi.waitFor(() => expect(server.heard).toEqual([{ about: 'wrote', text: 'The ' }]));
  await server.answer();
  post.wrote('sea ');
  post.wrote('is ');
  post.wrote('wide.');
  const whole = post.flush();
  await server.answer();
  await server.answer();
  await whole;
  expect(server.heard.map((said) => (said.about === 'wrote' ? said.text : ''))).toEqual(['The ', 'sea is wide.']);
});

it('keeps the order of words and what follows them', async () => {
  const heard: string[] = [];
  const post = new Post(() => {});
  post.say = (said) => {
    heard.push(said.about === 'wrote' ? said.text : said.about);
    return Promise.resolve(true);
  };
  post.wrote('a');
  post.wrote('b');
  await post.flush();
  await post.send({ about: 'ended', finish: 'stop', read: 1, written: 2 });
  expect(heard.join(' ')).toBe('ab ended');
});

it.each([
  ['nobody listens', () => Promise.resolve(false)],
  ['nobody can be reached', () => Promise.reject(new TypeError('failed to fetch'))],
])('says so when %s', async (_, say) => {
  const unheard = vi.fn();
  const post = new Post(unheard);
  post.say = say;
  post.wrote('a');
  await post.flush();
  expect(unheard).toHaveBeenCalledOnce();
});
