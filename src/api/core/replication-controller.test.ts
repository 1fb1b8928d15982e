import { describe, expect, test } from "vitest";
import { creationProblems, defaulted, statusProblems, updateProblems, warningsOf } from "../testing/check.ts";
import { podTemplateDefinition } from "./pod-template.ts";
import { replicationControllerDefinition as definition } from "./replication-controller.ts";

const labels = { app: "a" };
const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "nginx:1" }] } };
const controller = (spec: object = {}) => ({ spec: { template, ...spec } });

test("labels of the template are those of the controller and its selector, where nothing else is said", () => {
  const { metadata, spec } = defaulted(definition, controller());
  expect(metadata.labels).toEqual(labels);
  expect(spec).toMatchObject({ replicas: 1, selector: labels });
  expect(spec).not.toHaveProperty("minReadySeconds");
});

describe("validation of a replication controller", () => {
  test.each<[object, string[]]>([
    [{}, []],
    [
      { selector: { app: "b" } },
      [
        'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`',
      ],
    ],
    [{ template: undefined }, ["spec.selector: Required value", "spec.template: Required value"]],
    [
      {
        template: {
          ...template,
          spec: { ...template.spec, restartPolicy: "Never", activeDeadlineSeconds: 1 },
        },
      },
      [
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
        "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicationController is not Supported",
      ],
    ],
  ])("%j", (spec, problems) => expect(creationProblems(definition, controller(spec))).toEqual(problems));

  test("tells twice of an update what upstream tells twice", () => {
    const problem = "spec.replicas: Invalid value: -1: must be greater than or equal to 0";
    const sketches = { old: controller(), next: controller({ replicas: -1 }) };
    expect(updateProblems(definition, sketches)).toEqual([problem, problem]);
  });

  test("of its status", () => {
    const next = { ...controller(), status: { replicas: 1, readyReplicas: 1, availableReplicas: 2 } };
    expect(statusProblems(definition, { old: controller(), next })).toEqual([
      "status.availableReplicas: Invalid value: 2: cannot be greater than status.replicas",
      "status.availableReplicas: Invalid value: 2: cannot be greater than readyReplicas",
    ]);
  });
});

test("templates bring warnings when they are new or other than before", () => {
  const asked = { ...template, spec: { ...template.spec, terminationGracePeriodSeconds: -1 } };
  const warning =
    "template.spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1";
  const object = (generation: number) => ({ metadata: { name: "x", generation }, template: asked });
  expect(warningsOf(podTemplateDefinition, object(1))).toEqual([warning]);
  expect(warningsOf(podTemplateDefinition, object(2), object(1))).toEqual([warning]);
  expect(warningsOf(podTemplateDefinition, object(1), object(1))).toEqual([]);
});
