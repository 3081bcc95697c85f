/** On what a language model is tried, the fastest first, and why not on something faster: decided from facts alone. */

import { judge, type Facts } from '../inference/ladder';
import type { Why } from './types';

export interface Machine extends Facts {
  /** The page may share memory between threads. */
  readonly isolated: boolean;
  readonly cores: number;
}

export interface Rung {
  readonly gpu: boolean;
  readonly threads: number;
}

export interface Wanted {
  /** As chosen by the user. */
  readonly threads?: number;
  readonly avoidGpu?: boolean;
}

export interface Plan {
  readonly rungs: readonly Rung[];
  readonly why: readonly Why[];
}

/** Half of the cores: with all of them, threads wait for each other as soon as anything else works here. */
export function threadsFor({ isolated, cores }: Pick<Machine, 'isolated' | 'cores'>): { chosen: number; most: number } {
  return isolated ? { chosen: Math.max(1, Math.floor(cores / 2)), most: Math.max(1, cores) } : { chosen: 1, most: 1 };
}

export function planFor(machine: Machine, wanted: Wanted = {}): Plan {
  const noGpu = whyNoGpu(machine);
  const { chosen, most } = threadsFor(machine);
  const threads = Math.min(Math.max(1, Math.floor(wanted.threads ?? chosen)), most);
  const rungs: Rung[] = [];
  if (!noGpu && !wanted.avoidGpu) rungs.push({ gpu: true, threads });
  rungs.push({ gpu: false, threads });
  if (threads > 1) rungs.push({ gpu: false, threads: 1 });
  const why = [noGpu, wanted.threads === undefined && threads === 1 ? whyOneThread(machine) : null];
  return { rungs, why: [...new Set(why.filter((reason) => reason !== null))] };
}

function whyNoGpu(machine: Machine): Why | null {
  const verdict = judge(machine);
  if (!verdict.usable) return verdict.reason === 'insecure' ? 'insecure' : 'no-webgpu';
  if (verdict.adapter.software) return 'software-adapter';
  return machine.f16 ? null : 'no-f16';
}

function whyOneThread({ secure, isolated }: Machine): Why {
  if (!secure) return 'insecure';
  return isolated ? 'one-core' : 'not-isolated';
}
