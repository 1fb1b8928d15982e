import type { ServedResource } from "../../registry/served.ts";
import { exponential } from "./registry.ts";
import type { MetricsRegistry } from "./registry.ts";

const labels = ["group", "resource", "version"];

/** Counts events that are sent to watchers, and their sizes; the series are looked up once a watch. */
export function watchSizes(registry: MetricsRegistry): (served: ServedResource) => (bytes: number) => void {
  const counts = registry.counter({
    name: "apiserver_watch_events_total",
    help: "Events that were sent to watchers.",
    labels,
  });
  const sizes = registry.histogram(
    {
      name: "apiserver_watch_events_sizes",
      help: "Sizes of events that were sent to watchers, in bytes.",
      labels,
    },
    exponential(1_024, { factor: 2, count: 8 }),
  );
  return ({ resource: { group, plural, version } }) => {
    const count = counts.with(group, plural, version);
    const size = sizes.with(group, plural, version);
    return (bytes) => {
      count.value += 1;
      size.observe(bytes);
    };
  };
}
