import { invariant } from "./assert.ts";

/** What a metric is, as its first lines say. */
export interface Description {
  readonly name: string;
  readonly help: string;
  /** How long its name and labels stay, as Kubernetes tells of its own; default: ALPHA. */
  readonly stability?: "ALPHA" | "BETA" | "STABLE" | "untold";
  readonly labels?: readonly string[];
}

/** A metric that counts, or is set; a counter unless it says. */
export type Counted = Description & { readonly type?: "counter" | "gauge" };

/** How metrics are written. */
export type Exposition = "text" | "openmetrics";

/** A number that is counted up, or set. */
export class Counter {
  value = 0;

  reset(): void {
    this.value = 0;
  }
}

/** How often values fell into each bucket. */
export class Histogram {
  readonly counts: number[];
  sum = 0;
  count = 0;
  private readonly bounds: readonly number[];

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    this.sum += value;
    this.count += 1;
    const { bounds } = this;
    for (let index = 0; index < bounds.length; index++) {
      if (value > bounds[index]!) continue;
      this.counts[index]! += 1;
      return;
    }
  }

  /** Observes a value for as long as it was so: each unit of time is one observation. */
  weigh(value: number, weight: number): void {
    this.sum += value * weight;
    this.count += weight;
    const index = this.bounds.findIndex((bound) => value <= bound);
    if (index >= 0) this.counts[index]! += weight;
  }

  reset(): void {
    this.counts.fill(0);
    this.sum = 0;
    this.count = 0;
  }

  lines(name: string, labels: string): string[] {
    const lead = labels === "" ? "" : `${labels},`;
    const own = labels === "" ? "" : `{${labels}}`;
    let total = 0;
    const lines = this.bounds.map((bound, index) => {
      total += this.counts[index]!;
      return `${name}_bucket{${lead}le="${bound}"} ${total}`;
    });
    lines.push(`${name}_bucket{${lead}le="+Inf"} ${this.count}`);
    lines.push(`${name}_sum${own} ${this.sum}`, `${name}_count${own} ${this.count}`);
    return lines;
  }
}

/** One metric with all its label values; whoever counts keeps the series it got. */
export class Family<Series extends { reset(): void }> {
  private readonly labels: readonly string[];
  private readonly make: () => Series;
  private readonly series = new Map<string, Series>();

  constructor(labels: readonly string[], make: () => Series) {
    this.labels = labels;
    this.make = make;
  }

  /** The series with the values, in the order of the labels. */
  with(...values: readonly string[]): Series {
    const labels = labelText(this.labels, values);
    const known = this.series.get(labels);
    if (known) return known;
    const made = this.make();
    this.series.set(labels, made);
    return made;
  }

  /** Whoever keeps a series goes on with it. */
  reset(): void {
    for (const series of this.series.values()) series.reset();
  }

  entries(): Iterable<readonly [labels: string, series: Series]> {
    return this.series;
  }
}

/** A value that is looked up when the metrics are read, with its label values. */
export type Reading = readonly [value: number, ...labels: string[]];

interface Registered {
  readonly description: Description;
  readonly type: "counter" | "gauge" | "histogram";
  lines(): string[];
  reset(): void;
}

/** All metrics of a server; written for Prometheus. */
export class MetricsRegistry {
  private readonly families = new Map<string, Registered>();
  private readonly readings = new Set<() => void>();

  /** Has something brought up to date before metrics are read. */
  beforeReading(action: () => void): void {
    this.readings.add(action);
  }

  counter(description: Counted): Family<Counter> {
    const { name, labels = [], type = "counter" } = description;
    const family = new Family(labels, () => new Counter());
    const lines = () => Array.from(family.entries(), ([own, { value }]) => sample(name, own, value));
    this.add({ description, type, lines, reset: () => family.reset() });
    return family;
  }

  histogram(description: Description, bounds: readonly number[]): Family<Histogram> {
    const { name, labels = [] } = description;
    const family = new Family(labels, () => new Histogram(bounds));
    const lines = () => Array.from(family.entries(), ([own, series]) => series.lines(name, own)).flat();
    this.add({ description, type: "histogram", lines, reset: () => family.reset() });
    return family;
  }

  /** What is known elsewhere and read with the metrics. */
  observed(description: Counted, read: () => Iterable<Reading>): void {
    const { name, labels = [], type = "gauge" } = description;
    const lines = () =>
      Array.from(read(), ([value, ...values]) => sample(name, labelText(labels, values), value));
    this.add({ description, type, lines, reset: () => {} });
  }

  /** Forgets what was counted. */
  reset(): void {
    for (const family of this.families.values()) family.reset();
  }

  text(exposition: Exposition = "text"): string {
    for (const bringUpToDate of this.readings) bringUpToDate();
    const names = [...this.families.keys()].sort();
    const blocks = names.map((name) => blockOf(this.families.get(name)!, exposition));
    return `${blocks.join("")}${exposition === "openmetrics" ? "# EOF\n" : ""}`;
  }

  /** How many metrics there are of each stability. */
  stabilities(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { description } of this.families.values()) {
      const { stability = "ALPHA" } = description;
      counts.set(stability, (counts.get(stability) ?? 0) + 1);
    }
    return counts;
  }

  private add(registered: Registered): void {
    const { name } = registered.description;
    invariant(!this.families.has(name), `the metric ${name} is registered once`);
    this.families.set(name, registered);
  }
}

function blockOf({ description, type, lines }: Registered, exposition: Exposition): string {
  const all = lines();
  if (all.length === 0) return "";
  const { name, help, stability = "ALPHA" } = description;
  // There a counter's family has no suffix, and its samples have.
  const family = exposition === "openmetrics" && type === "counter" ? name.replace(/_total$/, "") : name;
  const told = stability === "untold" ? help : `[${stability}] ${help}`;
  const head = [`# HELP ${family} ${told}`, `# TYPE ${family} ${type}`];
  return `${[...head, ...all].join("\n")}\n`;
}

const sample = (name: string, labels: string, value: number): string =>
  `${name}${labels === "" ? "" : `{${labels}}`} ${value}`;

function labelText(names: readonly string[], values: readonly string[]): string {
  invariant(names.length === values.length, "each label has a value");
  return names.map((name, index) => `${name}="${escaped(values[index]!)}"`).join(",");
}

const escaped = (value: string): string =>
  /[\\"\n]/.test(value)
    ? value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")
    : value;

/** Bounds that grow by a factor. */
export const exponential = (first: number, options: { factor: number; count: number }): readonly number[] =>
  Array.from({ length: options.count }, (_, index) => first * options.factor ** index);
