import { expect, test } from "vitest";
import { resource as resourceHandle } from "../../../apimachinery/index.ts";
import { CustomResourceDefinition } from "../../../api/types/apiextensions-v1.ts";
import { createControlPlane } from "../../../control-plane/index.ts";
import { startPolicyPlane } from "../../admission/policies/policies-suite.ts";
import { MetricsRegistry } from "./registry.ts";
import { observeRules } from "./rule-metrics.ts";

const Widget = resourceHandle<{ readonly metadata: { readonly name: string } }>({
  group: "example.com",
  version: "v1",
  kind: "Widget",
  plural: "widgets",
  namespaced: true,
});

test("what rules of custom resources take is told: once for what is compiled, each time for what is judged", async () => {
  const plane = await startPolicyPlane(createControlPlane);
  const { core } = plane.plane.server;
  const registry = new MetricsRegistry();
  observeRules(registry, core);
  const rule = { rule: "self.size > 0" };
  await plane.client.create(CustomResourceDefinition, {
    metadata: { name: "widgets.example.com" },
    spec: {
      group: "example.com",
      names: { plural: "widgets", kind: "Widget" },
      scope: "Namespaced",
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: "object",
              properties: {
                spec: {
                  type: "object",
                  properties: { size: { type: "integer" } },
                  "x-kubernetes-validations": [rule],
                },
              },
            },
          },
        },
      ],
    },
  });
  await expect.poll(() => core.served.of(Widget)).toBeDefined();
  for (const size of [1, 2]) await plane.attempt(Widget, { spec: { size } });
  expect((await plane.attempt(Widget, { spec: { size: 0 } })).error?.code).toBe(422);
  const counts = registry
    .text()
    .split("\n")
    .filter((line) => /^apiserver_cel_\w+_count/.test(line));
  expect(counts).toEqual([
    "apiserver_cel_compilation_duration_seconds_count 1",
    "apiserver_cel_evaluation_duration_seconds_count 3",
  ]);
  await plane.close();
});
