import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startScene, type Scene } from "../lib/scene.ts";
import { run } from "../integration/harness.ts";

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
  let scene: Scene;

  beforeAll(async () => {
    scene = await startScene({ nodes: 2 });
  });
  afterAll(() => scene.end());

  const call = (line: string, input?: string) =>
    run(program, line.split(" "), {
      env: scene.env,
      cwd: scene.scratch,
      ...(input === undefined ? {} : { input }),
    });

  /** Runs kubectl, which must succeed, and answers what it prints. */
  async function kubectl(line: string, input?: string): Promise<string> {
    const { code, stdout, stderr } = await call(line, input);
    expect(`${line}: ${code} ${code === 0 ? "" : stderr}`).toBe(`${line}: 0 `);
    return stdout;
  }

  test("apply, prune by replacement, scale automatically", async () => {
    const file = join(scene.scratch, "web.json");
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

  test("knows the API: resources, versions, explanations, wrong fields", async () => {
    expect(await kubectl("api-resources --api-group=apps --no-headers")).toMatch(
      /^controllerrevisions +apps\/v1 +true +ControllerRevision\ndaemonsets +ds +apps\/v1 +true +DaemonSet\n/,
    );
    expect(await kubectl("api-resources --verbs=list,create --namespaced=false -o name")).toContain(
      "customresourcedefinitions.apiextensions.k8s.io\n",
    );
    expect((await kubectl("api-versions")).split("\n")).toEqual(
      expect.arrayContaining(["apps/v1", "autoscaling/v2", "v1"]),
    );
    expect(await kubectl("explain deployment.spec.strategy.rollingUpdate")).toMatch(
      /RESOURCE: rollingUpdate <Object>|FIELD: rollingUpdate <RollingUpdateDeployment>/,
    );
    expect(await kubectl("explain pods.spec.containers --recursive")).toContain("containerPort");
    const wrong = { ...deployment("web:1"), spec: { ...deployment("web:1").spec, replcas: 1 } };
    const refused = await call("apply --validate=true -f -", JSON.stringify(wrong));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/unknown field "(?:spec\.)?replcas"/);
    const { groupVersion, resources } = JSON.parse(await kubectl("get --raw /apis/batch/v1")) as {
      groupVersion: string;
      resources: object[];
    };
    expect([groupVersion, resources.length]).toEqual(["batch/v1", 4]);
  });

  test("server-side apply, conflicts, differences, dry runs", async () => {
    const object = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "applied" },
      data: { a: "1", b: "1" },
    };
    const text = (data: object) => JSON.stringify({ ...object, data });
    const apply = "apply --server-side -f - --field-manager";
    expect(await kubectl(`${apply}=one`, text({ a: "1", b: "1" }))).toBe(
      "configmap/applied serverside-applied\n",
    );
    const conflict = await call(`${apply}=two`, text({ a: "2" }));
    expect(conflict.code).toBe(1);
    expect(conflict.stderr).toContain('conflict with "one": .data.a');
    await kubectl(`${apply}=two --force-conflicts`, text({ a: "2" }));
    expect(await kubectl(`${apply}=one --dry-run=server`, text({ b: "3" }))).toContain("(server dry run)");
    const differs = await call("diff -f -", text({ a: "2", b: "2" }));
    expect(differs.code).toBe(1);
    expect(differs.stdout).toMatch(/^-  b: "1"\n\+  b: "2"$/m);
    expect(await kubectl("get configmap applied -o yaml")).toContain(
      'data:\n  a: "2"\n  b: "1"\nkind: ConfigMap\n',
    );
    await kubectl("delete configmap applied");
  });

  test("watches tables, also with more columns of one's own choice", async () => {
    await kubectl("create configmap seen --from-literal=k=1");
    const wide = await call("get configmaps seen -o wide --watch --request-timeout=1s");
    expect(wide.stdout).toMatch(/^NAME +DATA +AGE\nseen +1 +\d+s\n$/);
    const columns = "custom-columns=NAME:.metadata.name,K:.data.k";
    const custom = await call(`get configmaps seen -o ${columns} --watch --request-timeout=1s`);
    expect(custom.stdout).toMatch(/^NAME +K\nseen +1\n$/);
    const yaml = await call("get configmaps seen -o yaml --watch --request-timeout=1s");
    expect(yaml.stdout).toContain('data:\n  k: "1"\nkind: ConfigMap\n');
    await kubectl("delete configmap seen");
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
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null"];
  const made = spawnSync("openssl", ["req", "-new", ...key, "-subj", "/CN=tests"]);
  return made.stdout.toString("base64");
}
