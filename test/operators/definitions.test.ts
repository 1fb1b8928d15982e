import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { definitionOf, operatorKinds, type OperatorKind } from "./kinds.ts";
import { ServedCluster } from "./served-cluster.ts";

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const namespace = "default";
const timeout = 60_000;

/** Definitions that people install, with the schemas that their packages have. */
describe("definitions of operators", () => {
  let cluster: ServedCluster;
  beforeAll(async () => {
    cluster = await ServedCluster.start();
    await cluster.ask("POST", "/api/v1/namespaces", { metadata: { name: namespace } });
  }, timeout);
  afterAll(() => cluster.stop());

  test.each(operatorKinds)(
    "$kind is served as its definition says",
    async (kind) => {
      await install(kind);
      await discovered(kind);
      await refuses(kind);
      await lives(kind);
      await goes(kind);
    },
    timeout,
  );

  const collectionOf = ({ group, versions: [version], plural }: OperatorKind, served: string = version) =>
    `/apis/${group}/${served}/namespaces/${namespace}/${plural}`;

  const objectOf = ({ group, versions: [version], kind }: OperatorKind, spec: object, name = "one") => ({
    apiVersion: `${group}/${version}`,
    kind,
    metadata: { name, labels: { app: name } },
    spec,
  });

  async function install(kind: OperatorKind): Promise<void> {
    const created = await cluster.ask("POST", definitions, definitionOf(kind));
    expect(created.status, created.text).toBe(201);
    await cluster.until(async () => {
      const { body } = await cluster.ask("GET", `${definitions}/${kind.plural}.${kind.group}`);
      const conditions: readonly { type: string; status: string }[] = body.status?.conditions ?? [];
      const wanted = ["NamesAccepted", "Established"];
      if (kind.annotations) wanted.push("KubernetesAPIApprovalPolicyConformant");
      return wanted.every((type) => conditions.some((each) => each.type === type && each.status === "True"));
    });
  }

  async function discovered(kind: OperatorKind): Promise<void> {
    const { plural, shortNames, categories, subresources = {} } = kind;
    for (const version of kind.versions) {
      const { body } = await cluster.ask("GET", `/apis/${kind.group}/${version}`);
      expect(body.resources[0]).toMatchObject({
        name: plural,
        kind: kind.kind,
        ...(shortNames ? { shortNames } : {}),
        ...(categories ? { categories } : {}),
      });
      const names = body.resources.map(({ name }: { name: string }) => name);
      expect(names).toEqual([plural, ...Object.keys(subresources).map((name) => `${plural}/${name}`)]);
      const document = await cluster.ask("GET", `/openapi/v3/apis/${kind.group}/${version}`);
      expect(Object.keys(document.body.components.schemas)).toContain(
        [...kind.group.split(".").toReversed(), version, kind.kind].join("."),
      );
    }
  }

  async function refuses(kind: OperatorKind): Promise<void> {
    for (const { spec, message } of kind.refused) {
      const { status, body } = await cluster.ask("POST", collectionOf(kind), objectOf(kind, spec, "bad"));
      expect([status, body.reason, body.message]).toEqual([422, "Invalid", expect.stringContaining(message)]);
    }
    const unknown = objectOf(kind, { ...kind.valid, notThere: { a: 1 } }, "strict");
    const strict = await cluster.ask("POST", `${collectionOf(kind)}?fieldValidation=Strict`, unknown);
    expect([strict.status, strict.body.message]).toEqual([
      400,
      expect.stringContaining('strict decoding error: unknown field "spec.notThere"'),
    ]);
  }

  async function lives(kind: OperatorKind): Promise<void> {
    const path = `${collectionOf(kind)}/one`;
    const body = objectOf(kind, { ...kind.valid, notThere: { a: 1 } });
    const created = await cluster.ask("POST", `${collectionOf(kind)}?fieldValidation=Warn`, body);
    expect(created.status, created.text).toBe(201);
    expect(created.headers["warning"]).toContain("spec.notThere");
    expect(created.body).toMatchObject({ spec: kind.valid, ...kind.defaulted });
    expect(created.body.spec.notThere).toBeUndefined();
    expect(created.body.metadata.generation).toBe(1);
    const { resourceVersion } = created.body.metadata;
    await reports(kind, path);
    const row = await cluster.ask("GET", path, undefined, {
      accept: "application/json;as=Table;g=meta.k8s.io;v=v1",
    });
    const columns = kind.columns.map(({ name }) => name);
    expect(row.body.columnDefinitions.map(({ name }: { name: string }) => name)).toEqual([
      "Name",
      ...columns,
    ]);
    const cells: readonly unknown[] = row.body.rows[0].cells;
    expect(cells.slice(1).filter((_, index) => kind.columns[index]?.type !== "date")).toEqual(kind.cells);
    await applies(kind, path);
    const other = await cluster.ask("POST", collectionOf(kind), objectOf(kind, kind.valid, "two"));
    expect(other.status, other.text).toBe(201);
    const selected = await cluster.ask("GET", `${collectionOf(kind)}?labelSelector=app%3Dtwo`);
    const namesOf = (list: readonly { metadata: { name: string } }[]) =>
      list.map(({ metadata }) => metadata.name);
    expect(namesOf(selected.body.items)).toEqual(["two"]);
    for (const version of kind.versions) {
      const list = await cluster.ask("GET", collectionOf(kind, version));
      expect(list.body).toMatchObject({ kind: `${kind.kind}List`, apiVersion: `${kind.group}/${version}` });
      expect(namesOf(list.body.items)).toEqual(["one", "two"]);
    }
    const deleted = await cluster.ask("DELETE", path);
    expect([deleted.status, (await cluster.ask("GET", path)).status]).toEqual([200, 404]);
    const query = `watch=1&resourceVersion=${resourceVersion}&timeoutSeconds=1&labelSelector=app%3Done`;
    const { text } = await cluster.ask("GET", `${collectionOf(kind)}?${query}`);
    const events = text.split("\n").filter((line) => line !== "");
    const types = events.map((line) => (JSON.parse(line) as { type: string }).type);
    expect([new Set(types.slice(0, -1)), types.at(-1)]).toEqual([new Set(["MODIFIED"]), "DELETED"]);
  }

  /** A status is reported beside the rest where it is a part of its own. */
  async function reports(kind: OperatorKind, path: string): Promise<void> {
    const { body: present } = await cluster.ask("GET", path);
    const status = kind.status ?? {};
    const answer = await cluster.ask("PUT", `${path}/status`, {
      ...present,
      spec: { ...present.spec, ...kind.change },
      status,
    });
    if (!kind.subresources) return expect(answer.status).toBe(404);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toMatchObject({ metadata: { generation: 1 }, spec: kind.valid, status });
    const { body: ignored } = await cluster.ask("PUT", path, { ...answer.body, status: { conditions: [] } });
    expect(ignored.status).toEqual(answer.body.status);
    const scale = await cluster.ask("GET", `${path}/scale`);
    if (!kind.subresources.scale) return expect(scale.status).toBe(404);
    expect(scale.body).toMatchObject({ kind: "Scale", apiVersion: "autoscaling/v1", spec: { replicas: 1 } });
  }

  /** Server-side apply takes fields over, by force where another manager has them. */
  async function applies(kind: OperatorKind, path: string): Promise<void> {
    const apply = (spec: object, query: string) =>
      cluster.ask("PATCH", `${path}?${query}`, objectOf(kind, spec), {
        "content-type": "application/apply-patch+yaml",
      });
    const forced = await apply(kind.change, "fieldManager=first&force=true");
    expect(forced.status, forced.text).toBe(200);
    expect(forced.body).toMatchObject({ metadata: { generation: 2 }, spec: kind.change });
    const again = await apply(kind.change, "fieldManager=first");
    expect(again.body.metadata.resourceVersion).toBe(forced.body.metadata.resourceVersion);
    const [field = ""] = Object.keys(kind.change);
    const conflict = await apply({ [field]: kind.disputed }, "fieldManager=second");
    expect([conflict.status, conflict.body.reason]).toEqual([409, "Conflict"]);
    expect(conflict.body.message).toContain('conflict with "first"');
  }

  /** With the definition go its objects. */
  async function goes(kind: OperatorKind): Promise<void> {
    const name = `${kind.plural}.${kind.group}`;
    const answer = await cluster.ask("DELETE", `${definitions}/${name}`);
    expect(answer.status).toBe(200);
    await cluster.until(async () => (await cluster.ask("GET", `${definitions}/${name}`)).status === 404);
    expect((await cluster.ask("GET", collectionOf(kind))).status).toBe(404);
    const groups = await cluster.ask("GET", "/apis");
    expect(groups.text).not.toContain(kind.group);
  }
});
