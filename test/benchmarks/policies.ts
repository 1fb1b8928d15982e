import { setImmediate as turn } from "node:timers/promises";
import {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "../../src/api/types/admissionregistration-v1.ts";
import type { Mutation } from "../../src/api/types/admissionregistration-v1.ts";
import { ConfigMap } from "../../src/api/types/core-v1.ts";
import { startCluster, type TestCluster } from "../../src/testing/index.ts";
import { measure } from "./measure.ts";

/** The processor time of a create in dry run, in microseconds, and how much of it a policy adds. */
export interface PolicyRow {
  readonly policy: string;
  readonly create: number;
  readonly adds: number;
}

type Setup = (cluster: TestCluster) => Promise<void>;

const rounds = 8;
const creates = 2_000;
const name = "measured";
const metadata = { name };
const constraints = (resource: string) => ({
  resourceRules: [
    { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE" as const], resources: [resource] },
  ],
});

/** What one policy adds to a request. Turns alternate, so that all meet the machine in the same moods. */
export async function measurePolicies(): Promise<readonly PolicyRow[]> {
  const cluster = await startCluster({ nodes: 0 });
  const spent = new Map<string, number[]>();
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const [policy, setUp] of Object.entries(setups)) {
      await setUp(cluster);
      // What is made of a policy once is no matter of requests.
      await measure("first", { count: creates / 10, action: (index) => create(cluster, index) });
      const { cpuMicroseconds } = await measure(policy, {
        count: creates,
        action: (index) => create(cluster, index),
      });
      if (round > 0) spent.set(policy, [...(spent.get(policy) ?? []), cpuMicroseconds]);
      await clean(cluster);
    }
  }
  await cluster.stop();
  const cost = (policy: string) => median(spent.get(policy) ?? []);
  const base = cost("none");
  return Object.keys(setups).map((policy) => ({
    policy,
    create: cost(policy),
    adds: cost(policy) - base,
  }));
}

const create = ({ client }: TestCluster, index: number) =>
  client.create(
    ConfigMap,
    { metadata: { namespace: "default", name: `object-${index}` }, data: { size: "small" } },
    { dryRun: true },
  );

const median = (values: readonly number[]): number =>
  [...values].sort((one, other) => one - other)[values.length >> 1] ?? 0;

const setups: Readonly<Record<string, Setup>> = {
  none: async () => undefined,
  "validates, one expression": validating("object.data.size == 'small'"),
  "validates, of the request too": validating(
    "request.userInfo.username != '' && object.data.size == 'small'",
  ),
  "validates other kinds": validating("false", "pods"),
  "mutates, apply configuration": mutating({
    patchType: "ApplyConfiguration",
    applyConfiguration: { expression: 'Object{data: {"by": "policy"}}' },
  }),
  "mutates, JSON patch": mutating({
    patchType: "JSONPatch",
    jsonPatch: { expression: '[JSONPatch{op: "add", path: "/data/by", value: "policy"}]' },
  }),
};

function validating(expression: string, resource = "configmaps"): Setup {
  return async ({ client }) => {
    await client.create(ValidatingAdmissionPolicyBinding, {
      metadata,
      spec: { policyName: name, validationActions: ["Deny"] },
    });
    await client.create(ValidatingAdmissionPolicy, {
      metadata,
      spec: { matchConstraints: constraints(resource), validations: [{ expression }] },
    });
    while (!(await client.get(ValidatingAdmissionPolicy, { name })).status) await turn();
  };
}

function mutating(mutation: Mutation): Setup {
  return async ({ client }) => {
    await client.create(MutatingAdmissionPolicyBinding, { metadata, spec: { policyName: name } });
    await client.create(MutatingAdmissionPolicy, {
      metadata,
      spec: {
        matchConstraints: constraints("configmaps"),
        mutations: [mutation],
        reinvocationPolicy: "Never",
      },
    });
  };
}

async function clean({ client }: TestCluster): Promise<void> {
  await client.deleteCollection(ValidatingAdmissionPolicy, {});
  await client.deleteCollection(ValidatingAdmissionPolicyBinding, {});
  await client.deleteCollection(MutatingAdmissionPolicy, {});
  await client.deleteCollection(MutatingAdmissionPolicyBinding, {});
}
