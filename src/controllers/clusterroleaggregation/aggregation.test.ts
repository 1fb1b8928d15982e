import { afterEach, beforeEach, expect, it } from "vitest";
import { ClusterRole } from "../../api/types/rbac-v1.ts";
import { Harness } from "../testing/harness.ts";
import { clusterRoleAggregationController } from "./index.ts";

let harness: Harness;
beforeEach(() => {
  harness = new Harness();
  harness.start([clusterRoleAggregationController]);
});
afterEach(() => harness.stop());

it("collects rules by label, in order of names, each once", async () => {
  const rule = (resource: string) => ({ apiGroups: [""], resources: [resource], verbs: ["get"] });
  const role = (name: string, rest: object, labels = {}) =>
    harness.create(ClusterRole, { metadata: { name, labels }, ...rest });
  const selector = { matchLabels: { to: "all" } };
  await role(
    "all",
    { aggregationRule: { clusterRoleSelectors: [selector] }, rules: [rule("gone")] },
    { to: "all" },
  );
  await role("b", { rules: [rule("pods"), rule("secrets")] }, { to: "all" });
  await role("a", { rules: [rule("secrets")] }, { to: "all" });
  await role("c", { rules: [rule("nodes")] });
  await harness.settle();
  const rules = async () =>
    (await harness.list(ClusterRole)).find(({ metadata }) => metadata.name === "all")?.rules;
  expect(await rules()).toEqual([rule("secrets"), rule("pods")]);
  await harness.client.delete(ClusterRole, { name: "a" });
  await harness.client.delete(ClusterRole, { name: "b" });
  await harness.settle();
  expect(await rules()).toEqual([]);
});
