/** One check of the server's health; answers why it fails, or undefined. */
export interface HealthCheck {
  readonly name: string;
  check(): string | undefined;
}

export type HealthChecks = Readonly<Record<"healthz" | "livez" | "readyz", readonly HealthCheck[]>>;

const ping: HealthCheck = { name: "ping", check: () => undefined };
const log: HealthCheck = { name: "log", check: () => undefined };

/** Checks of the server itself together with the store's and those given. */
export function healthChecks(options: {
  readonly store: HealthCheck;
  readonly ready: readonly HealthCheck[];
}): HealthChecks {
  const live = [ping, log, options.store];
  return { healthz: live, livez: live, readyz: [...live, ...options.ready] };
}

/** The answer to `/readyz`, `/readyz/etcd` and their like; undefined when there is no such check. */
export function healthAnswer(
  checks: HealthChecks,
  request: { readonly path: string; readonly query: URLSearchParams },
): { readonly status: number; readonly text: string } | undefined {
  const [, group = "", single, ...rest] = request.path.split("/");
  if (group !== "healthz" && group !== "livez" && group !== "readyz") return undefined;
  if (rest.length > 0) return undefined;
  if (single) {
    const found = checks[group].find(({ name }) => name === single);
    if (!found) return undefined;
    const problem = found.check();
    return problem === undefined
      ? { status: 200, text: "ok" }
      : { status: 500, text: `internal server error: ${problem}\n` };
  }
  const excluded = new Set(request.query.getAll("exclude"));
  const lines: string[] = [];
  const failed: string[] = [];
  for (const { name, check } of checks[group]) {
    const problem = excluded.has(name) ? undefined : check();
    if (excluded.has(name)) lines.push(`[+]${name} excluded: ok\n`);
    else if (problem === undefined) lines.push(`[+]${name} ok\n`);
    else {
      failed.push(name);
      lines.push(`[-]${name} failed: reason withheld\n`);
    }
  }
  if (failed.length > 0) return { status: 500, text: `${lines.join("")}${group} check failed\n` };
  if (!request.query.has("verbose")) return { status: 200, text: "ok" };
  return { status: 200, text: `${lines.join("")}${group} check passed\n` };
}
