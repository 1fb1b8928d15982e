import { describe, expect, test } from "vitest";
import { decodeJson } from "../../apimachinery/codec/index.ts";
import { schemas } from "../schema.ts";
import type { HorizontalPodAutoscaler as FirstAutoscaler } from "../types/autoscaling-v1.ts";
import type { HorizontalPodAutoscaler } from "../types/autoscaling-v2.ts";
import type { Sketch } from "../testing/check.ts";
import { cells, creationProblems, defaulted, statusProblems, updateProblems } from "../testing/check.ts";
import { autoscalerFromFirst, autoscalerToFirst } from "./conversion.ts";
import { autoscalerDefinition, firstAutoscalerDefinition } from "./horizontal-pod-autoscaler.ts";

const target = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
const scaler = (fields: object) => ({ spec: { scaleTargetRef: target, maxReplicas: 3, ...fields } });
const prefix = "autoscaling.alpha.kubernetes.io/";
const metric = { name: "q" };

describe("validation", () => {
  const measuring = (...metrics: object[]) => ({ metrics });
  const at = "spec.metrics[0]";
  const percent = { type: "Utilization", averageUtilization: 50 };
  const supported = 'supported values: "ContainerResource", "External", "Object", "Pods", "Resource"';

  test.each<[object, string[]]>([
    [{}, []],
    [
      { minReplicas: 0 },
      [
        "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1",
        "spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas",
      ],
    ],
    [
      { maxReplicas: 0 },
      [
        "spec.maxReplicas: Invalid value: 0: must be greater than 0",
        "spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`",
      ],
    ],
    [
      { scaleTargetRef: { kind: "a/b", name: ".." } },
      [
        `spec.scaleTargetRef.kind: Invalid value: "a/b": may not contain '/'`,
        `spec.scaleTargetRef.name: Invalid value: "..": may not be '..'`,
        'spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group',
      ],
    ],
    [{ scaleTargetRef: { apiVersion: "v1", kind: "ReplicationController", name: "web" } }, []],
    [
      { scaleTargetRef: { ...target, apiVersion: "a/b/c" } },
      ['spec.scaleTargetRef.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c'],
    ],
    [
      measuring({ type: "Bad" }),
      [
        `${at}.type: Unsupported value: "Bad": ${supported}`,
        `${at}.type: Unsupported value: "Bad": ${supported}`,
      ],
    ],
    [
      measuring({ type: "Resource" }),
      [`${at}.resource: Required value: must populate information for the given metric source`],
    ],
    [
      measuring({ type: "Resource", resource: { name: "cpu" } }),
      [
        `${at}.resource.target.type: Required value: must specify a metric target type`,
        `${at}.resource.target.type: Invalid value: "": must be either Utilization, Value, or AverageValue`,
        `${at}.resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization`,
      ],
    ],
    [
      measuring({
        type: "Resource",
        resource: { name: "cpu", target: { type: "Bad", averageUtilization: 0, averageValue: "-1" } },
      }),
      [
        `${at}.resource.target.type: Invalid value: "Bad": must be either Utilization, Value, or AverageValue`,
        `${at}.resource.target.averageValue: Invalid value: "-1": must be positive`,
        `${at}.resource.target.averageUtilization: Invalid value: 0: must be greater than 0`,
        `${at}.resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization`,
      ],
    ],
    [
      measuring({ type: "Pods", pods: { metric: { name: "a/b" }, target: { type: "Value", value: "0" } } }),
      [
        `${at}.pods.metric.name: Invalid value: "a/b": may not contain '/'`,
        `${at}.pods.target.value: Invalid value: "0": must be positive`,
        `${at}.pods.target.averageValue: Required value: must specify a positive target averageValue`,
      ],
    ],
    [
      measuring({
        type: "Object",
        object: { describedObject: { kind: "Service", name: "s" }, metric, target: { type: "Value" } },
      }),
      [`${at}.object.target.averageValue: Required value: must set either a target value or averageValue`],
    ],
    [
      measuring({
        type: "External",
        external: { metric, target: { type: "Value", value: "1", averageValue: "2" } },
      }),
      [
        `${at}.external.target.value: Forbidden: may not set both a target value for metric and a per-pod target`,
      ],
    ],
    [
      measuring({
        type: "Pods",
        resource: { name: "cpu", target: percent },
        pods: { metric, target: { type: "AverageValue", averageValue: "1" } },
      }),
      [`${at}.resource: Forbidden: must populate the given metric source only`],
    ],
    [
      measuring({
        type: "ContainerResource",
        containerResource: { name: "cpu", container: "", target: percent },
      }),
      [`${at}.containerResource.container: Required value: must specify a container`],
    ],
    [
      {
        behavior: {
          scaleUp: {
            stabilizationWindowSeconds: -1,
            selectPolicy: "Bad",
            policies: [{ type: "Bad", value: 0, periodSeconds: 1801 }],
            tolerance: "-1",
          },
          scaleDown: { stabilizationWindowSeconds: 3601, policies: [] },
        },
      },
      [
        "spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: -1: must be greater than or equal to zero",
        'spec.behavior.scaleUp.selectPolicy: Unsupported value: "Bad": supported values: "Disabled", "Max", "Min"',
        'spec.behavior.scaleUp.policies[0].type: Unsupported value: "Bad": supported values: "Percent", "Pods"',
        "spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero",
        "spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800",
        'spec.behavior.scaleUp.tolerance: Invalid value: "-1": must be greater than or equal to 0',
        "spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600",
        "spec.behavior.scaleDown.policies: Required value: must specify at least one Policy",
      ],
    ],
  ])("%j", (fields, problems) =>
    expect(creationProblems(autoscalerDefinition, scaler(fields))).toEqual(problems),
  );

  test.each<[object, object, string[]]>([
    [{ scaleTargetRef: { kind: "A", name: "a" } }, { scaleTargetRef: { kind: "A", name: "b" } }, []],
    [
      { scaleTargetRef: { kind: "A", name: "a" } },
      { scaleTargetRef: { kind: "B", name: "a" } },
      ['spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group'],
    ],
    [
      { minReplicas: 0 },
      { minReplicas: 0 },
      [
        "spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas",
      ],
    ],
  ])("what was there stays: %j to %j", (old, next, problems) => {
    const sketches = { old: scaler(old), next: scaler(next) };
    expect(updateProblems(autoscalerDefinition, sketches)).toEqual(problems);
    expect(updateProblems(firstAutoscalerDefinition, sketches)).toEqual(problems);
  });

  test("of a status", () => {
    const sketches = { old: scaler({}), next: { ...scaler({}), status: { desiredReplicas: -1 } } };
    expect(statusProblems(autoscalerDefinition, sketches)).toEqual([
      "status.desiredReplicas: Invalid value: -1: must be greater than or equal to 0",
    ]);
  });
});

describe("conversion", () => {
  const described = { kind: "Service", name: "s", apiVersion: "v1" };
  const full = {
    metadata: { name: "full", annotations: { mine: "stays", [`${prefix}metrics`]: "goes" } },
    ...scaler({
      minReplicas: 1,
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 55 } },
        },
        {
          type: "Resource",
          resource: { name: "memory", target: { type: "AverageValue", averageValue: "100Mi" } },
        },
        {
          type: "Pods",
          pods: {
            metric: { name: "q", selector: { matchLabels: { a: "b" } } },
            target: { type: "AverageValue", averageValue: "1k" },
          },
        },
        {
          type: "Object",
          object: { describedObject: described, metric, target: { type: "Value", value: "10" } },
        },
        { type: "External", external: { metric, target: { type: "AverageValue", averageValue: "2" } } },
      ],
      behavior: {
        scaleUp: {
          stabilizationWindowSeconds: 0,
          selectPolicy: "Max",
          policies: [{ type: "Pods", value: 1, periodSeconds: 60 }],
        },
      },
    }),
    status: {
      currentReplicas: 1,
      desiredReplicas: 2,
      currentMetrics: [
        {
          type: "Resource",
          resource: { name: "cpu", current: { averageValue: "5m", averageUtilization: 10 } },
        },
        { type: "Object", object: { describedObject: described, metric, current: { value: "7" } } },
      ],
      conditions: [{ type: "AbleToScale", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" }],
    },
  } as unknown as HorizontalPodAutoscaler;

  test("to the first version keeps in annotations what it has no fields for, as upstream writes it", () => {
    const { metadata, spec, status } = autoscalerToFirst(full);
    expect(metadata.annotations).toEqual({
      mine: "stays",
      [`${prefix}behavior`]:
        '{"ScaleUp":{"StabilizationWindowSeconds":0,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":1,"PeriodSeconds":60}],"Tolerance":null},"ScaleDown":null}',
      [`${prefix}conditions`]:
        '[{"type":"AbleToScale","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"}]',
      [`${prefix}current-metrics`]:
        '[{"type":"Resource","resource":{"name":"cpu","currentAverageUtilization":10,"currentAverageValue":"5m"}},{"type":"Object","object":{"target":{"kind":"Service","name":"s","apiVersion":"v1"},"metricName":"q","currentValue":"7"}}]',
      [`${prefix}metrics`]:
        '[{"type":"Resource","resource":{"name":"memory","targetAverageValue":"100Mi"}},{"type":"Pods","pods":{"metricName":"q","targetAverageValue":"1k","selector":{"matchLabels":{"a":"b"}}}},{"type":"Object","object":{"target":{"kind":"Service","name":"s","apiVersion":"v1"},"metricName":"q","targetValue":"10"}},{"type":"External","external":{"metricName":"q","targetAverageValue":"2"}}]',
    });
    expect(spec).toEqual({
      scaleTargetRef: target,
      minReplicas: 1,
      maxReplicas: 3,
      targetCPUUtilizationPercentage: 55,
    });
    expect(status).toEqual({ currentReplicas: 1, desiredReplicas: 2, currentCPUUtilizationPercentage: 10 });
  });

  const memory = '{"type":"Resource","resource":{"name":"memory","targetAverageValue":"1"}}';
  test.each<[string, string | undefined, string | undefined, number | undefined]>([
    ["nothing", undefined, undefined, 80],
    ["a metric", `[ ${memory} ]`, `[${memory}]`, undefined],
    ["what is no metric", `[${memory},5]`, undefined, 80],
    [
      "a metric that lacks its fields",
      '[{"type":"Object","object":{}}]',
      '[{"type":"Object","object":{"target":{"kind":"","name":""},"metricName":"","targetValue":"0"}}]',
      undefined,
    ],
  ])("settles what annotations of the first version say: %s", (_, given, kept, utilization) => {
    const annotations = { mine: "stays", ...(given === undefined ? {} : { [`${prefix}metrics`]: given }) };
    const { metadata, spec } = defaulted(firstAutoscalerDefinition, {
      metadata: { annotations },
      ...scaler({}),
    });
    expect(metadata.annotations).toEqual({
      mine: "stays",
      ...(kept === undefined ? {} : { [`${prefix}metrics`]: kept }),
    });
    expect(spec.targetCPUUtilizationPercentage).toBe(utilization);
  });

  test("keeps what annotations of the first version say of spec and status from each other's writes", () => {
    const noted = (value: string) => ({
      metadata: {
        name: "x",
        annotations: Object.fromEntries(
          ["mine", "metrics", "conditions"].map((name) => [
            name === "mine" ? name : `${prefix}${name}`,
            value,
          ]),
        ),
      },
      ...scaler({}),
    });
    const [next, old] = [noted("next"), noted("old")] as unknown as [FirstAutoscaler, FirstAutoscaler];
    const { prepareForCreate, prepareForUpdate, prepareForStatusUpdate } = firstAutoscalerDefinition;
    const kept = (prepared: FirstAutoscaler | undefined) =>
      Object.values(prepared?.metadata.annotations ?? {});
    const context = { now: 0, operation: "update" } as const;
    expect(kept(prepareForCreate?.(next, context))).toEqual(["next", "next"]);
    expect(kept(prepareForUpdate?.(next, old, context))).toEqual(["next", "next", "old"]);
    expect(kept(prepareForStatusUpdate?.(next, old, context))).toEqual(["next", "next", "old"]);
    expect(prepareForStatusUpdate?.(next, old, context).metadata.annotations).toMatchObject({
      [`${prefix}metrics`]: "old",
    });
  });

  test("comes back as it was, the processor last", () => {
    const [cpu, ...others] = full.spec.metrics ?? [];
    const back = autoscalerFromFirst(autoscalerToFirst(full));
    expect(back.spec).toEqual({ ...full.spec, metrics: [...others, cpu] });
    expect(back.status).toEqual(full.status);
    expect(back.metadata.annotations).toEqual({ mine: "stays" });
  });

  test.each<[string, object, object]>([
    ["nonsense", { [`${prefix}metrics`]: "nonsense", [`${prefix}behavior`]: "[]" }, {}],
    [
      "a behavior in small letters",
      { [`${prefix}behavior`]: '{"scaleup":{"selectpolicy":"Min"}}' },
      { behavior: { scaleUp: { selectPolicy: "Min" } } },
    ],
    ["a behavior of nothing", { [`${prefix}behavior`]: '{"ScaleUp":null}' }, {}],
  ])("of annotations with %s", (_, annotations, expected) => {
    const first = { metadata: { name: "x", annotations }, ...scaler({}) } as unknown as FirstAutoscaler;
    const { metadata, spec } = autoscalerFromFirst(first);
    const cpu = { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } };
    expect(metadata).not.toHaveProperty("annotations");
    expect(spec).toEqual({
      scaleTargetRef: target,
      maxReplicas: 3,
      metrics: [{ type: "Resource", resource: cpu }],
      ...expected,
    });
  });
});

test("columns", () => {
  const { spec } = defaulted(autoscalerDefinition, scaler({}));
  expect(cells(autoscalerDefinition, { metadata: { name: "x" }, spec })).toEqual({
    Name: "x",
    Reference: "Deployment/web",
    Targets: "cpu: <unknown>/80%",
    MinPods: "1",
    MaxPods: 3,
    Replicas: 0,
    Age: "<unknown>",
  });
});

test("an empty list of policies is not none: it is refused", () => {
  const type = schemas.typeOf({ group: "autoscaling", version: "v2", kind: "HorizontalPodAutoscaler" })!;
  const problems = (policies: string) => {
    const spec = `{"scaleTargetRef":{"kind":"D","name":"d","apiVersion":"apps/v1"},"maxReplicas":1,"behavior":{"scaleDown":{${policies}}}}`;
    const { object } = decodeJson(`{"metadata":{"name":"x"},"spec":${spec}}`, type);
    return creationProblems(autoscalerDefinition, object as Sketch);
  };
  expect(problems('"policies":[]')).toEqual([
    "spec.behavior.scaleDown.policies: Required value: must specify at least one Policy",
  ]);
  expect(problems('"policies":null')).toEqual([]);
  expect(problems("")).toEqual([]);
});
