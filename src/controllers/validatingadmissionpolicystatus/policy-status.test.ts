import { afterEach, beforeEach, expect, it } from "vitest";
import { ValidatingAdmissionPolicy } from "../../api/types/admissionregistration-v1.ts";
import { Harness } from "../testing/harness.ts";
import { policyStatusController } from "./index.ts";

let harness: Harness;
beforeEach(() => {
  harness = new Harness();
});
afterEach(() => harness.stop());

const statusOf = async () => (await harness.list(ValidatingAdmissionPolicy))[0]?.status;
const policy = (generation: number) => ({
  metadata: { name: "p", generation },
  spec: { validations: [{ expression: "object.nothing" }] },
});

it("tells of what is wrong, once for each generation", async () => {
  let checks = 0;
  const warning = () => ({ fieldRef: "spec.validations[0].expression", warning: `check ${checks}` });
  harness.start([policyStatusController], {
    settings: {
      checkPolicyTypes: () => {
        checks += 1;
        return [warning()];
      },
    },
  });
  const created = await harness.create(ValidatingAdmissionPolicy, policy(1));
  await harness.settle();
  expect(await statusOf()).toEqual({
    observedGeneration: 1,
    typeChecking: { expressionWarnings: [warning()] },
  });
  await harness.change(ValidatingAdmissionPolicy, created, { metadata: { labels: { a: "b" } } });
  await harness.settle();
  expect(checks).toBe(1);
  await harness.change(ValidatingAdmissionPolicy, created, { spec: { failurePolicy: "Ignore" } });
  await harness.settle();
  expect([checks, await statusOf()]).toEqual([
    2,
    { observedGeneration: 2, typeChecking: { expressionWarnings: [warning()] } },
  ]);
});

it("leaves policies alone where nobody knows types", async () => {
  harness.start([policyStatusController]);
  await harness.create(ValidatingAdmissionPolicy, policy(1));
  await harness.settle();
  expect(await statusOf()).toBeUndefined();
});
