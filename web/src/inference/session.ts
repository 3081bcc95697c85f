/** A model in a worker of its own, which can be ended whatever it does. */

import type { Backend } from './ladder';
import type { FromWorker, Loaded, Ran, Results, Task } from './messages';

/** What a session needs of a worker; tests have their own. */
export interface WorkerLike {
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
  postMessage(message: unknown): void;
  terminate(): void;
}

export interface Model {
  readonly engine: ArrayBuffer;
  readonly bytes: Uint8Array;
}

const LONGEST_MS = 120_000; // a software adapter takes seconds for a model of megabytes

interface Waiting {
  resolve(result: Loaded | Ran): void;
  reject(error: Error): void;
}

export class Session {
  /** False once the worker, the device or we have ended it. */
  alive = true;

  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;

  private constructor(
    private readonly worker: WorkerLike,
    private readonly longestMs: number,
  ) {
    worker.onmessage = ({ data }) => this.receive(data);
    worker.onerror = (event) => this.close(new Error(event.message || 'the worker could not be started'));
  }

  /** Load the model. Rejects with what the engine says; the worker is ended then. */
  static async open(
    worker: WorkerLike,
    backend: Backend,
    model: Model,
    longestMs = LONGEST_MS,
  ): Promise<{ session: Session; loaded: Loaded }> {
    const session = new Session(worker, longestMs);
    try {
      const loaded = await session.ask({ action: 'load', backend, engine: model.engine, model: model.bytes });
      return { session, loaded };
    } catch (error) {
      session.close();
      throw error;
    }
  }

  run(input: Float32Array, dims: readonly number[]): Promise<Ran> {
    return this.ask({ action: 'run', input, dims });
  }

  /** End the worker; whoever waits for it is told why. */
  close(why = new Error('the session was closed')): void {
    this.alive = false;
    this.worker.terminate();
    for (const { reject } of this.waiting.values()) reject(why);
    this.waiting.clear();
  }

  private ask<Action extends Task['action']>(task: Extract<Task, { action: Action }>): Promise<Results[Action]> {
    if (!this.alive) return Promise.reject(new Error('the session was closed'));
    const id = ++this.lastId;
    const answered = new Promise<Loaded | Ran>((resolve, reject) => this.waiting.set(id, { resolve, reject }));
    this.worker.postMessage({ ...task, id });
    const limit = setTimeout(() => this.close(new Error('the worker does not answer')), this.longestMs);
    return answered.finally(() => clearTimeout(limit)) as Promise<Results[Action]>;
  }

  private receive(message: FromWorker): void {
    if ('lost' in message) {
      this.close(new Error(message.lost));
      return;
    }
    const waiting = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if ('error' in message) waiting?.reject(new Error(message.error));
    else waiting?.resolve(message.result);
  }
}
