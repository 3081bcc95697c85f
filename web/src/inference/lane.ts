/** One backend with one model: opened when needed, and opened anew once when it fails. */

import type { Loaded, Ran } from './messages';

/** What a lane needs of a session. */
export interface Runner {
  readonly alive: boolean;
  run(input: Float32Array, dims: readonly number[]): Promise<Ran>;
  close(): void;
}

export interface Opened {
  readonly session: Runner;
  readonly loaded: Loaded;
}

export class Lane {
  /** How often a lost device or a dead worker was replaced. */
  recoveries = 0;

  private opened: Opened | null = null;

  constructor(private readonly open: () => Promise<Opened>) {}

  async ready(): Promise<Loaded> {
    if (!this.opened?.session.alive) {
      if (this.opened) this.recoveries++;
      this.opened = await this.open();
    }
    return this.opened.loaded;
  }

  /** A run that fails is tried once more in a new session: a device may get lost at any moment. */
  async run(input: Float32Array, dims: readonly number[]): Promise<Ran> {
    await this.ready();
    try {
      return await this.session().run(input, dims);
    } catch {
      this.opened?.session.close();
      await this.ready();
      return this.session().run(input, dims);
    }
  }

  close(): void {
    this.opened?.session.close();
  }

  private session(): Runner {
    if (!this.opened) throw new Error('not opened');
    return this.opened.session;
  }
}
