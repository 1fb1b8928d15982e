import type { Clock, Milliseconds } from "../base/index.ts";

/** An event as its recorder is told it, before correlation. */
export interface Occurrence {
  readonly source: string;
  readonly object: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

/** What becomes of an occurrence. */
export type Correlation =
  | { readonly type: "drop" }
  /** `key` names the series for `EventCorrelator.stored`. */
  | { readonly type: "create"; readonly key: string; readonly message: string }
  | {
      readonly type: "count";
      readonly key: string;
      readonly message: string;
      readonly count: number;
      readonly name: string;
      readonly firstTimestamp: string;
    };

interface Series {
  readonly count: number;
  readonly name: string;
  readonly firstTimestamp: string;
}

const cacheSize = 4096;
const spamBurst = 25;
/** One more event about an object every five minutes. */
const spamRefill: Milliseconds = 300_000;
const similarLimit = 10;
const similarSpan: Milliseconds = 600_000;
const combinedPrefix = "(combined from similar events): ";

/** Merges events that repeat and drops floods, by client-go's rules and numbers; remembers a bounded past. */
export class EventCorrelator {
  private readonly clock: Clock;
  private readonly spam = new RecentMap<{ tokens: number; at: Milliseconds }>(cacheSize);
  private readonly similar = new RecentMap<{ messages: Set<string>; at: Milliseconds }>(cacheSize);
  private readonly series = new RecentMap<Series>(cacheSize);

  constructor(clock: Clock) {
    this.clock = clock;
  }

  correlate(occurrence: Occurrence): Correlation {
    const { key, message } = this.aggregate(occurrence);
    if (!this.admit(`${occurrence.source}\n${occurrence.object}`)) return { type: "drop" };
    const known = this.series.get(key);
    if (known === undefined) return { type: "create", key, message };
    const counted = { ...known, count: known.count + 1 };
    this.series.set(key, counted);
    return { type: "count", key, message, ...counted };
  }

  /** Tells what the server made of a series' first event, so that the next one counts it up. */
  stored(key: string, series: Series): void {
    this.series.set(key, series);
  }

  private aggregate(occurrence: Occurrence): { key: string; message: string } {
    const { source, object, type, reason, message } = occurrence;
    const group = [source, object, type, reason].join("\n");
    const now = this.clock.now();
    let record = this.similar.get(group);
    if (record === undefined || now - record.at > similarSpan) record = { messages: new Set(), at: now };
    record = { messages: record.messages, at: now };
    record.messages.add(message);
    this.similar.set(group, record);
    if (record.messages.size < similarLimit) return { key: `${group}\n${message}`, message };
    const [oldest] = record.messages;
    if (oldest !== undefined && record.messages.size > similarLimit) record.messages.delete(oldest);
    return { key: group, message: combinedPrefix + message };
  }

  private admit(key: string): boolean {
    const now = this.clock.now();
    const known = this.spam.get(key) ?? { tokens: spamBurst, at: now };
    const tokens = Math.min(spamBurst, known.tokens + (now - known.at) / spamRefill);
    this.spam.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now });
    return tokens >= 1;
  }
}

/** Remembers the `limit` entries touched last. */
class RecentMap<V> {
  private readonly entries = new Map<string, V>();
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  get(key: string): V | undefined {
    return this.entries.get(key);
  }

  set(key: string, value: V): void {
    this.entries.delete(key);
    this.entries.set(key, value);
    if (this.entries.size <= this.limit) return;
    const [oldest] = this.entries.keys();
    if (oldest !== undefined) this.entries.delete(oldest);
  }
}
