import type { ResponseHeaders } from "./exchange.ts";

/** One check of the server's health; answers why it fails, or undefined. */
export interface HealthCheck {
  readonly name: string;
  check(): string | undefined;
}

export type HealthChecks = Readonly<Record<"healthz" | "livez" | "readyz", readonly HealthCheck[]>>;

/** What must have been done before upstream's server is ready, in the order in which it says so. */
const startHooks = [
  "start-apiserver-admission-initializer",
  "generic-apiserver-start-informers",
  "priority-and-fairness-config-consumer",
  "priority-and-fairness-filter",
  "storage-object-count-tracker-hook",
  "start-apiextensions-informers",
  "start-apiextensions-controllers",
  "crd-informer-synced",
  "start-system-namespaces-controller",
  "start-cluster-authentication-info-controller",
  "start-kube-apiserver-identity-lease-controller",
  "start-kube-apiserver-identity-lease-garbage-collector",
  "start-legacy-token-tracking-controller",
  "start-service-ip-repair-controllers",
  "rbac/bootstrap-roles",
  "scheduling/bootstrap-system-priority-classes",
  "priority-and-fairness-config-producer",
  "bootstrap-controller",
  "start-kubernetes-service-cidr-controller",
  "aggregator-reload-proxy-client-cert",
  "start-kube-aggregator-informers",
  "apiservice-status-local-available-controller",
  "apiservice-status-remote-available-controller",
  "apiservice-registration-controller",
  "apiservice-discovery-controller",
  "kube-apiserver-autoregistration",
].map((name) => `poststarthook/${name}`);
const lastHooks = ["apiservice-openapi-controller", "apiservice-openapiv3-controller"].map(
  (name) => `poststarthook/${name}`,
);
const startChecks = [...startHooks, "autoregister-completion", ...lastHooks];

/**
 * Checks of the server itself together with the store's, the start's and those given. Whoever watches upstream's
 * server may ask for each by its name; what is done before the server listens cannot fail.
 */
export function healthChecks(options: {
  /** Why the store cannot be used. */
  readonly store: () => string | undefined;
  readonly shutdown: HealthCheck;
  readonly ready: readonly HealthCheck[];
}): HealthChecks {
  const fine = (name: string): HealthCheck => ({ name, check: () => undefined });
  const { store, shutdown, ready } = options;
  const first = [fine("ping"), fine("log"), { name: "etcd", check: store }];
  const started = startChecks.map(fine);
  const live = [...first, ...started];
  const waiting = [{ name: "etcd-readiness", check: store }, fine("informer-sync")];
  return {
    healthz: live,
    livez: live,
    readyz: [...first, ...waiting, ...started, ...ready, shutdown],
  };
}

interface HealthAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: ResponseHeaders;
}

const plain = { "content-type": "text/plain; charset=utf-8" };
const unsniffed = { ...plain, "x-content-type-options": "nosniff" };

/** The answer to `/readyz`, `/readyz/etcd` and their like; undefined when there is no such check. */
export function healthAnswer(
  checks: HealthChecks,
  request: { readonly path: string; readonly query: URLSearchParams },
): HealthAnswer | undefined {
  const [, group = "", ...rest] = request.path.split("/");
  if (group !== "healthz" && group !== "livez" && group !== "readyz") return undefined;
  if (rest.length === 0) return wholeAnswer(group, { checks: checks[group], query: request.query });
  const single = rest.join("/");
  const found = checks[group].find(({ name }) => name === single);
  if (!found) return undefined;
  const problem = found.check();
  if (problem === undefined) return { status: 200, text: "ok", headers: plain };
  return { status: 500, text: `internal server error: ${problem}\n`, headers: unsniffed };
}

function wholeAnswer(
  group: string,
  { checks, query }: { readonly checks: readonly HealthCheck[]; readonly query: URLSearchParams },
): HealthAnswer {
  const excluded = new Set(query.getAll("exclude"));
  const lines: string[] = [];
  let fails = false;
  for (const { name, check } of checks) {
    if (excluded.delete(name)) lines.push(`[+]${name} excluded: ok\n`);
    else if (check() === undefined) lines.push(`[+]${name} ok\n`);
    else {
      fails = true;
      // Why is not for everyone who may ask.
      lines.push(`[-]${name} failed: reason withheld\n`);
    }
  }
  if (excluded.size > 0) {
    const names = [...excluded].sort().map((name) => JSON.stringify(name));
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names.join(",")}\n`);
  }
  const text = lines.join("");
  if (fails) return { status: 500, text: `${text}${group} check failed\n`, headers: unsniffed };
  const shown = query.has("verbose") ? `${text}${group} check passed\n` : "ok";
  return { status: 200, text: shown, headers: unsniffed };
}
