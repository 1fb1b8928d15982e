import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import {
  MutatingAdmissionPolicyBinding,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "../../../api/types/admissionregistration-v1.ts";
import { MutatingAdmissionPolicy as BetaPolicy } from "../../../api/types/admissionregistration-v1beta1.ts";
import { Deployment } from "../../../api/types/apps-v1.ts";
import { HorizontalPodAutoscaler } from "../../../api/types/autoscaling-v2.ts";
import { ConfigMap } from "../../../api/types/core-v1.ts";
import { createControlPlane } from "../../../control-plane/index.ts";
import { admissionObserver } from "../../http/metrics/admission-metrics.ts";
import { MetricsRegistry } from "../../http/metrics/registry.ts";
import { ruleFor, startPolicyPlane } from "./policies-suite.ts";
import type { PolicyPlane } from "./policies-suite.ts";

let plane: PolicyPlane;
const registry = new MetricsRegistry();

beforeAll(async () => {
  plane = await startPolicyPlane(createControlPlane, { "admissionregistration.k8s.io/v1beta1": true });
  plane.plane.server.core.admission.observe(admissionObserver(registry));
});

afterAll(() => plane.close());

afterEach(() => plane.clean());

/** Binds a policy that mutates, which is written in its beta version. */
async function mutate(expression: string, rule = ruleFor()): Promise<void> {
  const metadata = { name: "m" };
  await plane.client.create(MutatingAdmissionPolicyBinding, { metadata, spec: { policyName: "m" } });
  await plane.client.create(BetaPolicy, {
    metadata,
    spec: {
      matchConstraints: { resourceRules: [rule] },
      mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression } }],
      reinvocationPolicy: "Never",
    },
  });
}

const counts = (kind: string) =>
  registry
    .text()
    .split("\n")
    .filter((line) =>
      new RegExp(`^apiserver_${kind}_admission_policy_check_(total|duration_seconds_count)`).test(line),
    )
    .sort();

test("checks are counted by what came of them: those that simply pass are not", async () => {
  await plane.client.create(ValidatingAdmissionPolicyBinding, {
    metadata: { name: "b" },
    spec: { policyName: "p", validationActions: ["Deny", "Audit"] },
  });
  await plane.client.create(ValidatingAdmissionPolicy, {
    metadata: { name: "p" },
    spec: {
      matchConstraints: { resourceRules: [ruleFor()] },
      matchConditions: [{ name: "other", expression: "object.data.a != 'skip'" }],
      validations: [{ expression: "object.data.a == 'x'" }],
    },
  });
  for (const a of ["x", "y", "skip"]) await plane.attempt(ConfigMap, { data: { a } });
  // A condition that cannot be evaluated is as a validation that does not hold.
  await plane.attempt(ConfigMap, { data: { b: "x" } });
  const labels = (action: string) =>
    `{enforcement_action="${action}",error_type="invalid_error",policy="p",policy_binding="b"}`;
  expect(counts("validating")).toEqual([
    `apiserver_validating_admission_policy_check_duration_seconds_count${labels("audit")} 2`,
    `apiserver_validating_admission_policy_check_duration_seconds_count${labels("deny")} 2`,
    `apiserver_validating_admission_policy_check_total${labels("audit")} 2`,
    `apiserver_validating_admission_policy_check_total${labels("deny")} 2`,
  ]);
  const told = registry.text().split("\n");
  const of = 'kind="policy",name="p",operation="CREATE",type="validate"';
  expect(told).toContain(`apiserver_admission_match_condition_exclusions_total{${of}} 1`);
  expect(told).toContain(`apiserver_admission_match_condition_evaluation_errors_total{${of}} 1`);
});

test("mutations are counted too, in whatever version their policy was written", async () => {
  await mutate('Object{data: {"by": object.data.a}}');
  expect((await plane.attempt(ConfigMap, { data: { a: "x" } })).object?.["data"]).toEqual({
    a: "x",
    by: "x",
  });
  expect((await plane.attempt(ConfigMap, { data: { b: "x" } })).error?.code).toBe(403);
  const labels = (type: string) => `{error_type="${type}",policy="m",policy_binding="m"}`;
  expect(counts("mutating").slice(2)).toEqual([
    `apiserver_mutating_admission_policy_check_total${labels("invalid_error")} 1`,
    `apiserver_mutating_admission_policy_check_total${labels("no_error")} 1`,
  ]);
});

test("a policy for another version changes the object as it is there", async () => {
  await mutate("Object{spec: Object.spec{targetCPUUtilizationPercentage: 55}}", {
    ...ruleFor("horizontalpodautoscalers", { group: "autoscaling" }),
    apiVersions: ["v1"],
  });
  const { object } = await plane.attempt(HorizontalPodAutoscaler, {
    spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" } },
  });
  const resource = { name: "cpu", target: { type: "Utilization", averageUtilization: 55 } };
  expect(object?.["spec"]).toMatchObject({ metrics: [{ type: "Resource", resource }] });
});

test("a policy for scales changes how many replicas there are", async () => {
  const labels = { app: "web" };
  await plane.client.create(Deployment, {
    metadata: { name: "web", namespace: "shop" },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "web", image: "web:1" }] } },
    },
  });
  await mutate(
    "Object{spec: Object.spec{replicas: object.spec.replicas * 2}}",
    ruleFor("deployments/scale", { group: "apps" }),
  );
  const key = { namespace: "shop", name: "web" };
  const patch = { type: "merge", body: { spec: { replicas: 3 } } } as const;
  await plane.client.patch(Deployment, key, patch, { subresource: "scale" });
  expect((await plane.client.get(Deployment, key)).spec?.replicas).toBe(6);
});
