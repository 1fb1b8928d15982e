import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { New } from "../../src/apimachinery/index.ts";
import { Deployment } from "../../src/api/types/apps-v1.ts";
import { Event, Namespace, Pod, Service } from "../../src/api/types/core-v1.ts";
import { createHttpClient, loadKubeconfig, type HttpClient } from "../../src/client/http/index.ts";
import { CommandClusters, freePort } from "../integration/harness.ts";
import { reasonToSkip } from "./harness.ts";

const reason = reasonToSkip();
if (reason !== undefined) console.log(`The node scenario is skipped: ${reason}`);

const image = "scenario:1";
const namespace = "shop";
const limit = 60_000;
/** Short: a shell as the first process of a container does not hear the signal to end. */
const terminationGracePeriodSeconds = 1;

/** Polls until `holds` answers something: the scenario looks on from outside, as a person would. */
async function until<T>(what: string, holds: () => Promise<T | undefined | false>): Promise<T> {
  const end = Date.now() + limit;
  for (;;) {
    const answer = await holds();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > end) throw new Error(`not so after ${limit / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const container = (command: string) => ({ name: "main", image, command: ["sh", "-c", command] });
const web: New<Deployment> = {
  metadata: { name: "web", namespace },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: {
        terminationGracePeriodSeconds,
        containers: [container("hostname > /tmp/index.html; exec httpd -f -p 8080 -h /tmp")],
      },
    },
  },
};

describe.skipIf(reason !== undefined)("a cluster with real containers", () => {
  let clusters: CommandClusters;
  let directory: string;
  let client: HttpClient;
  const connect = async () =>
    createHttpClient((await loadKubeconfig({ file: join(directory, "kubeconfig") })).options);

  beforeAll(async () => {
    clusters = await CommandClusters.open();
    directory = clusters.directory("scenario");
    const started = await clusters.run([
      "up",
      "--nodes",
      "1",
      "--dir",
      directory,
      "--port",
      String(await freePort()),
    ]);
    expect(started).toMatchObject({ code: 0, stderr: "" });
    expect(await clusters.run(["image", "busybox", image, "--dir", directory])).toMatchObject({ code: 0 });
    client = await connect();
    await client.create(Namespace, { metadata: { name: namespace } });
  }, 120_000);
  afterAll(async () => {
    client.close();
    await clusters.clean();
  }, 120_000);

  const podsOf = async (app: string) =>
    (await client.list(Pod, { namespace, labelSelector: `app=${app}` })).items;
  const readyPods = async (app: string) =>
    (await podsOf(app)).filter(
      ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined &&
        status.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True"),
    );
  const logOf = async (name: string) => {
    const { body } = await client.request("GET", `/api/v1/namespaces/${namespace}/pods/${name}/log`);
    return Buffer.from(body).toString();
  };
  /** What a command prints in a pod of its own. */
  const printedBy = async (name: string, command: string) => {
    await client.create(Pod, {
      metadata: { name, namespace },
      spec: { restartPolicy: "Never", terminationGracePeriodSeconds, containers: [container(command)] },
    });
    await until(`${name} has ended`, async () => {
      const { phase } = (await client.get(Pod, { namespace, name })).status;
      return phase === "Succeeded" || phase === "Failed";
    });
    return logOf(name);
  };

  test("a Deployment answers through its Service: by address, by name and at the node's port", async () => {
    await client.create(Deployment, web);
    const service = await client.create(Service, {
      metadata: { name: "web", namespace },
      spec: { type: "NodePort", selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] },
    });
    const names = await until("three pods are ready", async () => {
      const ready = await readyPods("web");
      return ready.length === 3 && ready.map(({ metadata }) => metadata.name);
    });
    const nodePort = service.spec.ports?.[0]?.nodePort;
    const fromHost = await until("the node's port answers", async () => {
      try {
        return (await (await fetch(`http://127.0.0.1:${nodePort}`)).text()).trim();
      } catch {
        return undefined;
      }
    });
    expect(names).toContain(fromHost);
    const byAddress = await printedBy("by-address", `wget -qO- http://${service.spec.clusterIP}`);
    expect(names).toContain(byAddress.trim());
    const byName = await printedBy("by-name", "nslookup web.shop.svc.cluster.local; nslookup web");
    expect(byName).toContain(`Address: ${service.spec.clusterIP}`);
  }, 120_000);

  test("a deleted pod is replaced", async () => {
    const [victim] = await readyPods("web");
    await client.delete(Pod, { namespace, name: victim?.metadata.name ?? "" }, { gracePeriodSeconds: 1 });
    const ready = await until("three pods are ready again", async () => {
      const pods = await readyPods("web");
      return pods.length === 3 && pods;
    });
    expect(ready.map(({ metadata }) => metadata.uid)).not.toContain(victim?.metadata.uid);
  }, 120_000);

  test("a missing image and a crashing container show as such", async () => {
    await client.create(Pod, {
      metadata: { name: "bad", namespace },
      spec: { terminationGracePeriodSeconds, containers: [{ name: "main", image: "localhost:1/none:1" }] },
    });
    await client.create(Pod, {
      metadata: { name: "crash", namespace },
      spec: { terminationGracePeriodSeconds, containers: [container("exit 3")] },
    });
    const waitingFor = async (name: string) =>
      (await client.get(Pod, { namespace, name })).status.containerStatuses?.[0]?.state.waiting?.reason;
    await until("the pull backs off", async () => (await waitingFor("bad")) === "ImagePullBackOff");
    await until("the start backs off", async () => {
      const { status } = await client.get(Pod, { namespace, name: "crash" });
      const [main] = status.containerStatuses ?? [];
      return main?.state.waiting?.reason === "CrashLoopBackOff" && main.lastState.terminated?.exitCode === 3;
    });
    const reasons = (await client.list(Event, { namespace })).items.map((event) => event.reason);
    expect(reasons).toEqual(expect.arrayContaining(["Failed", "BackOff", "Pulled", "Created", "Started"]));
  }, 120_000);

  test("a killed node starts again beside its pods, which run on", async () => {
    const states = async () =>
      (await readyPods("web")).map(({ status }) => status.containerStatuses?.[0]?.containerID).sort();
    const before = await states();
    const pids = readFileSync(join(directory, "pids"), "utf8");
    process.kill(Number(/^node (\d+)$/m.exec(pids)?.[1]), "SIGKILL");
    const again = await until("up starts the node again", async () => {
      const ended = await clusters.run(["up", "--dir", directory]);
      return ended.stdout.includes("up already") ? undefined : ended;
    });
    expect(again).toMatchObject({ code: 0, stderr: "" });
    expect(again.stdout).toContain("starting the node again");
    await until("the pods are ready", async () => (await readyPods("web")).length === 3);
    expect(await states()).toEqual(before);
  }, 120_000);

  test("down leaves nothing on the machine, and up brings the same pods back", async () => {
    const before = (await readyPods("web")).map(({ metadata }) => metadata.uid).sort();
    client.close();
    const id = runtimeOf(directory);
    expect(await clusters.run(["down", "--dir", directory])).toMatchObject({ code: 0, stderr: "" });
    expect(leftOvers({ directory, id })).toEqual([]);
    expect(await clusters.run(["up", "--dir", directory])).toMatchObject({ code: 0, stderr: "" });
    client = await connect();
    const after = await until("the pods are ready again", async () => {
      const ready = await readyPods("web");
      const restarted = ready.every(({ status }) => (status.containerStatuses?.[0]?.restartCount ?? 0) > 0);
      return ready.length === 3 && restarted && ready;
    });
    expect(after.map(({ metadata }) => metadata.uid).sort()).toEqual(before);
  }, 120_000);

  test("a deleted namespace goes with all that was in it", async () => {
    await client.delete(Namespace, { name: namespace });
    await until("the namespace is gone", async () => {
      const left = (await client.list(Namespace)).items.map(({ metadata }) => metadata.name);
      return !left.includes(namespace);
    });
    expect((await client.list(Pod, { namespace })).items).toEqual([]);
    expect((await client.list(Service, { namespace })).items).toEqual([]);
  }, 120_000);
});

/** The name by which the cluster's things on the machine are known. */
function runtimeOf(directory: string): string {
  const own = readdirSync("/run/kubets").find((id) => {
    const file = join("/run/kubets", id, "cluster.json");
    return existsSync(file) && readFileSync(file, "utf8").includes(JSON.stringify(directory));
  });
  if (own === undefined) throw new Error(`no node of ${directory} runs`);
  return own;
}

/** Everything of the cluster that is on the machine: processes, mounts, interfaces, rules, control groups. */
function leftOvers({ directory, id }: { directory: string; id: string }): string[] {
  const output = (program: string, ...args: string[]) => execFileSync(program, args, { encoding: "utf8" });
  const lines = (text: string) =>
    text.split("\n").filter((line) => line.includes(directory) || line.includes(id));
  const processes = readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        return lines(command).length > 0 ? [`process ${pid}: ${command}`] : [];
      } catch {
        return [];
      }
    });
  const groups = readdirSync("/sys/fs/cgroup", { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => readdirSync(join("/sys/fs/cgroup", name)).map((group) => `${name}/${group}`));
  return [
    ...processes,
    ...lines(readFileSync("/proc/self/mountinfo", "utf8")),
    ...lines(output("ip", "-br", "link")),
    ...lines(output("nft", "list", "tables")),
    ...lines(groups.join("\n")),
    ...(existsSync(join("/run/kubets", id)) ? [`/run/kubets/${id}`] : []),
  ];
}
