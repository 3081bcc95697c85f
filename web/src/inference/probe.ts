/** Asks the browser for the facts that the ladder needs. */

import { browserOf } from './browser';
import type { Adapter, Facts } from './ladder';

export async function probe(): Promise<Facts> {
  // TypeScript takes it for granted, but http pages and older browsers lack it.
  const gpu = navigator.gpu as GPU | undefined;
  let adapter: Adapter | null = null;
  let adapterFailed = false;
  let f16 = false;
  try {
    const offered = await gpu?.requestAdapter();
    if (offered) adapter = describe(offered.info);
    f16 = offered?.features.has('shader-f16') ?? false;
  } catch {
    adapterFailed = true; // blocked or broken driver; browsers word it in many ways
  }
  return {
    secure: isSecureContext,
    api: gpu !== undefined,
    adapter,
    adapterFailed,
    f16,
    browser: browserOf(navigator.userAgent),
  };
}

/** Older browsers tell less, or nothing. */
export function describe(info: Partial<GPUAdapterInfo> | undefined): Adapter {
  const { vendor = '', architecture = '', description = '', isFallbackAdapter = false } = info ?? {};
  // One that doesn't say so still gives a software adapter its name.
  const named = /swiftshader|llvmpipe|lavapipe|basic render/i.test(`${architecture} ${description}`);
  return { vendor, architecture, description, software: isFallbackAdapter || named };
}
