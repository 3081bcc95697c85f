/** What pages use: models that run in this tab. Asks for the engine's own files and the addresses it is given only. */

import { probe } from '../inference/probe';
import { checkFile } from './gguf';
import { LocalModel } from './localModel';
import { threadsFor, type Wanted } from './rungs';
import { LanguageError, type LanguageModel } from './types';

export { builtInState, openBuiltIn } from './builtIn';
export { openStore } from './store';

const MOST_CONTEXT = 4096;

export interface OpenOptions extends Wanted {
  readonly signal?: AbortSignal;
}

/** Loads a GGUF. Rejects with LanguageError, or with the AbortError of `signal`. */
export async function openModel(file: Blob, name: string, options: OpenOptions = {}): Promise<LanguageModel> {
  const { signal } = options;
  try {
    const head = await checkFile(file);
    const machine = { ...(await probe()), ...sharing() };
    signal?.throwIfAborted();
    const context = Math.min(MOST_CONTEXT, head.context ?? MOST_CONTEXT);
    return await LocalModel.open({ file, name, context }, machine, options, signal);
  } catch (error) {
    if (error instanceof LanguageError || signal?.aborted) throw error;
    throw new LanguageError('engine-failed', String(error)); // the user's file may be gone meanwhile
  }
}

/** Threads that a model gets by itself, and the most that a user may choose. */
export function threadsHere(): { chosen: number; most: number } {
  return threadsFor(sharing());
}

function sharing(): { isolated: boolean; cores: number } {
  return { isolated: crossOriginIsolated, cores: navigator.hardwareConcurrency };
}
