/** Asks the browser what it can do. */

import { probe } from '../inference/probe';
import type { Facts } from '../inference/ladder';
import { builtInState } from '../language/builtIn';
import { threadsFor } from '../language/rungs';
import { openStore } from '../language/store';
import { type Offline, offlineState } from '../offline/register';

export interface BrowserFacts {
  readonly gpu: Facts;
  readonly isolated: boolean;
  readonly cores: number;
  /** How many the language model takes by itself. */
  readonly threads: number;
  readonly keeps: boolean;
  /** The browser promised not to clear what it keeps. */
  readonly persisted: boolean;
  readonly offline: Offline;
  readonly builtIn: 'available' | 'downloadable' | 'absent';
}

export async function factsHere(): Promise<BrowserFacts> {
  const [isolated, cores] = [crossOriginIsolated, navigator.hardwareConcurrency];
  const [gpu, store, persisted, offline, builtIn] = await Promise.all([
    probe(),
    openStore(),
    isPersisted(),
    offlineState(),
    builtInState(),
  ]);
  return {
    gpu,
    isolated,
    cores,
    threads: threadsFor({ isolated, cores }).chosen,
    keeps: store.keeps,
    persisted,
    offline,
    builtIn,
  };
}

async function isPersisted(): Promise<boolean> {
  const storage = navigator.storage as StorageManager | undefined;
  return (await storage?.persisted().catch(() => false)) ?? false;
}
