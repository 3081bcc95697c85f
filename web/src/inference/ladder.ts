/** Which backends are tried, in which order, and why one is not: decided from facts alone. */

import type { Browser } from './browser';

export type Backend = 'webgpu' | 'wasm';

export interface Adapter {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  /** Works on the processor: correct, but slower than WebAssembly. */
  readonly software: boolean;
}

/** For people; a question mark where the browser tells nothing. */
export function adapterName({ vendor, architecture, description }: Adapter): string {
  return [vendor, architecture, description].filter(Boolean).join(', ') || '?';
}

export interface Facts {
  /** A secure context: https, or this machine itself. */
  readonly secure: boolean;
  /** `navigator.gpu` exists. */
  readonly api: boolean;
  /** What the browser offered when it was asked. */
  readonly adapter: Adapter | null;
  /** Asking for an adapter failed. */
  readonly adapterFailed: boolean;
  /** The adapter computes with 16-bit floats, which language models need and digits don't. */
  readonly f16: boolean;
  readonly browser: Browser;
}

export type Reason = 'insecure' | 'no-api' | 'no-adapter' | 'adapter-failed';
export type Step =
  | 'safe-address'
  | 'update'
  | 'chromium-flags'
  | 'chromium-acceleration'
  | 'firefox-setting'
  | 'firefox-acceleration'
  | 'safari-settings'
  | 'other-browser';

export type Verdict =
  | { readonly usable: true; readonly adapter: Adapter }
  | { readonly usable: false; readonly reason: Reason; readonly step: Step };

export function judge(facts: Facts): Verdict {
  if (facts.adapter) return { usable: true, adapter: facts.adapter };
  if (!facts.secure) return { usable: false, reason: 'insecure', step: 'safe-address' };
  if (!facts.api) return { usable: false, reason: 'no-api', step: stepWithoutApi(facts.browser) };
  const reason = facts.adapterFailed ? 'adapter-failed' : 'no-adapter';
  return { usable: false, reason, step: stepWithoutAdapter(facts.browser) };
}

/** The best first. Software WebGPU is shown for comparison, after WebAssembly. */
export function rungs(verdict: Verdict): readonly Backend[] {
  if (!verdict.usable) return ['wasm'];
  return verdict.adapter.software ? ['wasm', 'webgpu'] : ['webgpu', 'wasm'];
}

function stepWithoutApi({ name, version, system }: Browser): Step {
  if (system === 'ios') return 'update'; // every browser there uses the system's engine
  switch (name) {
    case 'chrome':
    case 'edge':
      return version < (system === 'android' ? 121 : 113) ? 'update' : 'chromium-flags';
    case 'firefox':
      if (system === 'windows') return version < 141 ? 'update' : 'firefox-setting';
      if (system === 'mac') return version < 145 ? 'update' : 'firefox-setting';
      return system === 'android' ? 'other-browser' : 'firefox-setting';
    case 'safari':
      return version < 26 ? 'update' : 'safari-settings';
    case 'other':
      return 'other-browser';
  }
}

function stepWithoutAdapter({ name, system }: Browser): Step {
  if (system === 'ios') return 'safari-settings';
  switch (name) {
    case 'chrome':
    case 'edge':
      return system === 'linux' ? 'chromium-flags' : 'chromium-acceleration';
    case 'firefox':
      return 'firefox-acceleration';
    case 'safari':
      return 'safari-settings';
    case 'other':
      return 'other-browser';
  }
}
