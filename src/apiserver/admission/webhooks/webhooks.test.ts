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
import { Deployment } from "../../../api/types/apps-v1.ts";
import { HorizontalPodAutoscaler } from "../../../api/types/autoscaling-v2.ts";
import { ConfigMap, Namespace, Pod, ServiceAccount } from "../../../api/types/core-v1.ts";
import { MetricsRegistry } from "../../http/metrics/registry.ts";
import { admissionObserver } from "../../http/metrics/admission-metrics.ts";
import { connectOptions } from "../../http/connect-options.ts";
import { validateAdmission } from "../../registry/admit.ts";
import { create } from "../../registry/create.ts";
import type { AnyObject } from "../../registry/entry.ts";
import type { Webhook } from "./hooks.ts";
import { serveHooks } from "./webhooks-suite.ts";

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
  const user = { name: "ann", uid: "7", groups: ["system:masters"], extra: { team: ["shop"] } };
  return { client: plane.clientFor(user), clock, user, core: plane.server.core, close: () => plane.close() };
}

const patchOf = (operations: readonly object[]) => ({
  allowed: true,
  patchType: "JSONPatch",
  patch: Buffer.from(JSON.stringify(operations)).toString("base64"),
});

const raw = (write: (response: ServerResponse) => void) => (_: unknown, response: ServerResponse) => {
  write(response);
  return undefined;
};

let redirected = 0;
let hooks: Awaited<ReturnType<typeof serveHooks>>;
let plane: Awaited<ReturnType<typeof startPlane>>;

beforeAll(async () => {
  hooks = await serveHooks({
    "/allow": () => ({ allowed: true, warnings: ["mind the gap"], auditAnnotations: { why: "so" } }),
    "/deny": () => ({ allowed: false, status: { message: "no such luck", code: 403, reason: "Forbidden" } }),
    "/deny-bare": () => ({ allowed: false }),
    "/label": () => patchOf([{ op: "add", path: "/metadata/labels", value: { by: "hook" } }]),
    "/data": ({ object }) => {
      const { data = {} } = object as { data?: Record<string, string> };
      const count = Number(data["count"] ?? 0) + 1;
      return patchOf([{ op: "add", path: "/data", value: { ...data, count: String(count) } }]);
    },
    "/last": ({ object }) => {
      const { data = {} } = object as { data?: Record<string, string> };
      return patchOf([{ op: "add", path: "/data", value: { ...data, last: "yes" } }]);
    },
    "/bad-patch": () => patchOf([{ op: "remove", path: "/nothing/here" }]),
    "/other-uid": () => ({ allowed: true, uid: "other" }),
    "/hang": raw(() => {}),
    "/garbage": raw((response) => void response.end("garbage")),
    "/list": raw((response) => void response.end("[]")),
    "/error": raw((response) => void response.writeHead(500, { "content-type": "text/plain" }).end("oops")),
    "/redirect": raw((response) => void response.writeHead(302, { location: "/target" }).end()),
    "/target": raw((response) => {
      redirected += 1;
      response.end("{}");
    }),
    "/huge": raw((response) => {
      const block = Buffer.alloc(1024 * 1024, "x");
      let written = 0;
      const more = () => {
        while (written++ < 100) if (!response.write(block)) return void response.once("drain", more);
        response.end();
      };
      more();
    }),
  });
  plane = await startPlane();
  const { client } = plane;
  for (const [name, labels] of [
    ["default", {}],
    ["shop", { team: "shop" }],
  ] as const) {
    await client.create(Namespace, { metadata: { name, labels } }).catch((error: unknown) => {
      if (!ApiError.is(error, "AlreadyExists")) throw error;
    });
  }
});

afterAll(async () => {
  hooks.close();
  await plane.close();
});

afterEach(async () => {
  const { client } = plane;
  await client.deleteCollection(MutatingWebhookConfiguration, {});
  await client.deleteCollection(ValidatingWebhookConfiguration, {});
  await client.deleteCollection(ConfigMap, { namespace: "shop" });
  hooks.calls.length = 0;
});

const rules: Webhook["rules"] = [
  { operations: ["*"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] },
];

const hook = (path: string, more: Partial<Webhook> = {}): Webhook => ({
  name: `${path.slice(1)}.example.com`,
  clientConfig: { url: `${hooks.url}${path}`, caBundle: hooks.caBundle },
  rules,
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
  ...more,
});

const configure = (
  resource: typeof MutatingWebhookConfiguration | typeof ValidatingWebhookConfiguration,
  webhooks: readonly Webhook[],
  name = "hooks",
) => plane.client.create(resource as typeof MutatingWebhookConfiguration, { metadata: { name }, webhooks });

const validating = (...webhooks: readonly Webhook[]) => configure(ValidatingWebhookConfiguration, webhooks);
const mutating = (...webhooks: readonly Webhook[]) => configure(MutatingWebhookConfiguration, webhooks);

const make = (name: string, more: object = {}, namespace = "shop") =>
  plane.client.create(ConfigMap, { metadata: { name, namespace }, ...more });

const failure = async (promise: Promise<unknown>) => {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(outcome instanceof ApiError)) throw new Error(`not refused: ${String(outcome)}`);
  return outcome;
};

test("a webhook is asked as upstream asks, warns, annotates and allows", async () => {
  await validating(hook("/allow"));
  const served = plane.core.served.find("", "v1", "configmaps")!;
  const heard: unknown[] = [];
  await create(plane.core, served, {
    object: { kind: "ConfigMap", apiVersion: "v1", metadata: { name: "a", namespace: "shop" } } as AnyObject,
    namespace: "shop",
    user: plane.user,
    fieldManager: "test",
    warn: (text) => void heard.push(text),
    annotate: (key, value) => void heard.push([key, value]),
  });
  expect(heard).toEqual([["allow.example.com/why", "so"], "mind the gap"]);
  const [{ body }] = hooks.calls as [(typeof hooks.calls)[0]];
  expect(body).toEqual({
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    request: {
      uid: expect.stringMatching(/^[-0-9a-f]{36}$/),
      kind: { group: "", version: "v1", kind: "ConfigMap" },
      resource: { group: "", version: "v1", resource: "configmaps" },
      requestKind: { group: "", version: "v1", kind: "ConfigMap" },
      requestResource: { group: "", version: "v1", resource: "configmaps" },
      name: "a",
      namespace: "shop",
      operation: "CREATE",
      userInfo: { username: "ann", uid: "7", groups: ["system:masters"], extra: { team: ["shop"] } },
      object: expect.objectContaining({ kind: "ConfigMap", apiVersion: "v1" }),
      oldObject: null,
      dryRun: false,
      options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1", fieldManager: "test" },
    },
  });
});

test.each([
  {
    path: "/deny",
    message: 'admission webhook "deny.example.com" denied the request: no such luck',
    code: 403,
    reason: "Forbidden",
  },
  {
    path: "/deny-bare",
    message: 'admission webhook "deny-bare.example.com" denied the request without explanation',
    code: 400,
    reason: "",
  },
  {
    path: "/other-uid",
    message:
      /^Internal error occurred: failed calling webhook "other-uid.example.com": received invalid webhook response: expected response.uid="[-0-9a-f]{36}", got "other"$/,
    code: 500,
    reason: "InternalError",
  },
  {
    path: "/garbage",
    message: /failed to call webhook: couldn't get version\/kind; json parse error: /,
    code: 500,
    reason: "InternalError",
  },
  {
    path: "/list",
    message:
      /failed to call webhook: couldn't get version\/kind; json parse error: json: cannot unmarshal array/,
    code: 500,
    reason: "InternalError",
  },
  {
    path: "/error",
    message:
      'Internal error occurred: failed calling webhook "error.example.com": failed to call webhook: an error on the server ("oops") has prevented the request from succeeding',
    code: 500,
    reason: "InternalError",
  },
  {
    path: "/redirect",
    message: /the server responded with the status code 302 but did not return more information/,
    code: 500,
    reason: "InternalError",
  },
  { path: "/huge", message: /the answer is longer than 5242880 bytes/, code: 500, reason: "InternalError" },
])("$path refuses", async ({ path, message, code, reason }) => {
  await validating(hook(path));
  const error = await failure(make("refused"));
  expect(error.message).toMatch(message);
  expect({ code: error.code, reason: error.reason }).toEqual({ code, reason });
  expect(redirected).toBe(0);
});

test("a webhook that hangs is cut off, or passed over where it may be", async () => {
  await validating(hook("/hang", { timeoutSeconds: 1 }));
  const refused = failure(make("hung"));
  await until(() => hooks.calls.length === 1);
  await plane.clock.advance(1_000);
  expect((await refused).message).toBe(
    `Internal error occurred: failed calling webhook "hang.example.com": failed to call webhook: Post "${hooks.url}/hang?timeout=1s": context deadline exceeded`,
  );
  await plane.client.deleteCollection(ValidatingWebhookConfiguration, {});
  await validating(hook("/hang", { timeoutSeconds: 1, failurePolicy: "Ignore" }));
  const passed = make("passed");
  await until(() => hooks.calls.length === 2);
  await plane.clock.advance(1_000);
  expect((await passed).metadata.name).toBe("passed");
});

/** Settles when the other side of a connection has come so far. */
async function until(reached: () => boolean): Promise<void> {
  while (!reached()) await new Promise((resolve) => setImmediate(resolve));
}

test("nobody listens, or with a certificate of another authority", async () => {
  await validating(hook("/allow", { clientConfig: { url: "https://127.0.0.1:1/x" } }));
  expect((await failure(make("nobody"))).message).toBe(
    'Internal error occurred: failed calling webhook "allow.example.com": failed to call webhook: Post "https://127.0.0.1:1/x?timeout=10s": dial tcp 127.0.0.1:1: connect: connection refused',
  );
  await plane.client.deleteCollection(ValidatingWebhookConfiguration, {});
  await validating(hook("/allow", { clientConfig: { url: `${hooks.url}/allow` } }));
  expect((await failure(make("stranger"))).message).toContain(
    "tls: failed to verify certificate: x509: certificate signed by unknown authority",
  );
  await plane.client.deleteCollection(ValidatingWebhookConfiguration, {});
  await validating(hook("/allow", { clientConfig: { service: { namespace: "shop", name: "none" } } }));
  expect((await failure(make("service"))).message).toBe(
    'Internal error occurred: failed calling webhook "allow.example.com": failed to call webhook: Post "https://none.shop.svc:443/?timeout=10s": service "none" not found',
  );
});

test("patches change the object, which is read again with its defaults", async () => {
  await mutating(hook("/label"));
  expect((await make("labelled")).metadata.labels).toEqual({ by: "hook" });
  await plane.client.deleteCollection(MutatingWebhookConfiguration, {});
  await mutating(hook("/bad-patch"));
  expect(await failure(make("bad"))).toMatchObject({ code: 500, reason: "InternalError" });
});

test("webhooks that want it are called again when something changed after them", async () => {
  const { client } = plane;
  await mutating(hook("/data", { reinvocationPolicy: "IfNeeded" }), hook("/last"));
  expect((await make("twice")).data).toEqual({ count: "2", last: "yes" });
  expect(hooks.calls.map(({ path }) => path)).toEqual(["/data", "/last", "/data"]);
  await client.deleteCollection(MutatingWebhookConfiguration, {});
  await mutating(hook("/data"), hook("/last"));
  expect((await make("once")).data).toEqual({ count: "1", last: "yes" });
});

test.each<{
  name: string;
  more: Partial<Webhook>;
  namespace?: string;
  called: boolean;
  labels?: Readonly<Record<string, string>>;
}>([
  { name: "namespace", more: { namespaceSelector: { matchLabels: { team: "shop" } } }, called: true },
  { name: "other-namespace", more: { namespaceSelector: { matchLabels: { team: "x" } } }, called: false },
  { name: "object", more: { objectSelector: { matchLabels: { a: "b" } } }, labels: { a: "b" }, called: true },
  { name: "other-object", more: { objectSelector: { matchLabels: { a: "b" } } }, called: false },
  {
    name: "condition",
    more: { matchConditions: [{ name: "c", expression: "request.name == 'condition'" }] },
    called: true,
  },
  {
    name: "unmet",
    more: { matchConditions: [{ name: "c", expression: "object.metadata.name == 'condition'" }] },
    called: false,
  },
  {
    name: "authorized",
    more: {
      matchConditions: [
        { name: "c", expression: "authorizer.group('').resource('pods').check('list').allowed()" },
      ],
    },
    called: true,
  },
  {
    name: "ignored",
    more: {
      failurePolicy: "Ignore",
      matchConditions: [{ name: "c", expression: "object.data.none == 'x'" }],
    },
    called: false,
  },
])("$name: the webhook is called: $called", async ({ name, more, called, labels = {} }) => {
  await validating(hook("/allow", more));
  await plane.client.create(ConfigMap, { metadata: { name, namespace: "shop", labels } });
  expect(hooks.calls.length).toBe(called ? 1 : 0);
});

test("a condition that nobody can evaluate refuses", async () => {
  await validating(
    hook("/allow", { matchConditions: [{ name: "c", expression: "object.data.none == 'x'" }] }),
  );
  expect(await failure(make("broken"))).toMatchObject({
    reason: "Forbidden",
    message:
      "configmaps \"broken\" is forbidden: expression 'object.data.none == 'x'' resulted in error: no such key: data",
  });
});

test("deletes are told of, dry runs as such; configurations are exempt", async () => {
  const { client } = plane;
  await make("kept");
  await validating(
    hook("/deny", {
      rules: [{ operations: ["DELETE"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"] }],
    }),
  );
  const error = await failure(client.delete(ConfigMap, { namespace: "shop", name: "kept" }));
  expect(error.message).toContain("denied the request");
  expect(hooks.calls[0]?.body.request).toMatchObject({
    operation: "DELETE",
    object: null,
    oldObject: { metadata: { name: "kept" } },
    options: { kind: "DeleteOptions", apiVersion: "meta.k8s.io/v1" },
  });
  await client
    .delete(ConfigMap, { namespace: "shop", name: "kept" }, { dryRun: true })
    .catch(() => undefined);
  expect(hooks.calls[1]?.body.request).toMatchObject({ dryRun: true, options: { dryRun: ["All"] } });
  await client.delete(ValidatingWebhookConfiguration, { name: "hooks" });
  await client.delete(ConfigMap, { namespace: "shop", name: "kept" });
});

test("rules of another version match, with objects of that version, unless they must match exactly", async () => {
  const older = [
    { operations: ["CREATE"], apiGroups: ["autoscaling"], apiVersions: ["v1"], resources: ["*"] },
  ] as const;
  const scaler = (name: string) =>
    plane.client.create(HorizontalPodAutoscaler, {
      metadata: { name, namespace: "shop" },
      spec: { maxReplicas: 3, scaleTargetRef: { kind: "Deployment", name: "d", apiVersion: "apps/v1" } },
    });
  await mutating(hook("/label", { rules: older }));
  expect((await scaler("h")).metadata.labels).toEqual({ by: "hook" });
  expect(hooks.calls[0]?.body.request).toMatchObject({
    kind: { version: "v1" },
    requestKind: { version: "v2" },
    object: { apiVersion: "autoscaling/v1" },
  });
  await plane.client.deleteCollection(MutatingWebhookConfiguration, {});
  await mutating(hook("/label", { rules: older, matchPolicy: "Exact" }));
  expect((await scaler("exact")).metadata.labels).toBeUndefined();
});

test("a change of the scale is shown as one", async () => {
  const { client } = plane;
  const metadata = { name: "d", namespace: "shop" };
  const spec = {
    selector: { matchLabels: { a: "b" } },
    template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } },
  };
  await client.create(Deployment, { metadata, spec });
  const scales = [
    { operations: ["*"], apiGroups: ["apps"], apiVersions: ["v1"], resources: ["deployments/scale"] },
  ] as const;
  await validating(hook("/allow", { rules: scales }));
  await client.patch(
    Deployment,
    metadata,
    { type: "merge", body: { spec: { replicas: 4 } } },
    { subresource: "scale" },
  );
  expect(hooks.calls[0]?.body.request).toMatchObject({
    subResource: "scale",
    kind: { group: "autoscaling", version: "v1", kind: "Scale" },
    object: { kind: "Scale", spec: { replicas: 4 } },
    oldObject: { kind: "Scale", spec: { replicas: 1 } },
  });
});

test("the second round leaves what the server's own plugins added once", async () => {
  const { client } = plane;
  await client.create(ServiceAccount, { metadata: { name: "default", namespace: "shop" } });
  const pods = [
    { operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] },
  ] as const;
  await mutating(hook("/label", { rules: pods }));
  const pod = await client.create(Pod, {
    metadata: { name: "p", namespace: "shop" },
    spec: { containers: [{ name: "c", image: "i" }] },
  });
  expect(pod.metadata.labels).toEqual({ by: "hook" });
  expect(pod.spec.volumes?.length).toBe(1);
  expect(pod.spec.containers[0]?.volumeMounts?.length).toBe(1);
  expect(pod.spec.tolerations?.length).toBe(2);
  expect(hooks.calls.length).toBe(1);
});

test("a connection is shown with its options, and may be refused", async () => {
  const attach = [
    { operations: ["CONNECT"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods/attach"] },
  ] as const;
  await validating(hook("/deny", { rules: attach }));
  await mutating(hook("/allow", { rules: attach }));
  const served = plane.core.served.find("", "v1", "pods")!;
  const object = connectOptions("PodAttachOptions", new URLSearchParams("stdin=true&container=c"));
  const error = await failure(
    (async () =>
      validateAdmission(
        plane.core,
        {
          operation: "CONNECT",
          served,
          subresource: "attach",
          key: { namespace: "shop", name: "p" },
          options: { user: plane.user },
        },
        { object: object as unknown as AnyObject },
      ))(),
  );
  expect(error.message).toContain("denied the request");
  expect(hooks.calls.map(({ path }) => path)).toEqual(["/allow", "/deny"]);
  expect(hooks.calls[1]?.body.request).toMatchObject({
    operation: "CONNECT",
    name: "p",
    subResource: "attach",
    kind: { group: "", version: "v1", kind: "PodAttachOptions" },
    object: { kind: "PodAttachOptions", apiVersion: "v1", stdin: true, container: "c" },
    oldObject: null,
    options: null,
  });
});

test("connections are kept, and metrics tell of calls", async () => {
  const registry = new MetricsRegistry();
  plane.core.admission.observe(admissionObserver(registry));
  await validating(hook("/allow"));
  hooks.sockets.clear();
  for (let index = 0; index < 5; index++) await make(`kept-${index}`);
  expect(hooks.sockets.size).toBe(1);
  await plane.client.deleteCollection(ValidatingWebhookConfiguration, {});
  await validating(hook("/deny"));
  await failure(make("refused"));
  const text = registry.text();
  expect(text).toContain(
    'apiserver_admission_webhook_request_total{code="200",name="allow.example.com",operation="CREATE",rejected="false",type="validating"} 5',
  );
  expect(text).toContain(
    'apiserver_admission_webhook_rejection_count{error_type="no_error",name="deny.example.com",operation="CREATE",rejection_code="403",type="validating"} 1',
  );
});
