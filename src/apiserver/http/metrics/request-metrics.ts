import type { ServedResource } from "../../registry/served.ts";
import type { Incoming } from "../filters/filter.ts";
import { isReading } from "../filters/filter.ts";
import type { Exchange } from "../exchange.ts";
import type { ResourceInfo } from "../request-info.ts";
import { exponential } from "./registry.ts";
import type { Counter, Histogram, MetricsRegistry } from "./registry.ts";

const durationBounds = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];
const sliBounds = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
const sizeBounds = exponential(1_000, { factor: 10, count: 7 });
const placeLabels = ["component", "group", "resource", "scope", "subresource", "verb", "version"];
const component = "apiserver";

/** Everything counted of requests that ask the same of the same. */
interface Place {
  readonly labels: readonly string[];
  readonly byCode: Map<number, Counter>;
  readonly duration: Histogram | undefined;
  readonly sliDuration: Histogram | undefined;
  readonly sizes: Histogram | undefined;
  readonly deprecated?: Counter;
  active: number;
}

/** Counts requests, in series that are looked up once for each kind of request. */
export class RequestMetrics {
  private readonly families: ReturnType<typeof requestFamilies>;
  /** By verb, scope and subresource. */
  private readonly places = new WeakMap<ServedResource, Map<string, Map<string, Map<string, Place>>>>();
  private readonly paths = new Map<string, Place>();
  private readonly running = new Set<Place>();
  /** How long requests waited for a seat, by the headers of their answers, which stay the same. */
  private readonly waits = new Map<Incoming["headers"], number>();

  constructor(registry: MetricsRegistry) {
    this.families = requestFamilies(registry);
    registry.observed(
      {
        name: "apiserver_longrunning_requests",
        help: "Long-running requests that are open now.",
        stability: "STABLE",
        labels: placeLabels,
      },
      () => Array.from(this.running, ({ active, labels }) => [active, ...labels] as const),
    );
  }

  /** A long-running request has begun; call what is returned at its end. */
  begin(request: Incoming): () => void {
    const place = this.placeOf(request);
    if (!place) return () => {};
    place.active += 1;
    this.running.add(place);
    return () => void (place.active -= 1);
  }

  /** A request waited for a seat, which is no fault of its own. */
  waited({ headers }: Incoming, seconds: number): void {
    this.waits.set(headers, seconds);
  }

  /** Counts an answered request. */
  observe(request: Incoming, seconds: number): void {
    const place = this.placeOf(request);
    const waited = this.waits.size === 0 ? 0 : (this.waits.get(request.headers) ?? 0);
    if (waited > 0) this.waits.delete(request.headers);
    if (!place) return;
    const { status, written } = request.exchange;
    let counter = place.byCode.get(status);
    if (!counter) {
      const dryRun = request.exchange.query.get("dryRun") ?? "";
      const [own = component, ...rest] = place.labels;
      counter = this.families.total.with(String(status), own, dryRun, ...rest);
      // A dry run has a series of its own; it is rare enough to be looked up each time.
      if (dryRun === "") place.byCode.set(status, counter);
    }
    counter.value += 1;
    place.duration?.observe(seconds);
    place.sliDuration?.observe(seconds - waited);
    place.sizes?.observe(written);
    if (place.deprecated) place.deprecated.value = 1;
  }

  /** A request was answered by a filter in place of its handler. */
  terminated(request: Incoming, code: number): void {
    const place = this.placeOf(request);
    if (place) this.families.terminations.with(String(code), ...place.labels).value += 1;
  }

  /** An answer was broken off. */
  aborted(request: Incoming): void {
    const place = this.placeOf(request);
    if (place) this.families.aborts.with(...place.labels.slice(1)).value += 1;
  }

  /** A request was refused because too many were in progress. */
  dropped(request: Incoming): void {
    this.families.dropped.with(isReading(request.info) ? "readOnly" : "mutating").value += 1;
    this.terminated(request, 429);
  }

  private placeOf({ info, exchange, served }: Incoming): Place | undefined {
    if (info.type === "path") return this.placeOfPath(info.path, exchange.method);
    // What strangers make up is not counted: the number of series must stay bounded.
    if (!served) return undefined;
    const { name, namespace, verb } = info;
    const scope = name !== "" || verb === "create" ? "resource" : namespace !== "" ? "namespace" : "cluster";
    const shown = shownVerb(verb, { subresource: info.subresource, exchange });
    let places = this.places.get(served);
    if (!places) this.places.set(served, (places = new Map()));
    let scopes = places.get(shown);
    if (!scopes) places.set(shown, (scopes = new Map()));
    let subresources = scopes.get(scope);
    if (!subresources) scopes.set(scope, (subresources = new Map()));
    const known = subresources.get(info.subresource);
    if (known) return known;
    const made = this.placeFor(served, info, { scope, shown });
    if (made) subresources.set(info.subresource, made);
    return made;
  }

  private placeFor(
    served: ServedResource,
    { group, version, resource, subresource }: ResourceInfo,
    { scope, shown }: { readonly scope: string; readonly shown: string },
  ): Place | undefined {
    if (subresource !== "" && !served.subresources.some((one) => one.name === subresource)) return undefined;
    const made = this.make(shown, [component, group, resource, scope, subresource, shown, version]);
    if (served.deprecationWarning === undefined) return made;
    const removed = /unavailable in v(\d+\.\d+)\+/.exec(served.deprecationWarning)?.[1] ?? "";
    const deprecated = this.families.deprecated.with(group, removed, resource, subresource, version);
    return { ...made, deprecated };
  }

  /** Of plain paths only the well-known are counted. */
  private placeOfPath(path: string, method: string): Place | undefined {
    const root = countedPaths.find((one) => path === one || path.startsWith(`${one}/`));
    if (root === undefined || !plainMethods.has(method)) return undefined;
    const key = `${method} ${root}`;
    const known = this.paths.get(key);
    if (known) return known;
    const made = this.make(method, ["", "", "", "", root, method, ""]);
    this.paths.set(key, made);
    return made;
  }

  private make(verb: string, labels: readonly string[]): Place {
    const { duration, sliDuration, sizes } = this.families;
    const timed = !untimedVerbs.has(verb);
    const [own = component, ...rest] = labels;
    return {
      labels,
      byCode: new Map(),
      duration: timed ? duration.with(own, "", ...rest) : undefined,
      sliDuration: timed ? sliDuration.with(...labels) : undefined,
      sizes: verb === "GET" || verb === "LIST" ? sizes.with(...labels) : undefined,
      active: 0,
    };
  }
}

const countedPaths = [
  "/healthz",
  "/livez",
  "/readyz",
  "/version",
  "/metrics",
  "/openapi",
  "/apis",
  "/api",
  "/",
];
const plainMethods = new Set(["GET", "HEAD", "POST", "PUT", "DELETE"]);
const untimedVerbs = new Set(["WATCH", "CONNECT"]);
const verbNames: Readonly<Record<string, string>> = {
  create: "POST",
  update: "PUT",
  "": "other",
};
const connecting = new Set(["exec", "attach", "portforward", "proxy"]);

function shownVerb(
  verb: string,
  { subresource, exchange }: { subresource: string; exchange: Exchange },
): string {
  if (connecting.has(subresource)) return "CONNECT";
  if (verb === "patch" && exchange.headers["content-type"]?.startsWith("application/apply-patch")) {
    return "APPLY";
  }
  return verbNames[verb] ?? verb.toUpperCase();
}

function requestFamilies(registry: MetricsRegistry) {
  const [first = component, ...rest] = placeLabels;
  return {
    total: registry.counter({
      name: "apiserver_request_total",
      help: "Requests that were answered, by what they asked for and the code of the answer.",
      stability: "STABLE",
      labels: ["code", first, "dry_run", ...rest],
    }),
    duration: registry.histogram(
      {
        name: "apiserver_request_duration_seconds",
        help: "Time to answer, in seconds, by what was asked for.",
        stability: "STABLE",
        labels: [first, "dry_run", ...rest],
      },
      durationBounds,
    ),
    sliDuration: registry.histogram(
      {
        name: "apiserver_request_sli_duration_seconds",
        help: "Time to answer without waiting for others, in seconds, by what was asked for.",
        labels: placeLabels,
      },
      sliBounds,
    ),
    sizes: registry.histogram(
      {
        name: "apiserver_response_sizes",
        help: "Size of answers in bytes, by what was asked for.",
        stability: "STABLE",
        labels: placeLabels,
      },
      sizeBounds,
    ),
    terminations: registry.counter({
      name: "apiserver_request_terminations_total",
      help: "Requests that the server answered in self-defense, by code.",
      labels: ["code", ...placeLabels],
    }),
    aborts: registry.counter({
      name: "apiserver_request_aborts_total",
      help: "Requests whose answer was broken off, by what they asked for.",
      labels: rest,
    }),
    dropped: registry.counter({
      name: "apiserver_dropped_requests_total",
      help: "Requests that were refused because too many were in progress.",
      labels: ["request_kind"],
    }),
    deprecated: registry.counter({
      name: "apiserver_requested_deprecated_apis",
      type: "gauge",
      help: "Deprecated versions that were asked for, with the release that drops them.",
      stability: "STABLE",
      labels: ["group", "removed_release", "resource", "subresource", "version"],
    }),
  };
}
