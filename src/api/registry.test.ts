import { describe, expect, test } from "vitest";
import { convert, servedVersionsOf, storageVersionOf } from "./conversion.ts";
import { definitionOf, definitions } from "./registry.ts";
import { writtenDefinitions } from "./written.ts";
import { HorizontalPodAutoscaler as FirstAutoscaler } from "./types/autoscaling-v1.ts";
import { HorizontalPodAutoscaler } from "./types/autoscaling-v2.ts";
import { Event as CoreEvent, Pod } from "./types/core-v1.ts";
import { Event } from "./types/events-v1.ts";
import { ResourceClaim } from "./types/resource-v1.ts";
import { ResourceClaim as BetaResourceClaim } from "./types/resource-v1beta1.ts";

describe("registry", () => {
  test("has every resource once, and every written definition", () => {
    const names = definitions.map(
      ({ resource }) => `${resource.group}/${resource.version}/${resource.plural}`,
    );
    expect(new Set(names).size).toBe(names.length);
    expect(writtenDefinitions.filter((definition) => !definitions.includes(definition))).toEqual([]);
    expect(definitionOf(Pod)?.resource).toBe(Pod);
    expect(definitionOf({ group: "example.com", version: "v1", plural: "things" })).toBeUndefined();
  });

  test("every definition starts its table with the name, but events", () => {
    const others = definitions.filter(({ columns }) => columns?.[0]?.name !== "Name");
    expect(others.map(({ resource }) => resource.kind)).toEqual(["Event", "Event"]);
  });
});

describe("storage versions", () => {
  test.each([
    [{ group: "autoscaling", plural: "horizontalpodautoscalers" }, "v2"],
    [{ group: "resource.k8s.io", plural: "resourceclaims" }, "v1"],
    [{ group: "resource.k8s.io", plural: "devicetaintrules" }, "v1alpha3"],
    [{ group: "admissionregistration.k8s.io", plural: "mutatingadmissionpolicies" }, "v1beta1"],
    [{ group: "resource.k8s.io", plural: "resourcepoolstatusrequests" }, "v1alpha3"],
    [{ group: "", plural: "pods" }, "v1"],
  ])("of %j is %s", (resource, version) => expect(storageVersionOf(resource)?.version).toBe(version));

  test("events of both groups are the core group's", () => {
    expect(storageVersionOf(Event)).toBe(CoreEvent);
    expect(servedVersionsOf(CoreEvent).map(({ group }) => group)).toEqual(["", "events.k8s.io"]);
  });
});

describe("conversion", () => {
  test("of events renames fields", () => {
    const event = {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name: "x" },
      note: "n",
      regarding: {},
    };
    const core = convert(event as never, Event, CoreEvent);
    expect(core).toEqual({
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "x" },
      message: "n",
      involvedObject: {},
    });
    expect(convert(core, CoreEvent, Event)).toEqual(event);
  });

  test("of autoscalers keeps in annotations what the first version cannot say", () => {
    const second = {
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "x" },
      spec: {
        scaleTargetRef: { kind: "Deployment", name: "d" },
        maxReplicas: 3,
        metrics: [
          {
            type: "Pods",
            pods: { metric: { name: "m" }, target: { type: "AverageValue", averageValue: "5" } },
          },
          {
            type: "Resource",
            resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } },
          },
        ],
      },
      status: { currentReplicas: 1, desiredReplicas: 1 },
    };
    const first = convert(second as never, HorizontalPodAutoscaler, FirstAutoscaler);
    expect(first).toEqual({
      apiVersion: "autoscaling/v1",
      kind: "HorizontalPodAutoscaler",
      metadata: {
        name: "x",
        annotations: {
          "autoscaling.alpha.kubernetes.io/metrics":
            '[{"type":"Pods","pods":{"metricName":"m","targetAverageValue":"5"}}]',
        },
      },
      spec: {
        scaleTargetRef: { kind: "Deployment", name: "d" },
        maxReplicas: 3,
        targetCPUUtilizationPercentage: 50,
      },
      status: { currentReplicas: 1, desiredReplicas: 1 },
    });
    expect(convert(first, FirstAutoscaler, HorizontalPodAutoscaler)).toEqual(second);
  });

  test("of autoscalers of the first version without any metric aims at 80 percent of the CPU", () => {
    const first = { metadata: { name: "x" }, spec: { maxReplicas: 3 } };
    const second = convert(first as never, FirstAutoscaler, HorizontalPodAutoscaler);
    expect((second as unknown as HorizontalPodAutoscaler).spec.metrics).toEqual([
      {
        type: "Resource",
        resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } },
      },
    ]);
  });

  test("of resource claims moves what is exactly asked for", () => {
    const stored = {
      apiVersion: "resource.k8s.io/v1",
      kind: "ResourceClaim",
      metadata: { name: "x" },
      spec: { devices: { requests: [{ name: "r", exactly: { deviceClassName: "c", count: 1 } }] } },
    };
    const beta = convert(stored as never, ResourceClaim, BetaResourceClaim);
    expect(beta).toMatchObject({
      apiVersion: "resource.k8s.io/v1beta1",
      spec: { devices: { requests: [{ name: "r", deviceClassName: "c", count: 1 }] } },
    });
    expect(convert(beta, BetaResourceClaim, ResourceClaim)).toEqual(stored);
  });
});
