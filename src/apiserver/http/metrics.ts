/** Upper bounds of latency buckets, in seconds. */
const bounds = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
] as const;

interface Histogram {
  readonly counts: number[];
  sum: number;
  count: number;
}

/** What is known of the requests for one thing: how many were answered with each code, and how long they took. */
interface Series {
  readonly labels: string;
  readonly byCode: Map<number, number>;
  readonly duration: Histogram | undefined;
}

/** The server's own metrics; written in the text format of Prometheus. */
export class RequestMetrics {
  private readonly series = new Map<string, Series>();
  private readonly gauges = new Map<string, () => number>();

  /** Counts an answered request. */
  observe(request: {
    readonly verb: string;
    readonly group: string;
    readonly version: string;
    readonly resource: string;
    readonly subresource: string;
    readonly scope: string;
    readonly code: number;
    readonly seconds: number;
    readonly longRunning: boolean;
  }): void {
    const { verb, group, version, resource, subresource, scope, code, longRunning } = request;
    const identity = `${verb} ${group}/${version}/${resource}/${subresource} ${scope}`;
    let series = this.series.get(identity);
    if (!series) {
      series = {
        labels: `group="${group}",resource="${resource}",scope="${scope}",subresource="${subresource}",verb="${verb}",version="${version}"`,
        byCode: new Map(),
        duration: longRunning ? undefined : { counts: bounds.map(() => 0), sum: 0, count: 0 },
      };
      this.series.set(identity, series);
    }
    const { byCode, duration } = series;
    byCode.set(code, (byCode.get(code) ?? 0) + 1);
    if (!duration) return;
    const bucket = bounds.findIndex((bound) => request.seconds <= bound);
    if (bucket >= 0) duration.counts[bucket]! += 1;
    duration.sum += request.seconds;
    duration.count += 1;
  }

  /** A value that is read when the metrics are. */
  gauge(name: string, read: () => number): void {
    this.gauges.set(name, read);
  }

  text(): string {
    const lines: string[] = [
      "# HELP apiserver_request_total [STABLE] Requests that were answered, by what they asked for and the code of the answer.",
      "# TYPE apiserver_request_total counter",
    ];
    for (const { labels, byCode } of this.series.values()) {
      for (const [code, count] of byCode) {
        lines.push(
          `apiserver_request_total{code="${code}",component="apiserver",dry_run="",${labels}} ${count}`,
        );
      }
    }
    lines.push(
      "# HELP apiserver_request_duration_seconds [STABLE] Time to answer, in seconds, by what was asked for.",
      "# TYPE apiserver_request_duration_seconds histogram",
    );
    for (const { labels: place, duration: histogram } of this.series.values()) {
      if (!histogram) continue;
      const labels = `component="apiserver",dry_run="",${place}`;
      let total = 0;
      for (const [index, bound] of bounds.entries()) {
        total += histogram.counts[index] ?? 0;
        lines.push(`apiserver_request_duration_seconds_bucket{${labels},le="${bound}"} ${total}`);
      }
      lines.push(`apiserver_request_duration_seconds_bucket{${labels},le="+Inf"} ${histogram.count}`);
      lines.push(`apiserver_request_duration_seconds_sum{${labels}} ${histogram.sum}`);
      lines.push(`apiserver_request_duration_seconds_count{${labels}} ${histogram.count}`);
    }
    const typed = new Set<string>();
    for (const [name, read] of this.gauges) {
      const family = name.split("{")[0] ?? name;
      if (!typed.has(family)) lines.push(`# TYPE ${family} gauge`);
      typed.add(family);
      lines.push(`${name} ${read()}`);
    }
    return `${lines.join("\n")}\n`;
  }
}
