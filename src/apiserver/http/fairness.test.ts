import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { openFront } from "./front-suite.ts";
import type { Front } from "./front-suite.ts";

let front: Front;
afterEach(() => front.close());

const configMaps = "/api/v1/namespaces/default/configmaps";
const everything = {
  resourceRules: [
    { verbs: ["*"], apiGroups: ["*"], resources: ["*"], clusterScope: true, namespaces: ["*"] },
  ],
  nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
};

/** Makes or replaces an object of flow control as the administrator. */
async function configure(resource: string, name: string, spec: object): Promise<void> {
  const path = `/apis/flowcontrol.apiserver.k8s.io/v1/${resource}`;
  const kind = resource === "flowschemas" ? "FlowSchema" : "PriorityLevelConfiguration";
  const body = JSON.stringify({
    apiVersion: "flowcontrol.apiserver.k8s.io/v1",
    kind,
    metadata: { name },
    spec,
  });
  const answer = await front.ask(`${path}/${name}?fieldManager=t&force=true`, {
    method: "PATCH",
    as: "admin",
    headers: { "content-type": "application/apply-patch+yaml" },
    body,
  });
  expect(answer.status).toBeLessThan(300);
}

const level = (shares: number, queuing?: object) =>
  configure("prioritylevelconfigurations", "small", {
    type: "Limited",
    limited: {
      nominalConcurrencyShares: shares,
      borrowingLimitPercent: 0,
      limitResponse: queuing ? { type: "Queue", queuing } : { type: "Reject" },
    },
  });

/** A server with one seat for the user, and queues in front of it. */
async function openSmall(queuing?: object): Promise<void> {
  front = await openFront({ maxRequestsInflight: 1, maxMutatingRequestsInflight: 0, allows: () => true });
  await level(1_000, queuing);
  await configure("flowschemas", "users", {
    priorityLevelConfiguration: { name: "small" },
    distinguisherMethod: { type: "ByUser" },
    rules: [{ subjects: [{ kind: "User", user: { name: "user" } }], ...everything }],
  });
}

const shown = (pattern: RegExp): string | undefined => pattern.exec(front.api.metrics.text())?.[1];
const labels = 'flow_schema="users",priority_level="small"';
const executing = () => shown(/flowcontrol_current_executing_requests\{flow_schema="users".*?\} (\d+)/);
const waiting = () => shown(/flowcontrol_current_inqueue_requests\{flow_schema="users".*?\} (\d+)/);

async function until(read: () => string | undefined, value: string): Promise<void> {
  while (read() !== value) await new Promise((resolve) => setImmediate(resolve));
}

const oneQueue = { queues: 1, handSize: 1, queueLengthLimit: 1 };
const slow = () => front.ask("/slow", { as: "user" });

describe("priority and fairness", () => {
  test("requests wait for a seat, and are refused when their queue is full", async () => {
    await openSmall(oneQueue);
    const first = slow();
    await until(executing, "1");
    const second = slow();
    await until(waiting, "1");
    const refused = await slow();
    expect(refused.status).toBe(429);
    expect(refused.text).toBe("Too many requests, please try again later.\n");
    expect(refused.headers).toMatchObject({ "retry-after": "1", "x-content-type-options": "nosniff" });
    expect(refused.headers["x-kubernetes-pf-flowschema-uid"]).toMatch(/^[\da-f-]{36}$/);
    // Those who run the cluster are exempt.
    const dump = async (page: string) =>
      (await front.ask(`/debug/api_priority_and_fairness/dump_${page}`, { as: "admin" })).text.split("\n");
    const [, ...levels] = await dump("priority_levels");
    expect(levels).toContain(
      "small,             1,            false,  false,       1,               1,                 1,                  1,                0,                0",
    );
    expect(await dump("queues")).toContainEqual(
      expect.stringMatching(/^small, +0, +1, +1, +1, +0\.\d{8}ss, +1, +1, +0\.00300000ss$/),
    );
    const requests = await dump("requests?includeRequestDetails=1");
    expect(requests[0]).toContain("FlowDistingsher, ArriveTime, ");
    expect(requests.some((line) => /^small, +users, +0, +0, .*user, +get, +\/slow,/.test(line))).toBe(true);
    expect(requests.some((line) => /^exempt, +exempt, +-1, +-1, .*admin, +get, +\/debug/.test(line))).toBe(
      true,
    );
    front.release();
    expect([(await first).text, (await second).text]).toEqual(["slow", "slow"]);
    const text = front.api.metrics.text();
    for (const line of [
      `apiserver_flowcontrol_dispatched_requests_total{${labels}} 2\n`,
      `apiserver_flowcontrol_rejected_requests_total{${labels},reason="queue-full"} 1\n`,
      `apiserver_flowcontrol_request_wait_duration_seconds_count{execute="true",${labels}} 2\n`,
      'apiserver_flowcontrol_nominal_limit_seats{priority_level="small"} 1\n',
      'apiserver_flowcontrol_nominal_limit_seats{priority_level="exempt"} 0\n',
      'apiserver_dropped_requests_total{request_kind="readOnly"} 1\n',
    ]) {
      expect(text).toContain(line);
    }
  });

  test("who has waited too long is refused", async () => {
    await openSmall(oneQueue);
    const first = slow();
    await until(executing, "1");
    const [second, hasty] = [slow(), front.ask("/slow?timeout=8s", { as: "user" })];
    await until(waiting, "1");
    // One of them found the queue full.
    await Promise.race([second, hasty]);
    await front.clock.advance(15_000);
    const answers = await Promise.all([second, hasty]);
    expect(answers.map(({ status }) => status)).toEqual([429, 429]);
    expect(shown(/rejected_requests_total\{.*reason="time-out"\} (\d+)/)).toBe("1");
    front.release();
    expect((await first).status).toBe(200);
  });

  test("who goes away waits no longer", async () => {
    await openSmall(oneQueue);
    const first = slow();
    await until(executing, "1");
    const session = front.session();
    const gone = session.request({ ":path": "/slow", authorization: "Bearer user" });
    gone.on("error", () => {});
    await until(waiting, "1");
    session.destroy();
    await until(waiting, "0");
    expect(shown(/rejected_requests_total\{.*reason="cancelled"\} (\d+)/)).toBe("1");
    front.release();
    await first;
  });

  test("a level without queues refuses at once, until it is given some", async () => {
    await openSmall();
    const first = slow();
    await until(executing, "1");
    expect((await slow()).status).toBe(429);
    expect(shown(/rejected_requests_total\{.*reason="concurrency-limit"\} (\d+)/)).toBe("1");
    await level(1_000, oneQueue);
    const second = slow();
    await until(waiting, "1");
    front.release();
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
  });

  test("a watch has its seat only until it has sent what there was", async () => {
    await openSmall();
    const session = front.session();
    const watch = session.request({ ":path": `${configMaps}?watch=1`, authorization: "Bearer user" });
    await once(watch, "response");
    await until(executing, "0");
    expect((await front.ask("/version", { as: "user" })).status).toBe(200);
    expect(shown(/request_execution_seconds_count\{flow_schema="users".*type="watch"\} (\d+)/)).toBe("1");
    session.destroy();
  });

  test("seats that others do not need are lent", async () => {
    front = await openFront({ maxRequestsInflight: 60, maxMutatingRequestsInflight: 40, allows: () => true });
    const limited = { limitResponse: { type: "Reject" }, lendablePercent: 80 };
    for (const name of ["busy", "idle"]) {
      const spec = { type: "Limited", limited: { nominalConcurrencyShares: 50, ...limited } };
      await configure("prioritylevelconfigurations", name, spec);
    }
    await configure("flowschemas", "users", {
      priorityLevelConfiguration: { name: "busy" },
      rules: [{ subjects: [{ kind: "User", user: { name: "user" } }], ...everything }],
    });
    const seatsOf = (name: string) =>
      Number(shown(new RegExp(`current_limit_seats\\{priority_level="${name}"\\} (\\d+)`)));
    expect([seatsOf("busy"), seatsOf("idle")]).toEqual([40, 40]);
    const busy = Array.from({ length: 40 }, slow);
    await until(executing, "40");
    await front.clock.advance(10_000);
    await front.clock.advance(10_000);
    expect(seatsOf("busy")).toBeGreaterThan(50);
    expect(seatsOf("idle")).toBeLessThan(20);
    front.release();
    await Promise.all(busy);
  });
});
