/** What this browser can do, as sentences: from facts alone. */

import { adapterName, judge } from '../inference/ladder';
import type { Texts } from '../texts/texts';
import type { BrowserFacts } from './facts';

export interface Row {
  readonly id: 'secure' | 'webgpu' | 'threads' | 'storage' | 'offline' | 'builtIn';
  readonly state: 'yes' | 'partly' | 'no';
  readonly why: string;
  /** What the user can do about it; empty where there is nothing to do. */
  readonly step: string;
}

type Judged = Omit<Row, 'id'>;

export function rows(facts: BrowserFacts, { overview, shared }: Texts): readonly Row[] {
  const { secure, browser } = facts.gpu;
  const safe = secure ? '' : overview.withSafeAddress;
  const open = shared.step('safe-address', browser.name, browser.system);
  return [
    { id: 'secure', ...(secure ? yes(overview.secure.yes) : no(overview.secure.no, open)) },
    { id: 'webgpu', ...webgpu(facts, overview, shared, safe) },
    { id: 'threads', ...threads(facts, overview, safe || shared.isolation) },
    { id: 'storage', ...storage(facts, overview, safe) },
    { id: 'offline', ...offline(facts, overview, safe) },
    { id: 'builtIn', ...builtIn(facts, overview) },
  ];
}

const yes = (why: string): Judged => ({ state: 'yes', why, step: '' });
const partly = (why: string, step = ''): Judged => ({ state: 'partly', why, step });
const no = (why: string, step = ''): Judged => ({ state: 'no', why, step });

function webgpu({ gpu }: BrowserFacts, texts: Texts['overview'], shared: Texts['shared'], safe: string): Judged {
  const { name, system } = gpu.browser;
  const verdict = judge(gpu);
  if (!verdict.usable) return no(shared.reasons[verdict.reason], safe || shared.step(verdict.step, name, system));
  const adapter = adapterName(verdict.adapter);
  if (verdict.adapter.software) {
    const withoutIt = judge({ ...gpu, adapter: null }); // no graphics card was found, then
    const step = withoutIt.usable ? '' : shared.step(withoutIt.step, name, system);
    return partly(texts.webgpu.software(adapter), step);
  }
  return gpu.f16 ? yes(texts.webgpu.yes(adapter)) : partly(texts.webgpu.noF16(adapter), shared.driver);
}

function threads({ isolated, cores, threads: chosen }: BrowserFacts, texts: Texts['overview'], step: string): Judged {
  if (!isolated) return no(texts.threads.notIsolated, step);
  if (chosen === 1) return partly(texts.threads.fewCores(String(cores)));
  return yes(texts.threads.yes(String(chosen), String(cores)));
}

function storage({ keeps, persisted }: BrowserFacts, texts: Texts['overview'], safe: string): Judged {
  if (!keeps) return no(texts.storage.no, safe || texts.storage.privateWindow);
  return persisted ? yes(texts.storage.yes) : partly(texts.storage.partly);
}

function offline({ offline: state }: BrowserFacts, texts: Texts['overview'], safe: string): Judged {
  if (state === 'yes') return yes(texts.offline.yes);
  if (state === 'soon') return partly(texts.offline.soon);
  return no(texts.offline.no, safe || texts.storage.privateWindow);
}

function builtIn({ builtIn: state }: BrowserFacts, { builtIn: texts }: Texts['overview']): Judged {
  if (state === 'available') return yes(texts.available);
  return state === 'downloadable' ? partly(texts.downloadable) : no(texts.absent);
}
