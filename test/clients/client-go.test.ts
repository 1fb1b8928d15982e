import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { apiServerService, publishService } from "../../src/control-plane/index.ts";
import { run } from "../integration/harness.ts";
import { startScene } from "../lib/scene.ts";

/** Where a suite of upstream's own lies, as its `make WHAT=test/e2e/e2e.test` builds it; its clients are client-go's. */
const program = join(process.env["KUBETS_UPSTREAM"] ?? "", "e2e.test");
const isThere = process.env["KUBETS_UPSTREAM"] !== undefined && existsSync(program);
if (!isThere) console.log("client-go.test.ts is skipped: KUBETS_UPSTREAM names no folder with e2e.test");

/** Tests that ask the API server alone, and do not wait. */
const focus = [
  "Discovery should validate PreferredVersion for each APIGroup",
  "Table transformation should return a 406",
  "should be able to restart watching from the last resource version",
  "Watchers should be able to start watching from a specific resource version",
  "Watchers should receive events on concurrent watches in same order",
  "should support CSR API operations",
  "ServiceAccounts should run through the lifecycle of a ServiceAccount",
  "ConfigMap should run through a ConfigMap lifecycle",
  "lease API should be available",
  "PodTemplates should run the lifecycle of PodTemplates",
  "should support RuntimeClasses API operations",
  "Secrets should patch a secret",
  "Events API should ensure that an event can be fetched, patched, deleted, and listed",
  "should support creating Ingress API operations",
  "should test the lifecycle of an Endpoint",
];

test.skipIf(!isThere)("client-go, in upstream's own tests", { timeout: 300_000 }, async () => {
  const scene = await startScene({ nodes: 0 });
  try {
    const service = apiServerService({ clusterIP: "10.96.0.1", address: "127.0.0.1", port: 6443 });
    await publishService(scene.cluster.client, service);
    const { stdout } = await run(
      program,
      [
        `--ginkgo.focus=(?:${focus.join("|")}).*Conformance`,
        "--ginkgo.noColor",
        `--kubeconfig=${scene.kubeconfig}`,
        "--provider=skeleton",
        "--allowed-not-ready-nodes=1000",
        "--num-nodes=1",
        "--disable-log-dump",
        // No secrets with tokens are made since v1.24.
        "--e2e-verify-service-account=false",
      ],
      { cwd: scene.scratch, env: scene.env },
    );
    const failures = stdout.split("\n").filter((line) => line.startsWith("[Fail]"));
    expect(failures).toEqual([]);
    expect(stdout).toContain(`${focus.length} Passed | 0 Failed`);
  } finally {
    await scene.end();
  }
});
