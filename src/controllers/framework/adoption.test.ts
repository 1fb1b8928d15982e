import { expect, test } from "vitest";
import type { KubernetesObject } from "../../apimachinery/index.ts";
import { ReplicaSet } from "../../api/types/apps-v1.ts";
import type { SharedInformer } from "../../client/index.ts";
import { wakeOwners } from "./adoption.ts";
import type { Change } from "./controller.ts";

const set = (name: string, app: string) =>
  ({ metadata: { name, namespace: "n", uid: name }, spec: { selector: { matchLabels: { app } } } }) as never;
const sets = [set("web", "web"), set("api", "api")];
const owners = { list: () => sets } as unknown as SharedInformer<ReplicaSet>;

const pod = (labels: object, owner?: { name: string; kind?: string }, rest: object = {}): KubernetesObject =>
  ({
    metadata: {
      name: "p",
      namespace: "n",
      labels,
      ...rest,
      ...(owner && {
        ownerReferences: [
          { apiVersion: "apps/v1", kind: "ReplicaSet", uid: "u", controller: true, ...owner },
        ],
      }),
    },
  }) as unknown as KubernetesObject;

const cases: readonly (readonly [string, Change<KubernetesObject>, readonly string[], boolean])[] = [
  ["the controller", { type: "added", object: pod({}, { name: "web" }) }, ["web"], true],
  ["the last controller", { type: "deleted", object: pod({}, { name: "web" }) }, ["web"], true],
  [
    "the former controller and who may take over",
    { type: "updated", object: pod({ app: "api" }), old: pod({ app: "api" }, { name: "web" }) },
    ["web", "api"],
    true,
  ],
  ["nobody for an orphan that none selects", { type: "added", object: pod({ app: "x" }) }, [], false],
  ["nobody for an orphan that goes", { type: "deleted", object: pod({ app: "web" }) }, [], false],
  [
    "nobody for an orphan on its way",
    { type: "added", object: pod({ app: "web" }, undefined, { deletionTimestamp: "t" }) },
    [],
    false,
  ],
  [
    "nobody for others' objects",
    { type: "added", object: pod({ app: "web" }, { name: "web", kind: "Job" }) },
    [],
    false,
  ],
];
for (const [name, change, woken, owned] of cases) {
  test(`wakes ${name}`, () => {
    const keys: string[] = [];
    const answer = wakeOwners(change, (key) => void keys.push(key.name), {
      resource: ReplicaSet,
      owners,
      selectorOf: ({ spec }) => spec?.selector,
    });
    expect(keys).toEqual(woken);
    expect(answer).toBe(owned);
  });
}
