import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startScene, type Scene } from "../lib/scene.ts";
import { run } from "./harness.ts";

const reason = missing();
if (reason !== undefined) console.log(`kubectl.test.ts is skipped: ${reason}`);

function missing(): string | undefined {
  const { error, status, stderr } = spawnSync("kubectl", ["version", "--client"], { encoding: "utf8" });
  if (error) return error.message;
  return status === 0 ? undefined : stderr;
}

const manifest = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "web:1"}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports:
  - {port: 80}
`;

/** A first day with kubectl, in order: each test goes on where the last one ended. */
describe.skipIf(reason !== undefined)("kubectl", { timeout: 60_000 }, () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await startScene({ nodes: 2 });
    await writeFile(join(scene.scratch, "web.yaml"), manifest);
  });
  afterAll(() => scene.end());

  const call = (...args: string[]) => run("kubectl", args, { env: scene.env, cwd: scene.scratch });

  /** Runs kubectl, which must succeed, and answers what it prints. */
  async function kubectl(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await call(...args);
    expect(`${code} ${code === 0 ? "" : stderr}`).toBe("0 ");
    return stdout;
  }

  test("version, api-resources, api-versions, explain", async () => {
    expect(await kubectl("version")).toMatch(/Server Version: .*v1\.36/);
    expect(await kubectl("api-resources")).toMatch(/^deployments +deploy +(apps\/v1 +)?.*true +Deployment$/m);
    expect(await kubectl("api-versions")).toMatch(/^apps\/v1$/m);
    const explained = await kubectl("explain", "deployment.spec.replicas");
    expect(explained).toMatch(/KIND: +Deployment/);
    expect(explained).toMatch(/FIELD: +replicas <integer>/);
  });

  test("create and apply", async () => {
    expect(await kubectl("create", "namespace", "team")).toBe("namespace/team created\n");
    expect(await kubectl("create", "configmap", "settings", "--from-literal=a=b", "-n", "team")).toBe(
      "configmap/settings created\n",
    );
    expect(await kubectl("apply", "-f", "web.yaml")).toBe(
      "deployment.apps/web created\nservice/web created\n",
    );
    expect(await kubectl("apply", "-f", "web.yaml")).toBe(
      "deployment.apps/web unchanged\nservice/web unchanged\n",
    );
    expect(await kubectl("create", "deployment", "other", "--image=other:1")).toBe(
      "deployment.apps/other created\n",
    );
    const again = await call("create", "namespace", "team");
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('Error from server (AlreadyExists): namespaces "team" already exists');
  });

  test("wait and rollout status", async () => {
    expect(await kubectl("rollout", "status", "deployment/web", "--timeout=30s")).toContain(
      'deployment "web" successfully rolled out',
    );
    expect(await kubectl("wait", "--for=condition=Available", "deployment/web", "--timeout=30s")).toBe(
      "deployment.apps/web condition met\n",
    );
  });

  test("get in every form", async () => {
    expect(await kubectl("get", "deployment", "web")).toMatch(
      /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +2\/2 +2 +2 +\d+s\n$/,
    );
    expect(await kubectl("get", "deployment", "web", "-o", "wide")).toMatch(
      /IMAGES +SELECTOR\n.* web:1 +app=web\n$/,
    );
    expect(await kubectl("get", "pods", "-l", "app=web", "--no-headers")).toMatch(
      /^(web-\S+ +1\/1 +Running +0 +\S+\n){2}$/,
    );
    expect(await kubectl("get", "pods", "-A", "-o", "wide")).toMatch(/^default +web-.* node-[12] /m);
    expect(await kubectl("get", "pods", "-o", "name", "-l", "app=web")).toMatch(/^(pod\/web-\S+\n){2}$/);
    expect(JSON.parse(await kubectl("get", "service", "web", "-o", "json"))).toMatchObject({
      kind: "Service",
      apiVersion: "v1",
      spec: { type: "ClusterIP", ports: [{ port: 80, targetPort: 80, protocol: "TCP" }] },
    });
    expect(await kubectl("get", "service", "web", "-o", "yaml")).toMatch(/^apiVersion: v1\nkind: Service\n/);
    expect(await kubectl("get", "deployment", "web", "-o", "jsonpath={.spec.replicas}")).toBe("2");
    expect(await kubectl("get", "deployment", "web", "-o", "go-template={{.metadata.name}}")).toBe("web");
    expect(
      await kubectl("get", "deployment", "-o", "custom-columns=N:.metadata.name,R:.spec.replicas", "web"),
    ).toMatch(/^N +R\nweb +2\n$/);
    expect(await kubectl("get", "nodes", "--show-labels")).toMatch(
      /node-1 +Ready +.*kubernetes.io\/hostname=node-1/,
    );
    expect(
      await kubectl(
        "get",
        "pods",
        "--sort-by=.metadata.name",
        "--field-selector=status.phase=Running",
        "-o",
        "name",
      ),
    ).toMatch(/^(pod\/\S+\n)+$/);
    expect(await kubectl("get", "all")).toContain("replicaset.apps/web-");
    const none = await call("get", "pod", "none");
    expect(none).toMatchObject({ code: 1, stderr: 'Error from server (NotFound): pods "none" not found\n' });
    const unknown = await call("get", "nothings");
    expect(unknown.stderr).toContain(`error: the server doesn't have a resource type "nothings"`);
  });

  test("describe", async () => {
    const deployment = await kubectl("describe", "deployment", "web");
    expect(deployment).toMatch(
      /^Replicas: +2 desired \| 2 updated \| 2 total \| 2 available \| 0 unavailable$/m,
    );
    expect(deployment).toMatch(/ScalingReplicaSet/);
    const pod = await kubectl("describe", "pod", "-l", "app=web");
    expect(pod).toMatch(/^Controlled By: +ReplicaSet\/web-/m);
    expect(pod).toMatch(/Successfully assigned default\/web-\S+ to node-[12]/);
    expect(await kubectl("describe", "node", "node-1")).toMatch(/^Capacity:$/m);
    expect(await kubectl("describe", "service", "web")).toMatch(/^Endpoints: +\d+\.\d+\.\d+\.\d+:80/m);
  });

  test("label, annotate, patch, set, scale", async () => {
    expect(await kubectl("label", "deployment", "web", "tier=front")).toBe("deployment.apps/web labeled\n");
    expect(await kubectl("annotate", "deployment", "web", "note=x")).toMatch(
      /^deployment.apps\/web annotated?\n$/,
    );
    expect(await kubectl("label", "deployment", "web", "tier-")).toMatch(
      /^deployment.apps\/web (un)?labeled\n$/,
    );
    const strategic =
      '{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"A","value":"b"}]}]}}}}';
    expect(await kubectl("patch", "deployment", "web", "-p", strategic)).toBe(
      "deployment.apps/web patched\n",
    );
    const json = '[{"op":"replace","path":"/spec/revisionHistoryLimit","value":3}]';
    expect(await kubectl("patch", "deployment", "web", "--type=json", "-p", json)).toBe(
      "deployment.apps/web patched\n",
    );
    const merge = await kubectl(
      "patch",
      "deployment",
      "web",
      "--type=merge",
      "-p",
      '{"spec":{"paused":false}}',
    );
    expect(merge).toMatch(/^deployment.apps\/web patched/);
    expect(await kubectl("scale", "deployment", "web", "--replicas=3")).toBe("deployment.apps/web scaled\n");
    await kubectl("rollout", "status", "deployment/web", "--timeout=30s");
    expect(await kubectl("get", "deployment", "web", "-o", "jsonpath={.status.readyReplicas}")).toBe("3");
  });

  test("rollout history, undo, restart", async () => {
    expect(await kubectl("set", "image", "deployment/web", "web=web:2")).toBe(
      "deployment.apps/web image updated\n",
    );
    await kubectl("rollout", "status", "deployment/web", "--timeout=30s");
    expect(await kubectl("rollout", "history", "deployment/web")).toMatch(/^3 +<none>$/m);
    expect(await kubectl("rollout", "undo", "deployment/web")).toBe("deployment.apps/web rolled back\n");
    expect(await kubectl("rollout", "restart", "deployment/web")).toBe("deployment.apps/web restarted\n");
    await kubectl("rollout", "status", "deployment/web", "--timeout=30s");
    expect(await kubectl("get", "deployment", "web", "-o", "jsonpath={..image}")).toBe("web:1");
  });

  test("server-side apply, diff, dry run", async () => {
    await kubectl("create", "configmap", "owned", "--from-literal=a=b");
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "owned" }, data: { a: "c" } };
    await writeFile(join(scene.scratch, "owned.json"), JSON.stringify(object));
    const conflict = await call("apply", "--server-side", "-f", "owned.json");
    expect(conflict.stderr).toMatch(/Apply failed with 1 conflict: conflict with "kubectl-create"/);
    expect(conflict.stderr).toContain(".data.a");
    expect(await kubectl("apply", "--server-side", "--force-conflicts", "-f", "owned.json")).toBe(
      "configmap/owned serverside-applied\n",
    );
    expect(await kubectl("apply", "--dry-run=server", "-f", "web.yaml")).toContain(
      "deployment.apps/web configured (server dry run)",
    );
    const difference = await call("diff", "-f", "web.yaml");
    expect(difference.code).toBe(1);
    expect(difference.stdout).toMatch(/^\+ +replicas: 2$/m);
  });

  test("auth", async () => {
    expect(await kubectl("auth", "can-i", "create", "pods")).toBe("yes\n");
    const refused = await call("auth", "can-i", "create", "pods", "--as=jane");
    expect(refused).toMatchObject({ code: 1, stdout: "no\n" });
    await kubectl("create", "role", "reader", "--verb=get,list", "--resource=pods");
    await kubectl("create", "rolebinding", "jane", "--role=reader", "--user=jane");
    expect(await kubectl("auth", "can-i", "list", "pods", "--as=jane")).toBe("yes\n");
    const other = await call("get", "secrets", "--as=jane");
    expect(other.stderr).toContain(
      'Error from server (Forbidden): secrets is forbidden: User "jane" cannot list resource "secrets" in API group "" in the namespace "default"',
    );
    expect(await kubectl("create", "serviceaccount", "robot")).toBe("serviceaccount/robot created\n");
    expect(await kubectl("create", "token", "robot")).toMatch(/^ey[\w-]+\.[\w-]+\.[\w-]+\n?$/);
  });

  test("delete", async () => {
    expect(await kubectl("delete", "-f", "web.yaml")).toMatch(
      /^deployment.apps "web" deleted.*\nservice "web" deleted.*\n$/,
    );
    await kubectl("wait", "--for=delete", "pod", "-l", "app=web", "--timeout=30s");
    expect(await kubectl("delete", "namespace", "team")).toBe('namespace "team" deleted\n');
    const gone = await call("get", "namespace", "team");
    expect(gone.stderr).toBe('Error from server (NotFound): namespaces "team" not found\n');
  });
});
