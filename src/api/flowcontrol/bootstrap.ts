import type { FlowSchemaSpec, PriorityLevelConfigurationSpec, Subject } from "../types/flowcontrol-v1.ts";

type Rules = NonNullable<FlowSchemaSpec["rules"]>[number];

/** An object follows the release's specification when this annotation is `true`. */
const annotation = "apf.kubernetes.io/autoupdate-spec";

/** `[name, shares, lendable percent, [queues, hand size, queue length]]`. */
type LevelRow = readonly [string, number, number, (readonly [number, number, number])?];

const suggestedLevelRows: readonly LevelRow[] = [
  ["system", 30, 33, [64, 6, 50]],
  ["node-high", 40, 25, [64, 6, 50]],
  ["leader-election", 10, 0, [16, 4, 50]],
  ["workload-high", 40, 50, [128, 6, 50]],
  ["workload-low", 100, 90, [128, 6, 50]],
  ["global-default", 20, 50, [128, 6, 50]],
];

/** The priority levels that always are, with the only specifications that they may have. */
const mandatoryLevels: Readonly<Record<string, PriorityLevelConfigurationSpec>> = {
  exempt: { type: "Exempt", exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  "catch-all": levelSpec(["catch-all", 5, 0]),
};

/** The priority levels that a cluster has unless someone has changed them. */
const suggestedLevels: Readonly<Record<string, PriorityLevelConfigurationSpec>> = Object.fromEntries(
  suggestedLevelRows.map((row) => [row[0], levelSpec(row)]),
);

function levelSpec([, shares, lendable, queues]: LevelRow): PriorityLevelConfigurationSpec {
  return {
    type: "Limited",
    limited: {
      nominalConcurrencyShares: shares,
      limitResponse:
        queues === undefined
          ? { type: "Reject" }
          : {
              type: "Queue",
              queuing: { queues: queues[0], handSize: queues[1], queueLengthLimit: queues[2] },
            },
      lendablePercent: lendable,
    },
  };
}

const everyone = groups("system:unauthenticated", "system:authenticated");
const nodes = groups("system:nodes");
const controllerManager = users("system:kube-controller-manager");
const scheduler = users("system:kube-scheduler");
const systemAccounts: readonly Subject[] = [
  { kind: "ServiceAccount", serviceAccount: { namespace: "kube-system", name: "*" } },
];

/** The flow schemas that always are, with the only specifications that they may have. */
const mandatorySchemas: Readonly<Record<string, FlowSchemaSpec>> = {
  exempt: schemaSpec("exempt", { precedence: 1, rules: everything(groups("system:masters")) }),
  "catch-all": schemaSpec("catch-all", { precedence: 10_000, by: "ByUser", rules: everything(everyone) }),
};

/** The flow schemas that a cluster has unless someone has changed them. */
const suggestedSchemas: Readonly<Record<string, FlowSchemaSpec>> = {
  "system-nodes": schemaSpec("system", { precedence: 500, by: "ByUser", rules: everything(nodes) }),
  "system-node-high": schemaSpec("node-high", {
    precedence: 400,
    by: "ByUser",
    rules: {
      subjects: nodes,
      resourceRules: [
        resources({ verbs: ["*"], names: ["nodes", "nodes/status"], clusterScope: true }),
        leases(["*"]),
      ],
    },
  }),
  probes: schemaSpec("exempt", {
    precedence: 2,
    rules: {
      subjects: everyone,
      nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/healthz", "/readyz", "/livez"] }],
    },
  }),
  "system-leader-election": schemaSpec("leader-election", {
    precedence: 100,
    by: "ByUser",
    rules: {
      subjects: [...controllerManager, ...scheduler, ...systemAccounts],
      resourceRules: [leases(["get", "create", "update"])],
    },
  }),
  "workload-leader-election": schemaSpec("leader-election", {
    precedence: 200,
    by: "ByUser",
    rules: { subjects: systemAccounts, resourceRules: [leases(["get", "create", "update"])] },
  }),
  "endpoint-controller": schemaSpec("workload-high", {
    precedence: 150,
    by: "ByUser",
    rules: {
      subjects: [
        ...controllerManager,
        {
          kind: "ServiceAccount",
          serviceAccount: { namespace: "kube-system", name: "endpoint-controller" },
        },
        {
          kind: "ServiceAccount",
          serviceAccount: { namespace: "kube-system", name: "endpointslicemirroring-controller" },
        },
      ],
      resourceRules: [resources({ verbs: ["get", "create", "update"], names: ["endpoints"] })],
    },
  }),
  "kube-controller-manager": schemaSpec("workload-high", {
    precedence: 800,
    by: "ByNamespace",
    rules: everything(controllerManager),
  }),
  "kube-scheduler": schemaSpec("workload-high", {
    precedence: 800,
    by: "ByNamespace",
    rules: everything(scheduler),
  }),
  "kube-system-service-accounts": schemaSpec("workload-high", {
    precedence: 900,
    by: "ByNamespace",
    rules: everything(systemAccounts),
  }),
  "service-accounts": schemaSpec("workload-low", {
    precedence: 9_000,
    by: "ByUser",
    rules: everything(groups("system:serviceaccounts")),
  }),
  "global-default": schemaSpec("global-default", {
    precedence: 9_900,
    by: "ByUser",
    rules: everything(everyone),
  }),
};

/** What a server makes and keeps up of priority and fairness, by name. */
export const flowControlDefaults = {
  annotation,
  levels: { mandatory: mandatoryLevels, suggested: suggestedLevels },
  schemas: { mandatory: mandatorySchemas, suggested: suggestedSchemas },
} as const;

function schemaSpec(
  level: string,
  row: {
    readonly precedence: number;
    readonly by?: "ByUser" | "ByNamespace";
    readonly rules: Rules;
  },
): FlowSchemaSpec {
  return {
    priorityLevelConfiguration: { name: level },
    matchingPrecedence: row.precedence,
    ...(row.by === undefined ? {} : { distinguisherMethod: { type: row.by } }),
    rules: [row.rules],
  };
}

function everything(subjects: readonly Subject[]): Rules {
  return {
    subjects,
    resourceRules: [resources({ verbs: ["*"], group: "*", names: ["*"], clusterScope: true })],
    nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
  };
}

function leases(verbs: readonly string[]) {
  return resources({ verbs, group: "coordination.k8s.io", names: ["leases"] });
}

function resources(row: {
  readonly verbs: readonly string[];
  readonly group?: string;
  readonly names: readonly string[];
  readonly clusterScope?: true;
}) {
  const { verbs, group = "", names, clusterScope } = row;
  const scope = clusterScope === undefined ? {} : { clusterScope };
  return { verbs, apiGroups: [group], resources: names, ...scope, namespaces: ["*"] };
}

function groups(...names: readonly string[]): readonly Subject[] {
  return names.map((name) => ({ kind: "Group", group: { name } }));
}

function users(...names: readonly string[]): readonly Subject[] {
  return names.map((name) => ({ kind: "User", user: { name } }));
}
