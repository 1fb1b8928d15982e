import type { ServerResponse } from "node:http";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { ApiError } from "../../../apimachinery/index.ts";
import { silentLogger, systemRandom, VirtualClock } from "../../../base/index.ts";
import { createControlPlane } from "../../../control-plane/index.ts";
import { createMemoryStore } from "../../../store/index.ts";
import { generateServiceAccountKey } from "../../authentication/index.ts";
import {
  MutatingWebhookConfiguration,
  ValidatingWebhookConfiguration,
} from "../../../api/types/admissionregistration-v1.ts";
import { ConfigMap, Namespace } from "../../../api/types/core-v1.ts";
import { memoryReader } from "../../authorization/memory-reader.ts";
import { MetricsRegistry } from "../../http/metrics/registry.ts";
import { admissionObserver } from "../../http/metrics/admission-metrics.ts";
import { create } from "../../registry/create.ts";
import type { RequestOptions } from "../../registry/context.ts";
import type { AnyObject } from "../../registry/entry.ts";
import { attributesOf } from "../dynamic/attributes.ts";
import { HookSource } from "./hooks.ts";
import type { Webhook } from "./hooks.ts";
import { serveHooks } from "./webhooks-suite.ts";

const user = { name: "ann", groups: ["system:masters"] };
const megabyte = 1024 * 1024;

async function startPlane() {
  const clock = new VirtualClock();
  const plane = await createControlPlane({
    store: createMemoryStore({ clock }),
    clock,
    random: systemRandom,
    logger: silentLogger,
    serviceAccountKey: await generateServiceAccountKey(),
    issuer: "https://kubernetes.default.svc",
    rootCertificateAuthority: "",
    serviceCIDR: "10.96.0.0/16",
  });
  return { client: plane.clientFor(user), clock, core: plane.server.core, close: () => plane.close() };
}

/** Bytes that the server of webhooks got rid of. */
let sent = 0;
let open = 0;
let opened = 0;

function flood(
  response: ServerResponse,
  { bytes, ends }: { readonly bytes: number; readonly ends: boolean },
) {
  const block = Buffer.alloc(64 * 1024, " ");
  open += 1;
  opened += 1;
  response.once("close", () => (open -= 1));
  let left = bytes;
  const more = () => {
    while (left > 0 && !response.destroyed) {
      left -= block.length;
      if (!response.write(block, () => (sent += block.length))) return void response.once("drain", more);
    }
    if (ends) response.end();
  };
  more();
  return undefined;
}

const patched = (operations: string) => () => ({
  allowed: true,
  patchType: "JSONPatch",
  patch: Buffer.from(operations).toString("base64"),
});
const list = (length: number, item: string) => `[${Array.from({ length }, () => item).join(",")}]`;
const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;

let hooks: Awaited<ReturnType<typeof serveHooks>>;
let plane: Awaited<ReturnType<typeof startPlane>>;

beforeAll(async () => {
  hooks = await serveHooks({
    "/allow": () => ({ allowed: true }),
    "/deny": () => ({ allowed: false }),
    "/code": () => ({ allowed: false, status: { code: "x" } }),
    "/code-1000": () => ({ allowed: false, status: { code: 1_000 } }),
    "/hang": () => undefined,
    "/slow": (_, response) => flood(response, { bytes: 64 * 1024, ends: false }),
    "/flood": (_, response) => flood(response, { bytes: 100 * megabyte, ends: true }),
    "/most": (_, response) => flood(response, { bytes: 4 * megabyte, ends: false }),
    "/nested": (_, response) => void response.end(`{"a":${"[".repeat(200_000)}`),
    "/yaml": (_, response) => void response.end("- a\n".repeat(100_000)),
    "/break": (_, response) => {
      response.writeHead(200, { "content-length": 100 });
      response.write("{", () => response.destroy());
    },
    "/status": (_, response) =>
      void response
        .writeHead(403, { "content-type": "application/json" })
        .end(JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", message: "go away" })),
    "/later": (_, response) => void response.writeHead(429, { "retry-after": "3" }).end(),
    "/add": patched('[{"op":"add","path":"/data/by","value":"hook"}]'),
    "/missing": patched('[{"op":"remove","path":"/nothing/here"}]'),
    "/namespace": patched('[{"op":"replace","path":"/metadata/namespace","value":"default"}]'),
    "/kind": patched('[{"op":"replace","path":"/kind","value":"Secret"}]'),
    "/garbage-patch": patched("garbage"),
    "/no-operations": patched('{"op":"add"}'),
    "/deep-patch": patched(`[{"op":"add","path":"/x","value":${nested(10_001)}}]`),
    "/many": patched(list(10_001, '{"op":"add","path":"/data/x","value":"y"}')),
    "/moving": patched(
      `[{"op":"add","path":"/x","value":${list(100_000, "0")}},${list(1_000, '{"op":"add","path":"/x/0","value":0}').slice(1)}`,
    ),
  });
  plane = await startPlane();
  const { client } = plane;
  for (const name of ["default", "shop"]) {
    await client.create(Namespace, { metadata: { name } }).catch((error: unknown) => {
      if (!ApiError.is(error, "AlreadyExists")) throw error;
    });
  }
  await client.create(ConfigMap, { metadata: { name: "present", namespace: "shop" } });
});

afterAll(async () => {
  hooks.close();
  await plane.close();
});

afterEach(async () => {
  const { client } = plane;
  await client.deleteCollection(MutatingWebhookConfiguration, {});
  await client.deleteCollection(ValidatingWebhookConfiguration, {});
  hooks.calls.length = 0;
  sent = 0;
  opened = 0;
});

const hook = (path: string, more: Partial<Webhook> = {}): Webhook => ({
  name: `${path.slice(1)}.example.com`,
  clientConfig: { url: `${hooks.url}${path}`, caBundle: hooks.caBundle },
  rules: [{ operations: ["*"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] }],
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
  ...more,
});
const validating = (...webhooks: readonly Webhook[]) =>
  plane.client.create(ValidatingWebhookConfiguration, { metadata: { name: "hooks" }, webhooks });
const mutating = (...webhooks: readonly Webhook[]) =>
  plane.client.create(MutatingWebhookConfiguration, { metadata: { name: "hooks" }, webhooks });

const make = (metadata: object, options: Partial<RequestOptions> = {}) => {
  const { core } = plane;
  const object = { kind: "ConfigMap", apiVersion: "v1", metadata, data: {} } as unknown as AnyObject;
  const served = core.served.find("", "v1", "configmaps")!;
  return create(core, served, { object, namespace: "shop", user, ...options });
};
const failure = (promise: Promise<unknown>): Promise<ApiError> =>
  promise.then(
    () => expect.fail("not refused"),
    (error: unknown) => (error instanceof ApiError ? error : expect.fail(String(error))),
  );
const present = () => plane.client.get(ConfigMap, { namespace: "shop", name: "present" });

async function until(reached: () => boolean): Promise<void> {
  while (!reached()) await new Promise((resolve) => setImmediate(resolve));
}

const failed = (path: string, why: string) =>
  `Internal error occurred: failed calling webhook "${path.slice(1)}.example.com": ${why}`;
const broken =
  "failed to call webhook: unexpected error when reading response body. Please retry. Original error: ";
const noKind = "failed to call webhook: couldn't get version/kind; json parse error: ";
const undecodable = "received undecodable patch in webhook response: ";

test.each<[path: string, message: string, code?: number]>([
  ["/flood", failed("/flood", `${broken}the answer is longer than 5242880 bytes`)],
  ["/break", failed("/break", `${broken}unexpected EOF`)],
  ["/nested", failed("/nested", `${noKind}invalid character '[' exceeded max depth`)],
  ["/yaml", failed("/yaml", "failed to call webhook: invalid character ' ' in numeric literal")],
  ["/status", failed("/status", "failed to call webhook: go away")],
  [
    "/code",
    failed(
      "/code",
      "failed to call webhook: json: cannot unmarshal string into Go struct field Status.response.status.code of type int32",
    ),
  ],
  ["/code-1000", 'admission webhook "code-1000.example.com" denied the request without explanation'],
  [
    "/missing",
    'Internal error occurred: remove operation does not apply: doc is missing path: "/nothing/here": missing value',
  ],
  [
    "/namespace",
    "the namespace of the provided object does not match the namespace sent on the request",
    400,
  ],
  [
    "/kind",
    'Internal error occurred: no kind "Secret" is registered for version "v1" in scheme "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"',
  ],
  [
    "/garbage-patch",
    failed("/garbage-patch", `${undecodable}invalid character 'g' looking for beginning of value`),
  ],
  [
    "/no-operations",
    failed(
      "/no-operations",
      `${undecodable}json: cannot unmarshal object into Go value of type jsonpatch.Patch`,
    ),
  ],
  ["/deep-patch", failed("/deep-patch", `${undecodable}invalid character '[' exceeded max depth`)],
  [
    "/many",
    failed("/many", `${undecodable}The allowed maximum operations in a JSON patch is 10000, got 10001`),
  ],
  [
    "/moving",
    "Internal error occurred: error in add for path: '/x/0': Unable to move more than 20000000 elements of lists",
  ],
])("%s is refused", async (path, message, code = 500) => {
  await mutating(hook(path));
  const error = await failure(make({ name: "refused" }));
  expect({ message: error.message, code: error.code }).toEqual({ message, code });
});

test("reads and other writes are answered while webhooks hang, dribble and flood", async () => {
  await validating(hook("/hang"), hook("/slow"), hook("/flood"));
  const refused = failure(make({ name: "hung" }));
  await until(() => hooks.calls.length === 3);
  expect((await present()).metadata.name).toBe("present");
  await plane.client.create(Namespace, { metadata: { name: "beside" } });
  await until(() => open <= 1);
  // What is not read is not sent, but for what fits between two sockets.
  expect(sent).toBeLessThan(16 * megabyte);
  await plane.clock.advance(10_000);
  expect((await refused).message).toContain("the answer is longer than 5242880 bytes");
  await until(() => open === 0);
});

test("all answers that are being read share one limit", async () => {
  const names = Array.from({ length: 17 }, (_, index) => `h${index}.example.com`);
  await validating(...names.map((name) => hook("/most", { name })));
  const refused = failure(make({ name: "together" }));
  await until(() => opened === names.length && open < names.length);
  expect(sent).toBeLessThan(80 * megabyte);
  await plane.clock.advance(10_000);
  expect((await refused).message).toContain("answers of webhooks take more than 67108864 bytes");
  await until(() => open === 0);
});

test("a webhook has no more time than its request, and is told how much", async () => {
  await mutating(hook("/hang", { timeoutSeconds: 30 }), hook("/allow"));
  const { clock } = plane;
  const exchange = new AbortController();
  const lifetime = { deadline: clock.now() + 2_500, exchange };
  const refused = failure(make({ name: "late" }, { lifetime }));
  await until(() => hooks.calls.length === 1);
  await clock.advance(2_500);
  expect((await refused).message).toBe(
    failed("/hang", `failed to call webhook: Post "${hooks.url}/hang?timeout=3s": context deadline exceeded`),
  );
  expect(hooks.calls.length).toBe(1);
});

test.each<[end: string, message: string]>([
  ["time", "Timeout: request did not complete within requested timeout"],
  ["client", "Timeout: request did not complete within requested timeout"],
])("a request that is over by its %s ends even where a webhook may fail", async (end, message) => {
  await mutating(hook("/hang", { failurePolicy: "Ignore" }), hook("/allow"));
  const { clock } = plane;
  const exchange = new AbortController();
  const refused = failure(make({ name: "over" }, { lifetime: { deadline: clock.now() + 1_000, exchange } }));
  await until(() => hooks.calls.length === 1);
  if (end === "client") exchange.abort();
  else await clock.advance(1_000);
  expect(await refused).toMatchObject({ message, code: 504 });
  expect(hooks.calls.length).toBe(1);
});

test("a server that wants to be asked later is, while there is time", async () => {
  await validating(hook("/later", { timeoutSeconds: 5 }));
  const refused = failure(make({ name: "later" }));
  await until(() => hooks.calls.length === 1);
  await new Promise((resolve) => setImmediate(resolve));
  while (hooks.calls.length < 2) await plane.clock.advance(100);
  for (let step = 0; step < 50; step++) await plane.clock.advance(100);
  expect((await refused).message).toContain("context deadline exceeded");
  expect(hooks.calls.length).toBe(2);
});

test("the audit log hears of changes, patches and refusals", async () => {
  await mutating(hook("/add"), hook("/allow"), hook("/deny"));
  const heard: unknown[] = [];
  await failure(make({ name: "noted" }, { annotate: (...said) => void heard.push(said) }));
  const about = (webhook: string) => `{"configuration":"hooks","webhook":"${webhook}.example.com",`;
  const mutation = "mutation.webhook.admission.k8s.io/round_0_index_";
  expect(heard).toEqual([
    [
      "patch.webhook.admission.k8s.io/round_0_index_0",
      `${about("add")}"patch":[{"op":"add","path":"/data/by","value":"hook"}],"patchType":"JSONPatch"}`,
      "Request",
    ],
    [`${mutation}0`, `${about("add")}"mutated":true}`],
    [`${mutation}1`, `${about("allow")}"mutated":false}`],
    [`${mutation}2`, `${about("deny")}"mutated":false}`],
  ]);
});

test("webhooks that change objects see them before they have a generated name", async () => {
  await mutating(hook("/add"));
  await validating(hook("/allow"));
  const { object } = await make({ generateName: "made-" });
  const { name } = object.metadata;
  expect(name).toMatch(/^made-.....$/);
  const asked = hooks.calls.map(({ body }) => body.request);
  expect(asked[0]).not.toHaveProperty("name");
  expect(asked[0]?.["object"]).not.toHaveProperty("metadata.name");
  expect(asked[1]).toMatchObject({ name, object: { metadata: { name, uid: object.metadata.uid } } });
});

test("metrics tell what came of calls as upstream does", async () => {
  const registry = new MetricsRegistry();
  plane.core.admission.observe(admissionObserver(registry));
  const closed = { url: "https://127.0.0.1:1/" };
  await mutating(hook("/closed", { clientConfig: closed, failurePolicy: "Ignore" }), hook("/missing"));
  await failure(make({ name: "one" }));
  await plane.client.deleteCollection(MutatingWebhookConfiguration, {});
  await validating(
    hook("/closed", { clientConfig: closed }),
    hook("/deny", {
      matchConditions: [{ name: "c", expression: "object.metadata.name == 'other'" }],
    }),
  );
  await failure(make({ name: "two" }));
  const told = registry
    .text()
    .split("\n")
    .filter((line) => /^apiserver_admission_(webhook_.*(total|count)|match.*total)\{/.test(line))
    .map((line) => line.replace("apiserver_admission_", ""));
  expect(told.sort()).toEqual([
    'match_condition_exclusions_total{kind="webhook",name="deny.example.com",operation="CREATE",type="validate"} 1',
    'webhook_admission_duration_seconds_count{name="closed.example.com",operation="CREATE",rejected="false",type="admit"} 1',
    'webhook_admission_duration_seconds_count{name="closed.example.com",operation="CREATE",rejected="true",type="validating"} 1',
    'webhook_admission_duration_seconds_count{name="missing.example.com",operation="CREATE",rejected="true",type="admit"} 1',
    'webhook_fail_open_count{name="closed.example.com",type="admit"} 1',
    'webhook_rejection_count{error_type="apiserver_internal_error",name="missing.example.com",operation="CREATE",rejection_code="0",type="admit"} 1',
    'webhook_rejection_count{error_type="calling_webhook_error",name="closed.example.com",operation="CREATE",rejection_code="400",type="validating"} 1',
    'webhook_request_total{code="0",name="missing.example.com",operation="CREATE",rejected="true",type="admit"} 1',
    'webhook_request_total{code="400",name="closed.example.com",operation="CREATE",rejected="true",type="validating"} 1',
    'webhook_request_total{code="503",name="closed.example.com",operation="CREATE",rejected="false",type="admit"} 1',
  ]);
});

test("of thousands of configurations only those are looked at that have a rule for a request", () => {
  const reader = memoryReader();
  const { served } = plane.core;
  let compiled = 0;
  const compiler = {
    cache: { compile: () => void compiled++ } as never,
    environment: () => expect.fail("not needed"),
  };
  const source = new HookSource(ValidatingWebhookConfiguration, { reader, served, compiler });
  expect(source.isEmpty).toBe(true);
  const put = (name: string, resources: readonly string[]) =>
    reader.put(ValidatingWebhookConfiguration, {
      metadata: { name },
      webhooks: [hook("/allow", { rules: [{ ...hook("/x").rules![0]!, resources: [...resources] }] })],
    } as unknown as ValidatingWebhookConfiguration);
  for (let index = 0; index < 3_000; index++) put(`other-${index}`, ["secrets"]);
  put("pods", ["pods", "configmaps"]);
  const request = {
    operation: "CREATE",
    resource: ConfigMap,
    subresource: "",
    namespace: "shop",
    name: "a",
    user,
    dryRun: false,
  } as const;
  const attributes = attributesOf(request, served)!;
  const found = source.for(attributes);
  expect(found.map(({ hook: { configuration } }) => configuration)).toEqual(["pods"]);
  expect(source.for({ ...attributes })).toBe(found);
  put("more", ["configmaps"]);
  expect(source.for(attributes).map(({ hook: { configuration } }) => configuration)).toEqual([
    "more",
    "pods",
  ]);
  expect(compiled).toBe(0);
});
