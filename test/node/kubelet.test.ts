import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConfigMap, Node, Secret } from "../../src/api/types/core-v1.ts";
import type { Container, Pod } from "../../src/api/types/core-v1.ts";
import { reasonToSkip, startTestNode } from "./harness.ts";
import type { TestNode } from "./harness.ts";

const reason = reasonToSkip();
if (reason !== undefined) console.log(`Tests with real containers are skipped: ${reason}`);

const image = "busybox:1";
const shell = (script: string, more: Partial<Container> = {}): Container => ({
  name: "main",
  image,
  command: ["sh", "-c", script],
  resources: {},
  ...more,
});
const exited = (pod: Pod) => pod.status.containerStatuses?.[0]?.state.terminated;
const isReady = (pod: Pod) =>
  pod.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;

describe.skipIf(reason !== undefined)("kubelet with real containers", () => {
  let node: TestNode;
  beforeAll(async () => {
    node = await startTestNode();
  }, 60_000);
  afterAll(async () => node?.stop(), 60_000);

  async function logOf(name: string): Promise<string> {
    const pod = node.kubelet.pod({ namespace: "default", name });
    const file = node.kubelet.logFile(pod?.metadata.uid ?? "", { container: "main", previous: false });
    const text = await readFile(file ?? "", "utf8");
    return text
      .split("\n")
      .map((line) => line.split(" ").slice(3).join(" "))
      .join("\n");
  }

  test("the node is registered and ready", async () => {
    const found = await node.client.get(Node, { name: "node-1" });
    expect(found.status.conditions?.find(({ type }) => type === "Ready")?.status).toBe("True");
    expect(found.status.nodeInfo.containerRuntimeVersion).toMatch(/^containerd:\/\/\d/);
  });

  test("a pod starts, becomes ready and ends within its grace period", async () => {
    const started = Date.now();
    await node.run("web", { containers: [shell("trap 'exit 0' TERM; sleep 1000 & wait")] });
    const pod = await node.until("web", isReady);
    expect(Date.now() - started).toBeLessThan(3000);
    expect(pod.status.phase).toBe("Running");
    expect(pod.status.podIP).toMatch(/^10\.211\.0\.\d+$/);
    expect(pod.status.containerStatuses?.[0]).toMatchObject({ ready: true, started: true, restartCount: 0 });
    await node.endPod("web", 10);
    await node.untilGone("web");
    expect(node.messages("Killing")).toContain("Stopping container main");
  });

  test("environment, volumes and security reach the container", async () => {
    const metadata = { namespace: "default", name: "settings" };
    await node.client.create(ConfigMap, { metadata, data: { color: "blue" } });
    await node.client.create(Secret, { metadata, data: { key: Buffer.from("hidden").toString("base64") } });
    const script = [
      'echo "$COLOR $NAME $JOINED $IP"',
      "cat /config/color; echo; cat /secret/key; echo; cat /token/token; echo",
      "stat -c %a /scratch; id -u; id -g; id -G; hostname; grep -c managed /etc/hosts; cat /etc/resolv.conf",
      "echo done > /dev/termination-log; exit 3",
    ].join("\n");
    const main = shell(script, {
      env: [
        { name: "COLOR", valueFrom: { configMapKeyRef: { name: "settings", key: "color" } } },
        { name: "NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
        { name: "JOINED", value: "$(NAME)-$(COLOR)-$$(NAME)" },
        { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
      ],
      volumeMounts: [
        { name: "config", mountPath: "/config" },
        { name: "secret", mountPath: "/secret" },
        { name: "token", mountPath: "/token" },
        { name: "scratch", mountPath: "/scratch" },
      ],
      securityContext: { runAsUser: 1000, runAsGroup: 3000, allowPrivilegeEscalation: false },
    });
    await node.run("wired", {
      restartPolicy: "Never",
      securityContext: { fsGroup: 2000 },
      volumes: [
        { name: "config", configMap: { name: "settings" } },
        { name: "secret", secret: { secretName: "settings" } },
        { name: "token", projected: { sources: [{ serviceAccountToken: { path: "token" } }] } },
        { name: "scratch", emptyDir: { medium: "Memory" } },
      ],
      containers: [main],
    });
    const pod = await node.until("wired", (found) => found.status.phase === "Failed");
    expect(exited(pod)).toMatchObject({ exitCode: 3, reason: "Error", message: "done\n" });
    const lines = (await logOf("wired")).split("\n");
    expect(lines[0]).toMatch(/^blue wired wired-blue-\$\(NAME\) 10\.211\.0\.\d+$/);
    expect(lines.slice(1, 9)).toEqual([
      "blue",
      "hidden",
      "test-token",
      "2777",
      "1000",
      "3000",
      "3000 2000",
      "wired",
    ]);
    expect(lines.slice(9, 12)).toEqual([
      "1",
      "search default.svc.cluster.local svc.cluster.local cluster.local",
      "nameserver 10.96.0.10",
    ]);
    await node.endPod("wired", 0);
    await node.untilGone("wired");
  });

  test("init containers run first, failing ones back off", async () => {
    const volumeMounts = [{ name: "shared", mountPath: "/shared" }];
    await node.run("ordered", {
      restartPolicy: "OnFailure",
      volumes: [{ name: "shared", emptyDir: {} }],
      initContainers: [shell("echo one > /shared/file", { name: "first", volumeMounts })],
      containers: [shell("cat /shared/file", { volumeMounts })],
    });
    const done = await node.until("ordered", (pod) => pod.status.phase === "Succeeded");
    expect(done.status.initContainerStatuses?.[0]).toMatchObject({
      ready: true,
      state: { terminated: { exitCode: 0 } },
    });
    expect(await logOf("ordered")).toContain("one");
    await node.run("crashing", { containers: [shell("exit 1")] });
    const crashing = await node.until(
      "crashing",
      (pod) => pod.status.containerStatuses?.[0]?.state.waiting?.reason === "CrashLoopBackOff",
    );
    expect(crashing.status.containerStatuses?.[0]).toMatchObject({
      restartCount: 1,
      lastState: { terminated: { exitCode: 1, reason: "Error" } },
    });
    for (const name of ["ordered", "crashing"]) await node.endPod(name, 0);
    for (const name of ["ordered", "crashing"]) await node.untilGone(name);
  });

  test("probes make ready and restart", async () => {
    const probe = { periodSeconds: 1, failureThreshold: 1 };
    const main = shell("touch /alive; sleep 1.5; rm /alive; trap 'exit 0' TERM; sleep 1000 & wait", {
      readinessProbe: { ...probe, exec: { command: ["true"] } },
      livenessProbe: { ...probe, exec: { command: ["cat", "/alive"] }, initialDelaySeconds: 1 },
    });
    await node.run("probed", { containers: [main] });
    await node.until("probed", isReady);
    await node.until("probed", (pod) => pod.status.containerStatuses?.[0]?.restartCount === 1);
    expect(node.messages("Unhealthy")[0]).toContain("Liveness probe failed: cat: can't open '/alive'");
    expect(node.messages("Killing")).toContain("Container main failed liveness probe, will be restarted");
    await node.endPod("probed", 0);
    await node.untilGone("probed");
  });

  test("host ports lead in, sidecars end last, configuration is followed live", async () => {
    const metadata = { namespace: "default", name: "live" };
    await node.client.create(ConfigMap, { metadata, data: { page: "before" } });
    const side = shell("trap 'exit 0' TERM; sleep 1000 & wait", { name: "side", restartPolicy: "Always" });
    const main = shell("httpd -f -p 80 -h /pages", {
      ports: [{ containerPort: 80, hostPort: 28_080 }],
      volumeMounts: [{ name: "pages", mountPath: "/pages" }],
      readinessProbe: { httpGet: { path: "/page", port: 80 }, periodSeconds: 1 },
    });
    const volumes = [{ name: "pages", configMap: { name: "live" } }];
    await node.run("served", { volumes, initContainers: [side], containers: [main] });
    await node.until("served", isReady);
    const page = async () => (await fetch("http://127.0.0.1:28080/page")).text();
    expect(await page()).toBe("before");
    await node.client.patch(ConfigMap, metadata, { type: "merge", body: { data: { page: "after" } } });
    await expect.poll(page, { timeout: 3000 }).toBe("after");
    await node.endPod("served", 1);
    await node.untilGone("served");
    expect(node.messages("Killing").slice(-2)).toEqual([
      "Stopping container main",
      "Stopping container side",
    ]);
  });

  test("what cannot start says why", async () => {
    await node.run("imageless", {
      containers: [shell("true", { image: "nowhere:1", imagePullPolicy: "Never" })],
    });
    await node.run("configless", {
      containers: [shell("true", { envFrom: [{ configMapRef: { name: "none" } }] })],
    });
    const waiting = (pod: Pod) => pod.status.containerStatuses?.[0]?.state.waiting;
    const imageless = await node.until("imageless", (pod) => waiting(pod)?.reason === "ErrImageNeverPull");
    expect(waiting(imageless)?.message).toBe(
      'Container image "nowhere:1" is not present with pull policy of Never',
    );
    const configless = await node.until(
      "configless",
      (pod) => waiting(pod)?.reason === "CreateContainerConfigError",
    );
    expect(waiting(configless)?.message).toBe('configmap "none" not found');
    for (const name of ["imageless", "configless"]) await node.endPod(name, 0);
    for (const name of ["imageless", "configless"]) await node.untilGone(name);
  });

  // The last one: it stops the node.
  test("containers outlive containerd, and are told to end when the node stops", async () => {
    const folder = await mkdtemp(join(tmpdir(), "kubets-told-"));
    const told = shell("trap 'echo told >/out/end; exit 0' TERM; while :; do sleep 0.1; done", {
      volumeMounts: [{ name: "out", mountPath: "/out" }],
    });
    await node.run("told", { containers: [told], volumes: [{ name: "out", hostPath: { path: folder } }] });
    await node.until("told", isReady);
    node.killContainerd();
    await node.run("later", { containers: [shell("sleep 1000")] });
    await node.until("later", isReady, 15_000);
    const outlived = await node.until("told", isReady);
    expect(outlived.status.containerStatuses?.[0]?.restartCount).toBe(0);
    node.killContainerd();
    await node.stop();
    expect(await readFile(join(folder, "end"), "utf8")).toBe("told\n");
    await rm(folder, { recursive: true });
  }, 60_000);
});
