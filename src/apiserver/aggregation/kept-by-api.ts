import type { Clock, Milliseconds } from "../../base/index.ts";
import type { RegisteredApis, RemoteApi } from "./registered-apis.ts";
import { Slots } from "./slots.ts";

/** Servers that are asked at once. */
const asksAtOnce = 5;

/** What is known of one API. */
interface Known<T> {
  /** For which it was asked. */
  readonly api: RemoteApi;
  readonly value: T;
}

interface KeepOptions<T> {
  readonly apis: RegisteredApis;
  readonly clock: Clock;
  /** What nobody announces is noticed after this time at the latest. */
  readonly interval: Milliseconds;
  /** Asks for what is to be known; `before` is what it was. */
  readonly ask: (api: RemoteApi, asked: { before: T | undefined; signal: AbortSignal }) => Promise<T>;
  readonly isSame: (one: T, other: T) => boolean;
}

/** Something that extension servers tell, asked for when an API is registered or changes and again from time to time. */
export class KeptByApi<T> {
  private readonly options: KeepOptions<T>;
  private readonly known = new Map<string, Known<T>>();
  private readonly running = new Map<string, Promise<void>>();
  private readonly listeners = new Set<() => void>();
  private readonly slots = new Slots(asksAtOnce);

  constructor(options: KeepOptions<T>) {
    this.options = options;
  }

  get({ name }: RemoteApi): T | undefined {
    return this.known.get(name)?.value;
  }

  /** Calls `listener` when something else is known, or of other APIs; returns what ends it. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Keeps what is known up to date until the signal aborts; settles when nothing is asked any more. */
  async run(signal: AbortSignal): Promise<void> {
    const { apis, clock, interval } = this.options;
    const end = apis.onChange(() => this.refresh(signal, (api) => this.known.get(api.name)?.api !== api));
    while (!signal.aborted) {
      this.refresh(signal, () => true);
      await clock.sleep(interval, signal).catch(() => undefined);
    }
    end();
    await Promise.all(this.running.values());
  }

  private changed(): void {
    for (const listener of Array.from(this.listeners)) listener();
  }

  private refresh(signal: AbortSignal, isDue: (api: RemoteApi) => boolean): void {
    const apis = this.options.apis.all();
    const present = new Set(apis.map(({ name }) => name));
    for (const name of Array.from(this.known.keys())) {
      if (present.has(name)) continue;
      this.known.delete(name);
      this.changed();
    }
    for (const api of apis) {
      if (signal.aborted || !isDue(api) || this.running.has(api.name)) continue;
      const asking = this.slots
        .run(() => this.ask(api, signal))
        .finally(() => {
          this.running.delete(api.name);
          // It was registered anew meanwhile.
          const now = this.options.apis.find(api.group, api.version);
          if (now && now !== api) this.refresh(signal, (other) => other === now);
        });
      this.running.set(api.name, asking);
    }
  }

  private async ask(api: RemoteApi, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { apis, ask, isSame } = this.options;
    const before = this.get(api);
    const value = await ask(api, { before, signal });
    if (signal.aborted || !apis.find(api.group, api.version)) return;
    this.known.set(api.name, { api, value });
    if (before === undefined || !isSame(before, value)) this.changed();
  }
}
