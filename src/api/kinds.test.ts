import { describe, expect, test } from "vitest";
import { mutatingWebhookConfigurationDefinition } from "./admissionregistration/webhook-configuration.ts";
import { customResourceDefinitionDefinition } from "./apiextensions/custom-resource-definition.ts";
import { apiServiceDefinition } from "./apiregistration/api-service.ts";
import { autoscalerDefinition } from "./autoscaling/horizontal-pod-autoscaler.ts";
import { certificateSigningRequestDefinition } from "./certificates/certificate-signing-request.ts";
import { endpointSliceDefinition } from "./discovery/endpoint-slice.ts";
import { eventsEventDefinition } from "./events/event.ts";
import { priorityLevelConfigurationDefinition } from "./flowcontrol/flow-schema.ts";
import { ingressDefinition } from "./networking/ingress.ts";
import { networkPolicyDefinition } from "./networking/network-policy.ts";
import { ipAddressDefinition, serviceCidrDefinition } from "./networking/service-cidr.ts";
import { podDisruptionBudgetDefinition } from "./policy/pod-disruption-budget.ts";
import { clusterRoleDefinition, roleDefinition } from "./rbac/role.ts";
import { clusterRoleBindingDefinition, roleBindingDefinition } from "./rbac/role-binding.ts";
import { dynamicResourceDefinitions } from "./resource/definitions.ts";
import { priorityClassDefinition } from "./scheduling/priority-class.ts";
import { csiDriverDefinition } from "./storage/csi-driver.ts";
import { storageClassDefinition } from "./storage/storage-class.ts";
import { cells, created, creationProblems, defaulted, updateProblems } from "./testing/check.ts";

describe("defaults", () => {
  test("of an autoscaler", () => {
    const spec = {
      scaleTargetRef: { kind: "Deployment", name: "d" },
      maxReplicas: 3,
      behavior: { scaleUp: {} },
    };
    expect(defaulted(autoscalerDefinition, { spec }).spec).toMatchObject({
      minReplicas: 1,
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } },
        },
      ],
      behavior: {
        scaleUp: { stabilizationWindowSeconds: 0, selectPolicy: "Max" },
        scaleDown: { selectPolicy: "Max", policies: [{ type: "Percent", value: 100, periodSeconds: 15 }] },
      },
    });
  });

  test("of a network policy", () => {
    const spec = { podSelector: {}, egress: [{ ports: [{ port: 53 }] }] };
    expect(defaulted(networkPolicyDefinition, { spec }).spec).toEqual({
      podSelector: {},
      egress: [{ ports: [{ port: 53, protocol: "TCP" }] }],
      policyTypes: ["Ingress", "Egress"],
    });
  });

  test("of a webhook", () => {
    const webhooks = [
      { name: "a.b.c", rules: [{}], clientConfig: { service: { name: "s", namespace: "n" } } },
    ];
    expect(defaulted(mutatingWebhookConfigurationDefinition, { webhooks }).webhooks).toEqual([
      {
        name: "a.b.c",
        rules: [{ scope: "*" }],
        clientConfig: { service: { name: "s", namespace: "n", port: 443 } },
        failurePolicy: "Fail",
        matchPolicy: "Equivalent",
        namespaceSelector: {},
        objectSelector: {},
        timeoutSeconds: 10,
        reinvocationPolicy: "Never",
      },
    ]);
  });

  test("of a custom resource definition", () => {
    const spec = { names: { kind: "Thing", plural: "things" }, versions: [{ name: "v1", storage: true }] };
    expect(created(customResourceDefinitionDefinition, { spec })).toMatchObject({
      spec: { names: { singular: "thing", listKind: "ThingList" }, conversion: { strategy: "None" } },
      status: { storedVersions: ["v1"] },
    });
  });

  test("of storage and scheduling", () => {
    expect(defaulted(storageClassDefinition, { provisioner: "p" })).toMatchObject({
      reclaimPolicy: "Delete",
      volumeBindingMode: "Immediate",
    });
    expect(defaulted(csiDriverDefinition, { spec: {} }).spec).toMatchObject({
      attachRequired: true,
      volumeLifecycleModes: ["Persistent"],
      fsGroupPolicy: "ReadWriteOnceWithFSType",
    });
    expect(defaulted(priorityClassDefinition, { value: 1 }).preemptionPolicy).toBe("PreemptLowerPriority");
    expect(
      defaulted(priorityLevelConfigurationDefinition, {
        spec: { type: "Limited", limited: { limitResponse: { type: "Queue", queuing: {} } } },
      }).spec.limited,
    ).toMatchObject({
      nominalConcurrencyShares: 30,
      limitResponse: { queuing: { queues: 64, handSize: 8, queueLengthLimit: 50 } },
    });
  });

  test("of bindings", () => {
    const subjects = [
      { kind: "User", name: "u" },
      { kind: "ServiceAccount", name: "s", namespace: "n" },
    ];
    expect(
      defaulted(roleBindingDefinition, { roleRef: { kind: "Role", name: "r" }, subjects }),
    ).toMatchObject({
      roleRef: { apiGroup: "rbac.authorization.k8s.io" },
      subjects: [
        { apiGroup: "rbac.authorization.k8s.io" },
        { kind: "ServiceAccount", name: "s", namespace: "n" },
      ],
    });
  });

  test("of requests for devices", () => {
    const claim = dynamicResourceDefinitions.find(({ resource }) => resource.kind === "ResourceClaim");
    const requests = [{ name: "r", exactly: { deviceClassName: "c" } }];
    expect(claim?.defaults?.({ metadata: {}, spec: { devices: { requests } } } as never)).toMatchObject({
      spec: { devices: { requests: [{ exactly: { allocationMode: "ExactCount", count: 1 } }] } },
    });
  });
});

describe("validation", () => {
  test("of roles", () => {
    expect(creationProblems(roleDefinition, { rules: [{ verbs: [] }] })).toEqual([
      "rules[0].verbs: Required value: verbs must contain at least one value",
      "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
      "rules[0].resources: Required value: resource rules must supply at least one resource",
    ]);
    expect(
      creationProblems(roleDefinition, { rules: [{ verbs: ["get"], nonResourceURLs: ["/x"] }] }),
    ).toEqual([
      'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
    ]);
    expect(
      creationProblems(clusterRoleDefinition, { rules: [{ verbs: ["get"], nonResourceURLs: ["/x"] }] }),
    ).toEqual([]);
  });

  test("of bindings", () => {
    const roleRef = { kind: "ClusterRole", name: "r" };
    expect(
      creationProblems(clusterRoleBindingDefinition, {
        roleRef,
        subjects: [{ kind: "ServiceAccount", name: "s" }],
      }),
    ).toEqual(["subjects[0].namespace: Required value"]);
    expect(
      updateProblems(clusterRoleBindingDefinition, {
        old: { roleRef },
        next: { roleRef: { ...roleRef, name: "q" } },
      }),
    ).toEqual([
      'roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"ClusterRole","Name":"q"}: cannot change roleRef',
    ]);
  });

  test("of endpoint slices", () => {
    const slice = { addressType: "IPv4", endpoints: [{ addresses: ["::2"] }], ports: [{ port: 80 }] };
    expect(creationProblems(endpointSliceDefinition, slice)).toEqual([
      'endpoints[0].addresses[0]: Invalid value: "::2": must be an IPv4 address',
    ]);
    expect(
      updateProblems(endpointSliceDefinition, {
        old: { addressType: "IPv4" },
        next: { addressType: "IPv6" },
      }),
    ).toEqual(['addressType: Invalid value: "IPv6": field is immutable']);
  });

  test("of ingresses", () => {
    expect(creationProblems(ingressDefinition, { spec: {} })).toEqual([
      "spec: Invalid value: null: either `defaultBackend` or `rules` must be specified",
    ]);
    const backend = { service: { name: "s", port: { number: 80 } } };
    const rules = [{ host: "10.0.0.1", http: { paths: [{ path: "x", pathType: "Prefix", backend }] } }];
    expect(creationProblems(ingressDefinition, { spec: { rules } })).toEqual([
      'spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
      'spec.rules[0].http.paths[0].path: Invalid value: "x": must be an absolute path',
    ]);
  });

  test("of budgets, priorities and ranges", () => {
    expect(creationProblems(podDisruptionBudgetDefinition, { spec: { minAvailable: "120%" } })).toEqual([
      'spec.minAvailable: Invalid value: "120%": must not be greater than 100%',
    ]);
    expect(creationProblems(priorityClassDefinition, { value: 1_000_000_001 })).toEqual([
      "value: Forbidden: maximum allowed value of a user defined priority is 1000000000",
    ]);
    expect(updateProblems(priorityClassDefinition, { old: { value: 1 }, next: { value: 2 } })).toEqual([
      "value: Forbidden: may not be changed in an update.",
    ]);
    expect(creationProblems(serviceCidrDefinition, { spec: { cidrs: [] } })).toEqual([
      "spec.cidrs: Required value: at least one CIDR required",
    ]);
  });

  test("of registered groups", () => {
    const spec = { group: "a.b", version: "v1", groupPriorityMinimum: 100, versionPriority: 10 };
    expect(creationProblems(apiServiceDefinition, { metadata: { name: "v1.a" }, spec })).toEqual([
      'metadata.name: Invalid value: "v1.a": must be `spec.version+"."+spec.group`: "v1.a.b"',
    ]);
  });

  test("of new events", () => {
    const event = {
      metadata: { name: "e", namespace: "default" },
      regarding: { namespace: "default" },
      type: "Normal",
    };
    expect(creationProblems(eventsEventDefinition, event)).toEqual(["eventTime: Required value"]);
    expect(
      creationProblems(eventsEventDefinition, { ...event, eventTime: "2026-01-01T00:00:00Z" }).slice(0, 2),
    ).toEqual([
      "reportingController: Required value",
      'reportingController: Invalid value: "": name part must be non-empty',
    ]);
  });
});

describe("columns", () => {
  test("of an autoscaler", () => {
    const target = { type: "Utilization", averageUtilization: 50 };
    const row = cells(autoscalerDefinition, {
      spec: {
        scaleTargetRef: { kind: "Deployment", name: "d" },
        minReplicas: 1,
        maxReplicas: 3,
        metrics: [{ type: "Resource", resource: { name: "cpu", target } }],
      },
      status: { currentReplicas: 2 },
    });
    expect(row).toMatchObject({
      Reference: "Deployment/d",
      Targets: "cpu: <unknown>/50%",
      MinPods: "1",
      Replicas: 2,
    });
  });

  test("of signing requests", () => {
    const status = { conditions: [{ type: "Approved", status: "True" }], certificate: "x" };
    const spec = { signerName: "example.com/s", username: "u", expirationSeconds: 3600 };
    expect(cells(certificateSigningRequestDefinition, { spec, status })).toMatchObject({
      RequestedDuration: "60m",
      Condition: "Approved,Issued",
    });
  });

  test("of addresses, groups, slices, classes and bindings", () => {
    const parentRef = { resource: "services", namespace: "default", name: "kubernetes" };
    expect(cells(ipAddressDefinition, { spec: { parentRef } })["ParentRef"]).toBe(
      "services/default/kubernetes",
    );
    const conditions = [{ type: "Available", status: "False", reason: "MissingEndpoints" }];
    expect(cells(apiServiceDefinition, { spec: {}, status: { conditions } })).toMatchObject({
      Service: "Local",
      Available: "False (MissingEndpoints)",
    });
    expect(cells(endpointSliceDefinition, { endpoints: [{ addresses: ["10.0.0.1"] }] })).toMatchObject({
      Ports: "<unset>",
      Endpoints: "10.0.0.1",
    });
    const annotations = { "storageclass.kubernetes.io/is-default-class": "true" };
    expect(cells(storageClassDefinition, { metadata: { name: "s", annotations } })["Name"]).toBe(
      "s (default)",
    );
    const subjects = [{ kind: "ServiceAccount", name: "s", namespace: "n" }];
    expect(cells(roleBindingDefinition, { roleRef: { kind: "Role", name: "r" }, subjects })).toMatchObject({
      Role: "Role/r",
      ServiceAccounts: "n/s",
    });
  });
});
