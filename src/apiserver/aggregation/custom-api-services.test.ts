import { expect, test } from "vitest";
import type { APIService } from "../../api/types/apiregistration-v1.ts";
import { planServices } from "./custom-api-services.ts";

const specOf = (version: string): APIService["spec"] => ({
  group: "a.b",
  version,
  groupPriorityMinimum: 1_000,
  versionPriority: 100,
});
const service = (version: string, automanaged?: string, spec = specOf(version)) =>
  ({
    metadata: {
      name: `${version}.a.b`,
      ...(automanaged ? { labels: { "kube-aggregator.kubernetes.io/automanaged": automanaged } } : {}),
    },
    spec,
    status: {},
  }) as unknown as APIService;
const nothing = { create: [], update: [], remove: [] };

test.each([
  {
    what: "is made",
    served: ["v1"],
    present: [],
    plan: { ...nothing, create: [{ name: "v1.a.b", spec: specOf("v1") }] },
  },
  { what: "stays", served: ["v1", "v1"], present: [service("v1", "true")], plan: nothing },
  { what: "goes", served: [], present: [service("v1", "true")], plan: { ...nothing, remove: ["v1.a.b"] } },
  { what: "is someone else's", served: ["v1"], present: [service("v1", "", specOf("v9"))], plan: nothing },
  { what: "is of a built-in group", served: [], present: [service("v1", "onstart")], plan: nothing },
  {
    what: "is put right",
    served: ["v1"],
    present: [service("v1", "true", { ...specOf("v1"), versionPriority: 7 })],
    plan: { ...nothing, update: [service("v1", "true")] },
  },
])("the APIService of a custom resource's version $what", ({ served, present, plan }) => {
  expect(
    planServices(
      served.map((version) => ({ group: "a.b", version })),
      present,
    ),
  ).toEqual(plan);
});
