import { expect, it } from 'vitest';

import { serial } from './serial';

it('lets nothing begin before what came earlier has ended, failed or not', async () => {
  const turn = serial();
  const said: string[] = [];
  const work = (name: string, fails: boolean) => async (): Promise<string> => {
    said.push(`${name} begins`);
    await Promise.resolve();
    said.push(`${name} ends`);
    if (fails) throw new Error(name);
    return name;
  };
  const results = await Promise.allSettled([turn(work('a', true)), turn(work('b', false))]);
  expect(said).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  expect(results).toMatchObject([{ status: 'rejected' }, { status: 'fulfilled', value: 'b' }]);
});
