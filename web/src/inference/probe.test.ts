import { expect, it } from 'vitest';

import { describe } from './probe';

it('knows a software adapter by what it says, and by its name', () => {
  expect(describe({ vendor: 'x', isFallbackAdapter: true }).software).toBe(true);
  expect(describe({ vendor: 'google', architecture: 'swiftshader' }).software).toBe(true);
  expect(describe({ vendor: 'mesa', description: 'llvmpipe (LLVM 19)' }).software).toBe(true);
  expect(describe({ vendor: 'nvidia', architecture: 'ada', isFallbackAdapter: false }).software).toBe(false);
});

it('bears a browser that tells nothing', () => {
  expect(describe(undefined)).toEqual({ vendor: '', architecture: '', description: '', software: false });
});
