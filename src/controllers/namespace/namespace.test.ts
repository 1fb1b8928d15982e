import { expect, it } from "vitest";
import { ConfigMap, Namespace, Pod, Secret, ServiceAccount } from "../../api/types/core-v1.ts";
import { fixedCatalog } from "../framework/index.ts";
import {
  rootCertificatePublisher,
  serviceAccountController,
  tokensController,
} from "../serviceaccount/index.ts";
import { Harness } from "../testing/harness.ts";
import { namespaceController, planConditions } from "./namespace-controller.ts";

it("furnishes a namespace, and empties it when it goes: pods first", async () => {
  const harness = new Harness();
  harness.start([namespaceController, serviceAccountController, rootCertificatePublisher, tokensController], {
    catalog: fixedCatalog([ConfigMap, Pod, ServiceAccount, Secret]),
    settings: { signSecretToken: async ({ serviceAccount }) => `token of ${serviceAccount.name}` },
  });
  const namespace = await harness.create(Namespace, {
    metadata: { name: "team", finalizers: ["test"] },
    spec: { finalizers: ["kubernetes"] },
  });
  await harness.settle();
  expect((await harness.list(ServiceAccount)).map(({ metadata }) => metadata.name)).toEqual(["default"]);
  expect((await harness.list(ConfigMap))[0]?.data).toEqual({ "ca.crt": "PEM" });
  await harness.create(Secret, {
    metadata: {
      namespace: "team",
      name: "token",
      annotations: { "kubernetes.io/service-account.name": "default" },
    },
    type: "kubernetes.io/service-account-token",
  });
  await harness.settle();
  expect(atob((await harness.list(Secret))[0]?.data?.["token"] ?? "")).toBe("token of default");

  const pod = await harness.create(Pod, { metadata: { namespace: "team", name: "p", finalizers: ["hold"] } });
  await harness.change(Namespace, namespace, { status: { phase: "Terminating" } });
  await harness.client.delete(Namespace, { name: "team" });
  await harness.settle();
  expect(await harness.list(ConfigMap)).toHaveLength(1);
  const conditions = (await harness.list(Namespace))[0]?.status?.conditions ?? [];
  expect(conditions.map(({ type, status, message }) => `${type} ${status} ${message}`)).toEqual([
    "NamespaceDeletionDiscoveryFailure False All resources successfully discovered",
    "NamespaceDeletionGroupVersionParsingFailure False All legacy kube types successfully parsed",
    "NamespaceDeletionContentFailure False All content successfully deleted, may be waiting on finalization",
    "NamespaceContentRemaining True Some resources are remaining: pods. has 1 resource instances",
    "NamespaceFinalizersRemaining True Some content in the namespace has finalizers remaining: hold in 1 resource instances",
  ]);
  await harness.change(Pod, pod, { metadata: { finalizers: null } });
  await harness.settle();
  expect([await harness.list(ConfigMap), await harness.list(ServiceAccount)]).toEqual([[], []]);
  expect((await harness.list(Namespace))[0]?.spec?.finalizers).toEqual([]);
  await harness.stop();
});

it("tells of which APIs nobody knows what they hold", () => {
  const undiscovered = ["b.example.com/v1", "a.example.com/v1"];
  const timestamp = "2026-01-01T00:00:00Z";
  const [first] = planConditions(undefined, { remaining: [], failures: [], undiscovered, timestamp });
  expect(first).toEqual({
    type: "NamespaceDeletionDiscoveryFailure",
    status: "True",
    reason: "DiscoveryFailed",
    message:
      "Discovery failed for some groups, 2 failing: unable to retrieve the complete list of server APIs: a.example.com/v1: stale GroupVersion discovery: a.example.com/v1, b.example.com/v1: stale GroupVersion discovery: b.example.com/v1",
    lastTransitionTime: timestamp,
  });
});

it("empties namespaces of what is known, and keeps them while something is not", async () => {
  const harness = new Harness();
  const known = fixedCatalog([ConfigMap]);
  let stale: readonly string[] = ["a.example.com/v1"];
  harness.start([namespaceController], { catalog: { ...known, stale: () => stale } });
  await harness.create(Namespace, {
    metadata: { name: "team", finalizers: ["test"] },
    spec: { finalizers: ["kubernetes"] },
  });
  await harness.create(ConfigMap, { metadata: { namespace: "team", name: "c" } });
  await harness.client.delete(Namespace, { name: "team" });
  await harness.settle();
  expect(await harness.list(ConfigMap)).toEqual([]);
  expect((await harness.list(Namespace))[0]?.spec?.finalizers).toEqual(["kubernetes"]);
  stale = [];
  await harness.settle(5_000);
  expect((await harness.list(Namespace))[0]?.spec?.finalizers).toEqual([]);
  await harness.stop();
});
