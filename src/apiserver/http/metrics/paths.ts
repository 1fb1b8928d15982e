import type { PathHandler } from "../endpoints.ts";
import type { Exposition, MetricsRegistry } from "./registry.ts";

const contentTypes: Readonly<Record<Exposition, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
};

/** Serves registries by their paths; a DELETE forgets what was counted. */
export function metricsPaths(registries: Readonly<Record<string, MetricsRegistry>>): PathHandler {
  return ({ exchange, headers }) => {
    const registry = registries[exchange.path];
    if (registry === undefined) return false;
    if (exchange.method === "DELETE") {
      registry.reset();
      const all = { ...headers, "content-type": "text/plain; charset=utf-8" };
      exchange.respond(200, all, Buffer.from("metrics reset\n"));
      return true;
    }
    const exposition = expositionOf(exchange.headers.accept);
    const all = { ...headers, "content-type": contentTypes[exposition] };
    exchange.respond(200, all, Buffer.from(registry.text(exposition)));
    return true;
  };
}

/** The form that scrapers ask for; plain text unless they name OpenMetrics first. */
function expositionOf(accept = ""): Exposition {
  const first = accept
    .split(",")
    .map((range) => (range.split(";")[0] ?? "").trim())
    .find((type) => type === "application/openmetrics-text" || type === "text/plain");
  return first === "application/openmetrics-text" ? "openmetrics" : "text";
}
