import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCluster, type TestCluster } from "../../src/testing/index.ts";
import { run, temporaryDirectory } from "../integration/harness.ts";

const usual = "/usr/bin/kubectl";
/** Every kubectl there is: Debian's, whatever else the PATH has, and one that KUBETS_KUBECTL names. */
const programs = [...new Set([process.env["KUBETS_KUBECTL"] ?? usual, usual])].filter(
  (program) => spawnSync(program, ["version", "--client"]).status === 0,
);
if (programs.length === 0) console.log("kubectl.test.ts is skipped: no kubectl");

const deployment = (image: string) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web" },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "web", image, ports: [{ containerPort: 80 }] }] },
    },
  },
});

describe.each(programs)("%s", { timeout: 60_000 }, (program) => {
  let cluster: TestCluster;
  let scratch: string;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    scratch = await temporaryDirectory();
    cluster = await startCluster({ nodes: 2 });
    const kubeconfig = join(scratch, "kubeconfig");
    await writeFile(kubeconfig, await cluster.kubeconfig(), { mode: 0o600 });
    env = { ...process.env, KUBECONFIG: kubeconfig, HOME: scratch };
  });
  afterAll(async () => {
    await cluster.stop();
    await rm(scratch, { recursive: true });
  });

  const call = (line: string, input?: string) =>
    run(program, line.split(" "), { env, cwd: scratch, ...(input === undefined ? {} : { input }) });

  /** Runs kubectl, which must succeed, and answers what it prints. */
  async function kubectl(line: string, input?: string): Promise<string> {
    const { code, stdout, stderr } = await call(line, input);
    expect(`${line}: ${code} ${code === 0 ? "" : stderr}`).toBe(`${line}: 0 `);
    return stdout;
  }

  test("apply, prune by replacement, scale automatically", async () => {
    const file = join(scratch, "web.json");
    await writeFile(file, JSON.stringify(deployment("web:1")));
    expect(await kubectl("apply -f web.json")).toBe("deployment.apps/web created\n");
    await kubectl("rollout status deployment/web --timeout=30s");
    expect(await kubectl("autoscale deployment web --min=1 --max=3 --cpu-percent=50")).toMatch(
      /autoscaled\n$/,
    );
    expect(await kubectl("get hpa web")).toMatch(
      /^NAME +REFERENCE +TARGETS +MINPODS +MAXPODS +REPLICAS +AGE\n/,
    );
    await kubectl("delete hpa web");
    await writeFile(file, JSON.stringify(deployment("web:2")));
    expect(await kubectl("replace -f web.json")).toBe("deployment.apps/web replaced\n");
    expect(await kubectl("replace --force -f web.json")).toMatch(
      /^deployment.apps "?web"? deleted.*\ndeployment.apps\/web replaced\n$/,
    );
    await kubectl("rollout status deployment/web --timeout=30s");
    expect(await kubectl("expose deployment web --port=80")).toBe("service/web exposed\n");
    expect(await kubectl("set env deployment/web A=b")).toBe("deployment.apps/web env updated\n");
    expect(await kubectl("set resources deployment/web --limits=cpu=1")).toMatch(
      /resource requirements updated\n$/,
    );
    expect(await kubectl("rollout pause deployment/web")).toBe("deployment.apps/web paused\n");
    expect(await kubectl("rollout resume deployment/web")).toBe("deployment.apps/web resumed\n");
    await kubectl("rollout status deployment/web --timeout=30s");
  });

  test("lists in pieces, by fields, sorted, watched", async () => {
    for (const name of ["c", "a", "b"]) await kubectl(`create configmap ${name} --from-literal=k=${name}`);
    expect(await kubectl("get configmaps -o name --chunk-size=1")).toMatch(
      /configmap\/a\nconfigmap\/b\nconfigmap\/c\n/,
    );
    expect(await kubectl("get configmaps --field-selector=metadata.name=b -o name")).toBe("configmap/b\n");
    const sorted = await kubectl(
      "get configmaps a b c --sort-by=.data.k -o custom-columns=:.data.k --no-headers",
    );
    expect(sorted).toBe("a\nb\nc\n");
    expect(await kubectl("get configmaps a b -o jsonpath={.items[*].data.k}")).toBe("a b");
    const watched = await call("get configmaps a --watch --request-timeout=1s -o name");
    expect(watched.stdout).toBe("configmap/a\n");
    expect(await kubectl("get events")).toMatch(/^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n/);
    expect(await kubectl("get --raw /readyz")).toBe("ok");
  });

  test("nodes are tainted, cordoned, drained", async () => {
    expect(await kubectl("taint nodes node-1 dedicated=web:PreferNoSchedule")).toBe("node/node-1 tainted\n");
    expect(await kubectl("taint nodes node-1 dedicated-")).toBe("node/node-1 untainted\n");
    expect(await kubectl("cordon node-1")).toBe("node/node-1 cordoned\n");
    expect(await kubectl("get node node-1")).toMatch(/Ready,SchedulingDisabled/);
    const drained = await kubectl("drain node-1 --ignore-daemonsets --force --timeout=30s");
    expect(drained).toMatch(/node\/node-1 (drained|evicted)\n$/);
    const left = await kubectl("get pods --field-selector=spec.nodeName=node-1 -o name");
    expect(left).toBe("");
    expect(await kubectl("uncordon node-1")).toBe("node/node-1 uncordoned\n");
  });

  test("certificates are approved and denied", async () => {
    const asks = (name: string) =>
      JSON.stringify({
        apiVersion: "certificates.k8s.io/v1",
        kind: "CertificateSigningRequest",
        metadata: { name },
        spec: { request: certificateRequest, signerName: "example.com/tests", usages: ["client auth"] },
      });
    await kubectl("create -f -", asks("yes"));
    await kubectl("create -f -", asks("no"));
    expect(await kubectl("certificate approve yes")).toContain(
      "certificatesigningrequest.certificates.k8s.io/yes approved",
    );
    expect(await kubectl("certificate deny no")).toContain(
      "certificatesigningrequest.certificates.k8s.io/no denied",
    );
    expect(await kubectl("get csr")).toMatch(/^no .* Denied\nyes .* Approved\n/m);
  });

  test("deletion cascades as it is told", async () => {
    await kubectl("create deployment gone --image=gone:1");
    await kubectl("rollout status deployment/gone --timeout=30s");
    await kubectl("delete deployment gone --cascade=orphan");
    expect(await kubectl("get rs -l app=gone -o name")).toMatch(/^replicaset.apps\/gone-\S+\n$/);
    await kubectl("delete rs -l app=gone --cascade=foreground");
    // Versions differ in whether what is already gone counts.
    const waited = await call("wait --for=delete pod -l app=gone --timeout=30s");
    expect(waited.stderr).toMatch(/^(error: no matching resources found\n)?$/);
    expect(await kubectl("get pods -l app=gone -o name")).toBe("");
    expect(await kubectl("delete configmaps --all")).toMatch(/configmap "a" deleted/);
  });
});

/** A key's request for a certificate is no matter of these tests: any that is well formed will do. */
const certificateRequest = requestPem();

function requestPem(): string {
  const made = spawnSync("openssl", ["req", "-new", "-key", "/dev/stdin", "-subj", "/CN=tests"], {
    input: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
      type: "sec1",
      format: "pem",
    }),
  });
  return made.stdout.toString("base64");
}
