import { resource, type KubernetesObject, type Resource } from "../../src/apimachinery/index.ts";
import { CustomResourceDefinition } from "../../src/api/types/apiextensions-v1.ts";
import type { JSONSchemaProps } from "../../src/api/types/apiextensions-v1.ts";
import { ConfigMap } from "../../src/api/types/core-v1.ts";
import { NetworkPolicy } from "../../src/api/types/networking-v1.ts";
import { startCluster, type TestCluster } from "../../src/testing/index.ts";
import type { ClusterRow } from "./cluster.ts";
import { isEstablished } from "./custom-kinds.ts";
import { openSession, send } from "./https.ts";
import { measure } from "./measure.ts";

const objects = 1_000;
/** The first of them warm the machine up; of the others the best counts, the machine being shared. */
const repetitions = 3;
const namespace = "default";

/** Spec of a NetworkPolicy of about 2 kB, and of a custom resource with the same fields. */
const spec = {
  podSelector: { matchLabels: { app: "web", tier: "front" } },
  policyTypes: ["Ingress", "Egress"],
  ingress: Array.from({ length: 6 }, (_, index) => ({
    from: [
      { namespaceSelector: { matchLabels: { team: `team-${index}`, stage: "production" } } },
      { podSelector: { matchLabels: { app: `client-${index}`, tier: "front" } } },
      { ipBlock: { cidr: `10.${index}.0.0/16`, except: [`10.${index}.1.0/24`] } },
    ],
    ports: [
      { protocol: "TCP", port: 8080 + index },
      { protocol: "UDP", port: 9090 + index },
    ],
  })),
};

const selector: JSONSchemaProps = {
  type: "object",
  properties: { matchLabels: { type: "object", additionalProperties: { type: "string" } } },
};
const list = (items: JSONSchemaProps): JSONSchemaProps => ({ type: "array", items });
const record = (properties: Record<string, JSONSchemaProps>): JSONSchemaProps => ({
  type: "object",
  properties,
});

const definition = {
  metadata: { name: "rules.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced" as const,
    names: { plural: "rules", singular: "rule", kind: "Rule", listKind: "RuleList" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: record({
            spec: record({
              podSelector: selector,
              policyTypes: list({ type: "string", enum: ["Ingress", "Egress"] }),
              ingress: list(
                record({
                  from: list(
                    record({
                      namespaceSelector: selector,
                      podSelector: selector,
                      ipBlock: record({ cidr: { type: "string" }, except: list({ type: "string" }) }),
                    }),
                  ),
                  ports: list(
                    record({
                      protocol: { type: "string", default: "TCP", enum: ["TCP", "UDP", "SCTP"] },
                      port: { type: "integer", minimum: 1, maximum: 65_535 },
                    }),
                  ),
                }),
              ),
            }),
          }),
        },
      },
    ],
  },
};

const Rule = resource<KubernetesObject>({
  group: "example.com",
  version: "v1",
  kind: "Rule",
  plural: "rules",
  namespaced: true,
});

interface Kind {
  readonly resource: Resource;
  readonly content: object;
}

const kinds = {
  ConfigMap: { resource: ConfigMap as Resource, content: { data: { filler: JSON.stringify(spec) } } },
  NetworkPolicy: { resource: NetworkPolicy as Resource, content: { spec } },
  "custom resource": { resource: Rule, content: { spec } },
};

/** What a create and a get of a custom resource cost beside built-in kinds of its size. */
export async function measureCustomCost(): Promise<ClusterRow[]> {
  const cluster = await startCluster({ nodes: 0 });
  for (
    let current = await cluster.client.create(CustomResourceDefinition, definition);
    !isEstablished(current);
  ) {
    await new Promise(setImmediate);
    current = await cluster.client.get(CustomResourceDefinition, { name: "rules.example.com" });
  }
  const rows = [...(await rowsOf("in-process", await inProcess(cluster)))];
  const { ways, close } = await overHttps(cluster);
  rows.push(...(await rowsOf("HTTPS", ways)));
  close();
  await cluster.stop();
  return rows;
}

/** Makes and reads an object of a name. */
interface Way {
  create(name: string): Promise<unknown>;
  get(name: string): Promise<unknown>;
  clear(): Promise<unknown>;
}
type Ways = Readonly<Record<string, Way>>;

async function rowsOf(how: string, ways: Ways): Promise<ClusterRow[]> {
  const best = new Map<string, number>();
  for (let run = 0; run < repetitions; run++) {
    for (const [kind, way] of Object.entries(ways)) {
      for (const verb of ["create", "get"] as const) {
        const action = (index: number) => way[verb](`object-${index}`);
        const { cpuMicroseconds } = await measure("", { count: objects, action });
        const name = `${verb} ${kind}`;
        best.set(name, Math.min(best.get(name) ?? Infinity, cpuMicroseconds));
      }
      await way.clear();
    }
  }
  return ["create", "get"].flatMap((verb) => {
    const custom = best.get(`${verb} custom resource`) ?? 0;
    return Object.keys(ways).map((kind) => {
      const cost = best.get(`${verb} ${kind}`) ?? 0;
      const ratio = kind === "custom resource" ? "" : `, custom resource ${(custom / cost).toFixed(2)} of it`;
      return { what: `${how} ${verb} ${kind}, 2 kB, processor time`, value: `${cost} µs${ratio}` };
    });
  });
}

async function inProcess({ client }: TestCluster): Promise<Ways> {
  const wayOf = ({ resource: kind, content }: Kind): Way => ({
    create: (name) => client.create(kind, { metadata: { namespace, name }, ...content }),
    get: (name) => client.get(kind, { namespace, name }),
    clear: () => client.deleteCollection(kind, { namespace }),
  });
  return Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, wayOf(kind)]));
}

async function overHttps(cluster: TestCluster): Promise<{ readonly ways: Ways; close(): void }> {
  const session = openSession(await cluster.kubeconfig());
  const wayOf = ({ resource: { group, version, plural, kind }, content }: Kind): Way => {
    const apiVersion = group === "" ? version : `${group}/${version}`;
    const path = `/${group === "" ? "api" : "apis"}/${apiVersion}/namespaces/${namespace}/${plural}`;
    const body = (name: string) => JSON.stringify({ apiVersion, kind, metadata: { name }, ...content });
    return {
      create: (name) => send(session, { method: "POST", path, body: body(name) }),
      get: (name) => send(session, { path: `${path}/${name}` }),
      clear: () => send(session, { method: "DELETE", path }),
    };
  };
  return {
    ways: Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, wayOf(kind)])),
    close: () => session.destroy(),
  };
}
