import { describe, expect, test } from "vitest";
import {
  ConfigMap,
  Namespace,
  Node,
  PersistentVolumeClaim,
  Pod,
  ServiceAccount,
} from "../../api/types/core-v1.ts";
import { StorageClass } from "../../api/types/storage-v1.ts";
import { Ingress, IngressClass } from "../../api/types/networking-v1.ts";
import { RuntimeClass } from "../../api/types/node-v1.ts";
import { PriorityClass } from "../../api/types/scheduling-v1.ts";
import { object, pod, setUpAdmission, shop } from "./admission-suite.ts";
import type { Json } from "./admission-suite.ts";

test("the order is upstream's", () => {
  expect(setUpAdmission().plugins.map((plugin) => plugin.name)).toEqual([
    "NamespaceLifecycle",
    "LimitRanger",
    "ServiceAccount",
    "NodeRestriction",
    "TaintNodesByCondition",
    "PodSecurity",
    "Priority",
    "DefaultTolerationSeconds",
    "DefaultStorageClass",
    "StorageObjectInUseProtection",
    "PersistentVolumeClaimResize",
    "RuntimeClass",
    "CertificateApproval",
    "CertificateSigning",
    "ClusterTrustBundleAttest",
    "CertificateSubjectRestriction",
    "DefaultIngressClass",
    "PodTopologyLabels",
    "PodResizeValidator",
    "ResourceQuota",
  ]);
});

test("a pod without containers gets as far as its validation", async () => {
  const { reader, run } = setUpAdmission();
  reader.put(ServiceAccount, object("default"));
  const empty = object<Pod>("a", { spec: { containers: null } });
  await expect(run(Pod, { object: empty })).resolves.toMatchObject({ metadata: { name: "a" } });
});

describe("NamespaceLifecycle", () => {
  test("nothing lives in a missing namespace, nothing new in one that ends", async () => {
    const { reader, run } = setUpAdmission();
    await expect(run(ConfigMap, { object: object("a"), namespace: "gone" })).rejects.toMatchObject({
      code: 404,
      message: 'namespaces "gone" not found',
    });
    reader.put(Namespace, object("shop", {}, { deletionTimestamp: "2026-01-01T00:00:00Z" }));
    await expect(run(ConfigMap, { object: object("a") })).rejects.toMatchObject({
      code: 403,
      message:
        'configmaps "a" is forbidden: unable to create new content in namespace shop because it is being terminated',
      status: {
        details: {
          causes: [
            {
              reason: "NamespaceTerminating",
              message: "namespace shop is being terminated",
              field: "metadata.namespace",
            },
          ],
        },
      },
    });
    await run(ConfigMap, { object: object("a"), operation: "UPDATE" });
    await run(ConfigMap, { operation: "DELETE", name: "a" });
  });

  test("some namespaces stay", async () => {
    const { run } = setUpAdmission();
    await expect(run(Namespace, { operation: "DELETE", name: "default" })).rejects.toThrow(
      'namespaces "default" is forbidden: this namespace may not be deleted',
    );
    await run(Namespace, { operation: "DELETE", name: "kube-node-lease" });
  });
});

describe("ServiceAccount", () => {
  test("pods get an account and its token", async () => {
    const { spec } = await setUpAdmission().run(Pod, { object: pod({ initContainers: [{ name: "i" }] }) });
    expect(spec.serviceAccountName).toBe("default");
    const [volume] = spec.volumes ?? [];
    expect(volume?.name).toMatch(/^kube-api-access-[a-z0-9]{5}$/);
    expect(volume?.projected?.sources?.[0]).toEqual({
      serviceAccountToken: { expirationSeconds: 3607, path: "token" },
    });
    for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) {
      expect(container.volumeMounts).toEqual([
        {
          name: volume?.name,
          readOnly: true,
          mountPath: "/var/run/secrets/kubernetes.io/serviceaccount",
        },
      ]);
    }
  });

  test("the namespace's default account may come a moment later, but not for ever", async () => {
    const { reader, run, clock } = setUpAdmission();
    const early = { namespace: "early" };
    reader.put(Namespace, object("early"));
    const first = run(Pod, { namespace: "early", object: pod({}, early) });
    reader.put(ServiceAccount, object("default", {}, early));
    expect((await first).spec.serviceAccountName).toBe("default");
    reader.put(Namespace, object("never"));
    const second = run(Pod, { namespace: "never", object: pod({}, { namespace: "never" }) });
    const refusal = expect(second).rejects.toThrow(
      'pods "web" is forbidden: error looking up service account never/default: serviceaccount "default" not found',
    );
    await clock.advance(1_500);
    await refusal;
  });

  test("unless pod or account says no; a missing account is told; pull secrets are taken over", async () => {
    const { reader, run } = setUpAdmission();
    expect((await run(Pod, { object: pod({ automountServiceAccountToken: false }) })).spec.volumes).toBe(
      undefined,
    );
    await expect(run(Pod, { object: pod({ serviceAccountName: "bot" }) })).rejects.toThrow(
      'pods "web" is forbidden: error looking up service account shop/bot: serviceaccount "bot" not found',
    );
    reader.put(
      ServiceAccount,
      object("bot", { automountServiceAccountToken: false, imagePullSecrets: [{ name: "hub" }] }, shop),
    );
    const { spec } = await run(Pod, { object: pod({ serviceAccountName: "bot" }) });
    expect(spec.volumes).toBe(undefined);
    expect(spec.imagePullSecrets).toEqual([{ name: "hub" }]);
  });
});

describe("pods", () => {
  test("tolerate lost nodes for a while", async () => {
    const { run } = setUpAdmission();
    const own = {
      key: "node.kubernetes.io/not-ready",
      operator: "Exists",
      effect: "NoExecute",
      tolerationSeconds: 5,
    };
    const { spec } = await run(Pod, { object: pod({ tolerations: [own] }) });
    expect(spec.tolerations).toEqual([
      own,
      {
        key: "node.kubernetes.io/unreachable",
        operator: "Exists",
        effect: "NoExecute",
        tolerationSeconds: 300,
      },
    ]);
    const all = [{ operator: "Exists" }];
    expect((await run(Pod, { object: pod({ tolerations: all }) })).spec.tolerations).toEqual(all);
  });

  test("get the number of their priority class", async () => {
    const { reader, run } = setUpAdmission();
    expect((await run(Pod, { object: pod() })).spec).toMatchObject({ priority: 0 });
    expect(
      (await run(Pod, { object: pod({ priorityClassName: "system-node-critical" }) })).spec.priority,
    ).toBe(2_000_001_000);
    reader.put(PriorityClass, object("usual", { value: 7, globalDefault: true }));
    expect((await run(Pod, { object: pod() })).spec).toMatchObject({
      priority: 7,
      priorityClassName: "usual",
    });
    await expect(run(Pod, { object: pod({ priorityClassName: "none" }) })).rejects.toThrow(
      'pods "web" is forbidden: no PriorityClass with name none was found',
    );
    await expect(run(Pod, { object: pod({ priority: 9 }) })).rejects.toThrow(
      "the integer value of priority (9) must not be provided in pod spec; priority admission controller computed 7 from the given PriorityClass name",
    );
    await expect(
      run(PriorityClass, { object: object("other", { value: 8, globalDefault: true }) }),
    ).rejects.toThrow("PriorityClass usual is already marked as default. Only one default can exist");
  });

  test("get overhead and placement of their runtime class", async () => {
    const { reader, run } = setUpAdmission();
    reader.put(
      RuntimeClass,
      object("vm", {
        handler: "vm",
        overhead: { podFixed: { cpu: "250m" } },
        scheduling: { nodeSelector: { vm: "yes" }, tolerations: [{ key: "vm", operator: "Exists" }] },
      }),
    );
    const { spec } = await run(Pod, {
      object: pod({ runtimeClassName: "vm", nodeSelector: { disk: "ssd" } }),
    });
    expect(spec).toMatchObject({ overhead: { cpu: "250m" }, nodeSelector: { disk: "ssd", vm: "yes" } });
    expect(spec.tolerations).toContainEqual({ key: "vm", operator: "Exists" });
    await expect(run(Pod, { object: pod({ runtimeClassName: "none" }) })).rejects.toThrow(
      'pod rejected: RuntimeClass "none" not found',
    );
    await expect(
      run(Pod, { object: pod({ runtimeClassName: "vm", nodeSelector: { vm: "no" } }) }),
    ).rejects.toThrow(
      "conflict: runtimeClass.scheduling.nodeSelector[vm] = yes; pod.spec.nodeSelector[vm] = no",
    );
  });
});

test("new nodes are tainted until they are ready", async () => {
  const node = await setUpAdmission().run(Node, { object: object("one") });
  expect(node.spec?.taints).toEqual([{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }]);
});

describe("storage and ingresses", () => {
  const byDefault = { annotations: { "storageclass.kubernetes.io/is-default-class": "true" } };
  const claim = (spec: Json = {}) => object<PersistentVolumeClaim>("data", { spec }, shop);

  test("claims get the newest default class and a finalizer", async () => {
    const { reader, run } = setUpAdmission();
    reader.put(StorageClass, object("old", {}, byDefault));
    reader.put(StorageClass, object("new", {}, { ...byDefault, creationTimestamp: "2026-01-02T00:00:00Z" }));
    const made = await run(PersistentVolumeClaim, { object: claim() });
    expect(made.spec.storageClassName).toBe("new");
    expect(made.metadata.finalizers).toEqual(["kubernetes.io/pvc-protection"]);
    expect(
      (await run(PersistentVolumeClaim, { object: claim({ storageClassName: "" }) })).spec.storageClassName,
    ).toBe("");
  });

  test("claims grow only where their class lets them", async () => {
    const { reader, run } = setUpAdmission();
    const sized = (storage: string) => ({
      ...claim({ storageClassName: "fast", resources: { requests: { storage } } }),
      status: { phase: "Bound" },
    });
    const grow = () =>
      run(PersistentVolumeClaim, { operation: "UPDATE", object: sized("2Gi"), old: sized("1Gi") });
    await expect(grow()).rejects.toThrow("only dynamically provisioned pvc can be resized");
    reader.put(StorageClass, object("fast", { allowVolumeExpansion: true }));
    await grow();
  });

  test("ingresses get the default class", async () => {
    const { reader, run } = setUpAdmission();
    reader.put(
      IngressClass,
      object("edge", {}, { annotations: { "ingressclass.kubernetes.io/is-default-class": "true" } }),
    );
    expect((await run(Ingress, { object: object("i", { spec: {} }, shop) })).spec?.ingressClassName).toBe(
      "edge",
    );
  });
});
