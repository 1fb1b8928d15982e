import { expect, test } from "vitest";
import { exponential, MetricsRegistry } from "./metrics.ts";

function filled(): MetricsRegistry {
  const registry = new MetricsRegistry();
  const requests = registry.counter({
    name: "requests_total",
    help: "Requests.",
    stability: "STABLE",
    labels: ["code", "verb"],
  });
  requests.with("200", "GET").value += 2;
  requests.with("404", 'a"b\\c\n').value += 1;
  const sizes = registry.histogram(
    { name: "sizes", help: "Sizes." },
    exponential(1, { factor: 10, count: 3 }),
  );
  for (const size of [1, 2, 5_000]) sizes.with().observe(size);
  registry.observed({ name: "open", help: "Open.", labels: ["kind"] }, () => [[3, "x"]]);
  registry.counter({ name: "unused_total", help: "Never counted." });
  return registry;
}

const body = (family: string) => `# HELP open [ALPHA] Open.
# TYPE open gauge
open{kind="x"} 3
# HELP ${family} [STABLE] Requests.
# TYPE ${family} counter
requests_total{code="200",verb="GET"} 2
requests_total{code="404",verb="a\\"b\\\\c\\n"} 1
# HELP sizes [ALPHA] Sizes.
# TYPE sizes histogram
sizes_bucket{le="1"} 1
sizes_bucket{le="10"} 2
sizes_bucket{le="100"} 2
sizes_bucket{le="+Inf"} 3
sizes_sum 5003
sizes_count 3
`;

test("text: families by name, with their samples", () => {
  expect(filled().text()).toBe(body("requests_total"));
});

test("OpenMetrics: counters' families without their suffix, and an end", () => {
  expect(filled().text("openmetrics")).toBe(`${body("requests")}# EOF\n`);
});

test("after a reset whoever kept a series goes on with it", () => {
  const registry = new MetricsRegistry();
  const series = registry.counter({ name: "c", help: "C." }).with();
  series.value = 5;
  registry.reset();
  series.value += 1;
  expect(registry.text()).toContain("\nc 1\n");
});
