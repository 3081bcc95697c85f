/** Brings what a model writes to the server: in order, and not each token on its own. */

export type Said =
  | { readonly about: 'waiting' }
  | { readonly about: 'ready'; readonly model: string; readonly context_tokens: number }
  | { readonly about: 'wrote'; readonly text: string }
  | {
      readonly about: 'ended';
      readonly finish: 'stop' | 'length';
      readonly read: number | null;
      readonly written: number | null;
    }
  | { readonly about: 'failed'; readonly cause: string; readonly detail: string };

/** Resolves with false where nobody listens any more. */
export type Say = (said: Said) => Promise<boolean>;

/** Words that come while others are on their way go together with the next. */
export class Post {
  say: Say = () => Promise.resolve(true);
  private held = '';
  private last: Promise<void> = Promise.resolve();

  /** `unheard` is called where nobody listens any more, or nobody can be reached. */
  constructor(private readonly unheard: () => void) {}

  wrote(text: string): void {
    const idle = this.held === '';
    this.held += text;
    if (idle) void this.flush();
  }

  /** Resolves once all that was written is there. */
  flush(): Promise<void> {
    return this.queue(async () => {
      const text = this.held;
      this.held = '';
      if (text) await this.bring({ about: 'wrote', text });
    });
  }

  send(said: Said): Promise<void> {
    return this.queue(() => this.bring(said));
  }

  private queue(work: () => Promise<void>): Promise<void> {
    this.last = this.last.then(work);
    return this.last;
  }

  private async bring(said: Said): Promise<void> {
    const heard = await this.say(said).catch(() => false);
    if (!heard) this.unheard();
  }
}
