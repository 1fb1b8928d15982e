import { expect, test } from "vitest";
import { flowControlDefaults } from "../../api/index.ts";
import type { FlowSchema } from "../../api/types/flowcontrol-v1.ts";
import { localApiServices } from "./api-services.ts";
import { componentStatuses } from "./component-status.ts";
import { danglingConditionOf, upkeepOf } from "./flow-control.ts";
import { serverIdentity } from "./identity.ts";

const { levels, annotation } = flowControlDefaults;

test.each<[what: string, name: string, present: object | undefined, type: string]>([
  ["suggested, missing", "system", undefined, "create"],
  ["unknown, missing", "mine", undefined, "none"],
  ["as suggested", "system", { mark: "true", spec: levels.suggested["system"] }, "none"],
  ["changed, follows", "system", { mark: "true", spec: {} }, "update"],
  ["changed, on purpose", "system", { mark: "false", spec: {} }, "none"],
  ["unmarked, never changed", "system", { spec: {}, generation: 1 }, "update"],
  ["unmarked, changed", "system", { spec: {}, generation: 2 }, "none"],
  ["mandatory, loosened", "catch-all", { mark: "false", spec: levels.mandatory["catch-all"] }, "update"],
  ["no longer suggested", "old", { mark: "true", spec: {} }, "delete"],
  ["a user's own", "mine", { spec: {}, generation: 1 }, "none"],
])("upkeep of a priority level: %s", (_, name, present, type) => {
  const {
    mark,
    spec = {},
    generation = 3,
  } = (present ?? {}) as {
    mark?: string;
    spec?: object;
    generation?: number;
  };
  const annotations: Record<string, string> = mark === undefined ? {} : { [annotation]: mark };
  const object = present && { metadata: { name, annotations, generation }, spec };
  expect(upkeepOf(object, name, levels).type).toBe(type);
});

test("a flow schema says whether its priority level exists", () => {
  const now = Date.UTC(2026, 0, 1);
  const schema = (status: object) =>
    ({
      metadata: { name: "a" },
      spec: { priorityLevelConfiguration: { name: "p" } },
      status,
    }) as unknown as FlowSchema;
  const missing = danglingConditionOf(schema({}), { hasLevel: false, now });
  expect(missing).toEqual({
    type: "Dangling",
    status: "True",
    lastTransitionTime: "2026-01-01T00:00:00Z",
    reason: "NotFound",
    message:
      'This FlowSchema references the PriorityLevelConfiguration object named "p" but there is no such object',
  });
  const told = schema({ conditions: [missing] });
  expect(danglingConditionOf(told, { hasLevel: false, now: now + 1_000 })).toBeUndefined();
  expect(danglingConditionOf(told, { hasLevel: true, now })?.status).toBe("False");
});

test("every group version but the aggregator's own and strangers' has an APIService", () => {
  const services = localApiServices([
    { group: "", version: "v1" },
    { group: "autoscaling", version: "v2" },
    { group: "apiregistration.k8s.io", version: "v1" },
    { group: "example.com", version: "v1" },
  ]);
  expect([...services]).toEqual([
    ["v1.", { version: "v1", groupPriorityMinimum: 18_000, versionPriority: 1 }],
    [
      "v2.autoscaling",
      { group: "autoscaling", version: "v2", groupPriorityMinimum: 17_500, versionPriority: 30 },
    ],
  ]);
});

test("the identity is stable, and a name of an object", async () => {
  const identity = await serverIdentity("machine");
  expect(identity).toMatch(/^apiserver-[a-z2-7]{26}$/);
  expect(await serverIdentity("machine")).toBe(identity);
  expect(await serverIdentity("other")).not.toBe(identity);
});

test("components are healthy while they run", () => {
  const health = (running: boolean) =>
    componentStatuses({ running }).map(({ metadata, conditions }) => [
      metadata.name,
      (conditions as readonly { readonly status: string }[])[0]?.status,
    ]);
  expect(health(true)).toEqual([
    ["scheduler", "True"],
    ["controller-manager", "True"],
    ["etcd-0", "True"],
  ]);
  expect(health(false)[0]).toEqual(["scheduler", "False"]);
});
