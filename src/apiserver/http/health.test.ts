import { describe, expect, test } from "vitest";
import { healthAnswer, healthChecks } from "./health.ts";

let problem: string | undefined;
const checks = healthChecks({
  store: () => problem,
  shutdown: { name: "shutdown", check: () => undefined },
  ready: [],
});

function ask(target: string, failing?: string) {
  problem = failing;
  const [path = "", query] = target.split("?");
  return healthAnswer(checks, { path, query: new URLSearchParams(query) });
}

describe("health", () => {
  const cases: readonly (readonly [string, string | undefined, number, RegExp])[] = [
    ["/readyz", undefined, 200, /^ok$/],
    [
      "/readyz?verbose",
      undefined,
      200,
      /^\[\+\]ping ok\n\[\+\]log ok\n\[\+\]etcd ok\n\[\+\]etcd-readiness ok\n/,
    ],
    ["/readyz?verbose", undefined, 200, /\n\[\+\]shutdown ok\nreadyz check passed\n$/],
    ["/livez?verbose", undefined, 200, /openapiv3-controller ok\nlivez check passed\n$/],
    ["/livez?verbose&exclude=etcd", "broken", 200, /\n\[\+\]etcd excluded: ok\n/],
    ["/livez", "broken", 500, /\n\[-\]etcd failed: reason withheld\n[^]*\nlivez check failed\n$/],
    [
      "/healthz?verbose&exclude=b&exclude=a",
      undefined,
      200,
      /\nwarn: some health checks cannot be excluded: no matches for "a","b"\nhealthz check passed\n$/,
    ],
    ["/healthz/etcd", "broken", 500, /^internal server error: broken\n$/],
    ["/healthz/poststarthook/rbac/bootstrap-roles", undefined, 200, /^ok$/],
  ];
  test.each(cases)("%s when the store is %s", (target, failing, status, text) => {
    const answer = ask(target, failing);
    expect(answer?.status).toBe(status);
    expect(answer?.text).toMatch(text);
  });

  test.each(["/readyz/", "/readyz/nothing", "/livez/shutdown", "/health"])("%s is no check", (path) => {
    expect(ask(path)).toBeUndefined();
  });
});
