/** Where a model runs and why not somewhere faster, as sentences. */

import { type Facts, judge } from '../inference/ladder';
import type { Running, Why } from '../language/types';
import type { Texts } from '../texts/texts';
import { Units } from '../page/units';

export interface Reason {
  readonly why: string;
  /** What the user can do about it; empty where there is nothing to do. */
  readonly step: string;
}

export function badgeText({ backend, threads, adapter }: Running, { backends }: Texts['chat'], units: Units): string {
  switch (backend) {
    case 'webgpu':
      return backends.webgpu(adapter ?? '?');
    case 'threads':
      return backends.threads(units.count(threads));
    case 'one-thread':
      return backends.oneThread;
    case 'built-in':
      return backends.builtIn;
  }
}

export function reasons(whys: readonly Why[], facts: Facts, texts: Texts): readonly Reason[] {
  return whys.map((why) => ({ why: sentence(why, facts, texts), step: stepOf(why, facts, texts) }));
}

function sentence(why: Why, facts: Facts, { chat, shared }: Texts): string {
  const verdict = judge(facts);
  return why === 'no-webgpu' && !verdict.usable ? shared.reasons[verdict.reason] : chat.why[why];
}

function stepOf(why: Why, facts: Facts, { shared }: Texts): string {
  switch (why) {
    case 'insecure':
    case 'no-webgpu':
    case 'software-adapter': {
      const verdict = judge({ ...facts, adapter: null }); // as if none were there
      return verdict.usable ? '' : shared.step(verdict.step, facts.browser.name, facts.browser.system);
    }
    case 'no-f16':
    case 'garbage':
    case 'gpu-failed':
      return shared.driver;
    case 'not-isolated':
      return shared.isolation;
    case 'one-core':
      return '';
  }
}
