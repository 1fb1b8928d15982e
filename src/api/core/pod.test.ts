import { describe, expect, test } from "vitest";
import { cells, created, creationProblems, defaulted, testNow, updateProblems } from "../testing/check.ts";
import { podDefinition } from "./pod.ts";
import { tagOf } from "./pod-spec/container-defaults.ts";

const container = { name: "c", image: "nginx" };
const pod = (spec: object, rest: object = {}) => ({ spec: { containers: [container], ...spec }, ...rest });

describe("defaults", () => {
  test("of a pod with one container", () => {
    expect(defaulted(podDefinition, pod({})).spec).toEqual({
      containers: [
        {
          ...container,
          resources: {},
          terminationMessagePath: "/dev/termination-log",
          terminationMessagePolicy: "File",
          imagePullPolicy: "Always",
        },
      ],
      restartPolicy: "Always",
      dnsPolicy: "ClusterFirst",
      securityContext: {},
      terminationGracePeriodSeconds: 30,
      schedulerName: "default-scheduler",
      enableServiceLinks: true,
    });
  });

  test.each([
    [{ podIP: "10.0.0.1" }, { podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }] }],
    [{ podIPs: [{ ip: "10.0.0.1" }] }, { podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }] }],
    [
      { podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.2" }, { ip: "fd00::2" }] },
      { podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }] },
    ],
    [
      { podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }, { ip: "fd00::1" }] },
      { podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }, { ip: "fd00::1" }] },
    ],
    [{ podIP: "" }, { podIP: "" }],
    [{ podIPs: [] }, { podIPs: [] }],
  ])("of addresses %j", (status, expected) => {
    expect(defaulted(podDefinition, pod({}, { status })).status).toEqual(expected);
  });

  test("of ports, probes, environment and requests", () => {
    const { spec } = defaulted(
      podDefinition,
      pod({
        hostNetwork: true,
        containers: [
          {
            name: "c",
            image: "nginx:1.27",
            ports: [{ containerPort: 80 }],
            readinessProbe: { httpGet: { port: 80 } },
            env: [
              { name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
              { name: "B", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
            ],
            resources: { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "500m" } },
          },
        ],
      }),
    );
    expect(spec.containers[0]).toMatchObject({
      imagePullPolicy: "IfNotPresent",
      ports: [{ containerPort: 80, hostPort: 80, protocol: "TCP" }],
      readinessProbe: {
        httpGet: { path: "/", scheme: "HTTP" },
        timeoutSeconds: 1,
        periodSeconds: 10,
        successThreshold: 1,
        failureThreshold: 3,
      },
      env: [
        { valueFrom: { fieldRef: { apiVersion: "v1" } } },
        { valueFrom: { resourceFieldRef: { divisor: "0" } } },
      ],
      resources: { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "500m", memory: "1Gi" } },
    });
  });

  test.each([
    [{ name: "v" }, { name: "v", emptyDir: {} }],
    [
      { name: "v", secret: { secretName: "s" } },
      { name: "v", secret: { secretName: "s", defaultMode: 420 } },
    ],
    [
      { name: "v", hostPath: { path: "/" } },
      { name: "v", hostPath: { path: "/", type: "" } },
    ],
    [
      { name: "v", projected: { sources: [{ serviceAccountToken: { path: "t" } }] } },
      {
        name: "v",
        projected: {
          defaultMode: 420,
          sources: [{ serviceAccountToken: { path: "t", expirationSeconds: 3600 } }],
        },
      },
    ],
    [
      { name: "v", projected: { sources: [{ serviceAccountToken: { path: "t", expirationSeconds: 0 } }] } },
      {
        name: "v",
        projected: {
          defaultMode: 420,
          sources: [{ serviceAccountToken: { path: "t", expirationSeconds: 0 } }],
        },
      },
    ],
  ])("of volume %j", (volume, expected) => {
    expect(defaulted(podDefinition, pod({ volumes: [volume] })).spec.volumes).toEqual([expected]);
  });

  test.each([
    ["nginx", "latest"],
    ["nginx:latest", "latest"],
    ["localhost:5000/a/b", "latest"],
    ["registry.k8s.io/e2e-test-images/agnhost:2.53", "2.53"],
    ["nginx@sha256:abc", ""],
    [`nginx@sha256:${"a".repeat(64)}`, ""],
    [`nginx:latest@sha256:${"a".repeat(64)}`, "latest"],
    ["a".repeat(64), ""],
    ["a".repeat(237), "latest"],
    ["a".repeat(238), ""],
    ["[fd00::1]:5000/a:b", "b"],
    ["Host/a", "latest"],
    ["localhost/a_b--c.d", "latest"],
    ["-host.x/a", ""],
    ["a/B", ""],
    ["a//b", ""],
    ["a/", ""],
    ["a:", ""],
    ["a_._b", ""],
    ["", ""],
    ["Not An Image", ""],
    [`${"a".repeat(100_000)}!`, ""],
    [`${"a-".repeat(50_000)}!`, ""],
  ])("tag of %.40s", (image, tag) => expect(tagOf(image)).toBe(tag));
});

describe("creation", () => {
  const quantities = { cpu: "1", memory: "1Gi" };
  test.each([
    [{}, "BestEffort"],
    [{ requests: { cpu: "1" } }, "Burstable"],
    [{ limits: quantities }, "Guaranteed"],
    [{ limits: quantities, requests: { cpu: "500m" } }, "Burstable"],
    [{ limits: quantities, requests: { cpu: "1000m", memory: "1024Mi" } }, "Guaranteed"],
  ])("quality of service of %j is %s", (resources, expected) => {
    const { status } = created(podDefinition, pod({ containers: [{ ...container, resources }] }));
    expect(status).toEqual({ phase: "Pending", qosClass: expected });
  });

  test("says that a gated pod waits", () => {
    const { status } = created(podDefinition, pod({ schedulingGates: [{ name: "example.com/wait" }] }));
    expect(status.conditions).toEqual([
      {
        type: "PodScheduled",
        status: "False",
        reason: "SchedulingGated",
        message: "Scheduling is blocked due to non-empty scheduling gates",
      },
    ]);
  });

  test("keeps both names of the service account", () => {
    expect(created(podDefinition, pod({ serviceAccountName: "robot" })).spec.serviceAccount).toBe("robot");
  });
});

describe("validation", () => {
  test.each<[object, string[]]>([
    [{}, []],
    [{ containers: [] }, ["spec.containers: Required value"]],
    [{ containers: [{ name: "c" }] }, ["spec.containers[0].image: Required value"]],
    [{ containers: [container, container] }, ['spec.containers[1].name: Duplicate value: "c"']],
    [
      { restartPolicy: "Sometimes" },
      [
        'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
      ],
    ],
    [
      { containers: [{ ...container, ports: [{ containerPort: 70000 }] }] },
      [
        "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
      ],
    ],
    [
      { containers: [{ ...container, volumeMounts: [{ name: "v", mountPath: "/v" }] }] },
      ['spec.containers[0].volumeMounts[0].name: Not found: "v"'],
    ],
    [
      { containers: [{ ...container, resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } }] },
      [
        'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
      ],
    ],
    [
      { containers: [{ ...container, livenessProbe: { exec: { command: ["x"] }, successThreshold: 2 } }] },
      ["spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"],
    ],
    [
      { containers: [{ ...container, livenessProbe: {} }] },
      ["spec.containers[0].livenessProbe: Required value: must specify a handler type"],
    ],
    [
      { activeDeadlineSeconds: 0 },
      ["spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"],
    ],
    [
      { tolerations: [{ operator: "Equal" }] },
      [
        'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ],
    ],
  ])("of %j", (spec, problems) => expect(creationProblems(podDefinition, pod(spec))).toEqual(problems));
});

describe("update", () => {
  const check = (old: object, next: object) =>
    updateProblems(podDefinition, { old: pod(old), next: pod(next) });
  test.each<[string, object, object]>([
    ["an image", {}, { containers: [{ ...container, image: "nginx:2", imagePullPolicy: "Always" }] }],
    ["a toleration", {}, { tolerations: [{ key: "a", operator: "Exists" }] }],
    ["a deadline", { activeDeadlineSeconds: 30 }, { activeDeadlineSeconds: 20 }],
    ["a negative grace period", { terminationGracePeriodSeconds: -1 }, { terminationGracePeriodSeconds: 1 }],
  ])("may change %s", (_, old, next) => expect(check(old, next)).toEqual([]));

  test("may change nothing else", () => {
    expect(check({ nodeName: "a" }, { nodeName: "b" })).toEqual([
      "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`," +
        "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)," +
        "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n" +
        '@@ -42,7 +42,7 @@\n  "NodeSelector": null,\n  "ServiceAccountName": "",\n' +
        '  "AutomountServiceAccountToken": null,\n- "NodeName": "a",\n+ "NodeName": "b",\n' +
        '  "SecurityContext": {\n   "HostNetwork": false,\n   "HostPID": false,\n',
    ]);
  });

  test("may not add containers", () => {
    expect(check({}, { containers: [container, { ...container, name: "d" }] })).toEqual([
      "spec.containers: Forbidden: pod updates may not add or remove containers",
    ]);
  });

  test("may not raise the deadline", () => {
    expect(check({ activeDeadlineSeconds: 30 }, { activeDeadlineSeconds: 40 })).toEqual([
      "spec.activeDeadlineSeconds: Invalid value: 40: must be less than or equal to previous value",
    ]);
  });
});

describe("columns", () => {
  const ago = (seconds: number) => new Date(testNow - seconds * 1000).toISOString();
  const running = { name: "c", ready: true, restartCount: 0, state: { running: {} } };
  const init = { initContainers: [{ name: "i", image: "x" }] };
  const row = (spec: object, status: object, metadata: object = {}) => {
    const { Ready, Status, Restarts } = cells(
      podDefinition,
      pod(spec, { metadata: { name: "x", creationTimestamp: ago(60), ...metadata }, status }),
    );
    return [Ready, Status, Restarts];
  };
  test.each<[string, object, object, object, unknown[]]>([
    ["pending", {}, { phase: "Pending" }, {}, ["0/1", "Pending", "0"]],
    ["running", {}, { phase: "Running", containerStatuses: [running] }, {}, ["1/1", "Running", "0"]],
    [
      "restarted",
      {},
      {
        phase: "Running",
        containerStatuses: [
          { ...running, restartCount: 3, lastState: { terminated: { exitCode: 1, finishedAt: ago(300) } } },
        ],
      },
      {},
      ["1/1", "Running", "3 (5m ago)"],
    ],
    [
      "crashing",
      {},
      {
        phase: "Running",
        containerStatuses: [{ ...running, ready: false, state: { waiting: { reason: "CrashLoopBackOff" } } }],
      },
      {},
      ["0/1", "CrashLoopBackOff", "0"],
    ],
    [
      "initializing",
      init,
      { phase: "Pending", initContainerStatuses: [{ name: "i", restartCount: 0, state: { running: {} } }] },
      {},
      ["0/1", "Init:0/1", "0"],
    ],
    [
      "failed to initialize",
      init,
      {
        phase: "Pending",
        initContainerStatuses: [{ name: "i", restartCount: 1, state: { terminated: { exitCode: 2 } } }],
      },
      {},
      ["0/1", "Init:ExitCode:2", "1"],
    ],
    [
      "with a sidecar",
      { initContainers: [{ name: "i", image: "x", restartPolicy: "Always" }] },
      {
        phase: "Running",
        conditions: [{ type: "Initialized", status: "True" }],
        initContainerStatuses: [
          { name: "i", restartCount: 1, started: true, ready: true, state: { running: {} } },
        ],
        containerStatuses: [running],
      },
      {},
      ["2/2", "Running", "1"],
    ],
    [
      "completed",
      {},
      {
        phase: "Succeeded",
        containerStatuses: [
          { ...running, ready: false, state: { terminated: { exitCode: 0, reason: "Completed" } } },
        ],
      },
      {},
      ["0/1", "Completed", "0"],
    ],
    [
      "going",
      {},
      { phase: "Running", containerStatuses: [running] },
      { deletionTimestamp: ago(1) },
      ["1/1", "Terminating", "0"],
    ],
  ])("of a pod %s", (_, spec, status, metadata, expected) => {
    expect(row(spec, status, metadata)).toEqual(expected);
  });

  test("age, address and node", () => {
    expect(
      cells(
        podDefinition,
        pod({ nodeName: "n" }, { metadata: { name: "x", creationTimestamp: ago(60 * 60 * 26) }, status: {} }),
      ),
    ).toMatchObject({
      Age: "26h",
      IP: "<none>",
      Node: "n",
      "Nominated Node": "<none>",
      "Readiness Gates": "<none>",
    });
  });
});

describe("grace period of deletion", () => {
  test.each([
    [{ nodeName: "n" }, {}, undefined, 30],
    [{ nodeName: "n" }, {}, 5, 5],
    [{}, {}, undefined, 0],
    [{ nodeName: "n" }, { phase: "Failed" }, undefined, 0],
    [{ nodeName: "n" }, {}, -1, 1],
  ])("%j %j %s", (spec, status, requested, expected) => {
    const object = { ...defaulted(podDefinition, pod(spec)), status } as Parameters<
      NonNullable<typeof podDefinition.gracePeriodSeconds>
    >[0];
    expect(podDefinition.gracePeriodSeconds?.(object, requested)).toBe(expected);
  });
});

describe("updates of subresources", () => {
  const problems = (subresource: string, old: object, next: object) => {
    const context = { now: testNow, operation: "update", subresource } as const;
    const before = created(podDefinition, pod(old));
    const after = defaulted(podDefinition, pod(next));
    const prepared = podDefinition.prepareForUpdate?.(after, before, context) ?? after;
    const errors = podDefinition.validateUpdate?.(prepared, before, context) ?? [];
    return errors.map((error) => `${error.field}: ${error.detail.split("\n")[0]}`);
  };
  const debug = { name: "debug", image: "busybox:1" };
  const sized = (resources: object) => ({ containers: [{ ...container, resources }] });

  test.each<[object, object, string[]]>([
    [{}, { ephemeralContainers: [debug], nodeName: "ignored" }, []],
    [
      { ephemeralContainers: [debug] },
      {},
      ['spec.ephemeralContainers: existing ephemeral containers "debug" may not be removed'],
    ],
    [
      { ephemeralContainers: [debug] },
      { ephemeralContainers: [{ ...debug, image: "busybox:2" }] },
      ['spec.ephemeralContainers: existing ephemeral containers "debug" may not be changed'],
    ],
  ])("ephemeral containers %#", (old, next, expected) => {
    expect(problems("ephemeralcontainers", old, next)).toEqual(expected);
  });

  test.each<[object, object, string[]]>([
    [sized({ requests: { cpu: "1" } }), sized({ requests: { cpu: "2" } }), []],
    [
      sized({ requests: { cpu: "1" } }),
      { ...sized({ requests: { cpu: "2", "example.com/gpu": "1" } }), hostname: "ignored" },
      ["spec: only cpu and memory resources are mutable"],
    ],
    [
      sized({}),
      sized({ requests: { cpu: "1" } }),
      ["spec: Pod QOS Class may not change as a result of resizing"],
    ],
  ])("resize %#", (old, next, expected) => expect(problems("resize", old, next)).toEqual(expected));
});
