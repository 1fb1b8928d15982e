import type { EntryEvent, EntryWatch } from "./watch.ts";

/** Changes that are converted together at most. */
const largestBatch = 500;
/** Events that may wait for the watcher before more are converted. */
const mostWaiting = 1_000;

interface Source<Item> {
  take(): readonly Item[];
  readonly ended: boolean;
  onReady: () => void;
  close(): void;
}

interface Options<Item> {
  readonly initial: readonly EntryEvent[];
  /** The events of what has happened, once they can be shown. */
  readonly convert: (items: readonly Item[]) => Promise<readonly EntryEvent[]>;
  readonly onFailure: (error: unknown) => void;
}

/** A watch whose events another converts: they come as he is done with them, in their order, until he fails. */
export class ConvertedWatch<Item> implements EntryWatch {
  onReady: () => void = () => {};
  ended = false;
  readonly #source: Source<Item>;
  readonly #options: Options<Item>;
  #waiting: EntryEvent[];
  #isWorking = false;

  constructor(source: Source<Item>, options: Options<Item>) {
    this.#source = source;
    this.#options = options;
    this.#waiting = [...options.initial];
    source.onReady = () => this.#proceed();
    this.#proceed();
  }

  take(): readonly EntryEvent[] {
    const events = this.#waiting;
    if (events.length > 0) this.#waiting = [];
    this.#proceed();
    return events;
  }

  close(): void {
    this.#source.close();
    if (this.ended) return;
    this.ended = true;
    this.onReady();
  }

  #proceed(): void {
    if (this.#isWorking || this.ended || this.#waiting.length > mostWaiting) return;
    this.#isWorking = true;
    void this.#work();
  }

  /** Goes on until there is nothing to do; whoever brings something to do calls again. */
  async #work(): Promise<void> {
    try {
      while (!this.ended && this.#waiting.length <= mostWaiting) {
        const items = this.#source.take();
        if (items.length === 0) return this.#source.ended ? this.close() : undefined;
        for (let start = 0; start < items.length && !this.ended; start += largestBatch) {
          await this.#convert(items.slice(start, start + largestBatch));
        }
      }
    } finally {
      this.#isWorking = false;
    }
  }

  async #convert(items: readonly Item[]): Promise<void> {
    const { convert, onFailure } = this.#options;
    try {
      const events = await convert(items);
      if (this.ended || events.length === 0) return;
      this.#waiting.push(...events);
      this.onReady();
    } catch (error) {
      if (this.ended) return;
      onFailure(error);
      this.close();
    }
  }
}
