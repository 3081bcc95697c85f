import { expect, it } from 'vitest';

import { Lane, type Opened } from './lane';

const INPUT = new Float32Array(1);

/** Opens sessions that fail, or not, as the list says; `null` is one that can't be opened. */
function laneOf(...sessions: (string | null)[]): { lane: Lane; opened: { alive: boolean }[] } {
  const opened: { alive: boolean }[] = [];
  const lane = new Lane(async (): Promise<Opened> => {
    const failure = sessions[opened.length];
    if (failure == null) throw new Error('not opened');
    const session = {
      alive: true,
      close() {
        this.alive = false;
      },
      run: async () => {
        if (failure) throw new Error(failure);
        return { outputs: [opened.length], runMs: 0 };
      },
    };
    opened.push(session);
    return { session, loaded: { inputs: [], outputs: [], adapter: null, createMs: 0 } };
  });
  return { lane, opened };
}

it('opens once', async () => {
  const { lane, opened } = laneOf('', '');
  await lane.run(INPUT, [1]);
  await lane.run(INPUT, [1]);
  expect([opened.length, lane.recoveries]).toEqual([1, 0]);
});

it('opens anew when a run fails, and ends the old session', async () => {
  const { lane, opened } = laneOf('device lost', '');
  expect((await lane.run(INPUT, [1])).outputs).toEqual([2]);
  expect(opened.map(({ alive }) => alive)).toEqual([false, true]);
  expect(lane.recoveries).toBe(1);
});

it('opens anew when the session died between two runs', async () => {
  const { lane, opened } = laneOf('', '');
  await lane.run(INPUT, [1]);
  opened[0]!.alive = false;
  expect((await lane.run(INPUT, [1])).outputs).toEqual([2]);
});

it('tries once more, not for ever', async () => {
  await expect(laneOf('first', 'second', '').lane.run(INPUT, [1])).rejects.toThrow('second');
  await expect(laneOf('first', null).lane.run(INPUT, [1])).rejects.toThrow('not opened');
});
