import { expect, test } from "vitest";
import { resource } from "../apimachinery/index.ts";
import type { KubernetesObject } from "../apimachinery/index.ts";
import { ServedTable, type ServedResource } from "../apiserver/index.ts";
import type { CatalogChange } from "../controllers/index.ts";
import { catalogOf } from "./catalog.ts";

type Remote = Parameters<typeof catalogOf>[1];
type Versions = ReturnType<Remote["versions"]>;

const told = (plural: string, scope: string) => ({
  resource: plural,
  responseKind: { group: "g", version: "v", kind: plural },
  scope,
  verbs: ["list"],
});
const version = (name: string, resources: readonly object[], stale = false) => ({
  group: "g",
  version: name,
  resources,
  stale,
});

/** What extension servers serve, as the test says. */
function remoteOf(first: Versions) {
  let versions = first;
  const listeners = new Set<() => void>();
  const remote: Remote = {
    priorities: { group: () => 1, version: (_, name) => ({ v1: 1, v2: 2 })[name] },
    versions: () => versions,
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const change = (next: Versions) => {
    versions = next;
    for (const listener of listeners) listener();
  };
  return { remote, change, listeners };
}

const nameOf = ({ resource: { plural, version: name } }: CatalogChange["entry"]) => `${plural}/${name}`;

test("each resource is there at the version that is preferred", () => {
  const { remote } = remoteOf([
    version("v1", [told("a", "Namespaced"), told("b", "Cluster")]),
    version("v2", [told("a", "Namespaced")]),
    version("v3", [told("c", "Cluster")], true),
  ]);
  const catalog = catalogOf(new ServedTable(), remote);
  expect(catalog.list()).toEqual([
    {
      resource: resource<KubernetesObject>({
        group: "g",
        version: "v2",
        kind: "a",
        plural: "a",
        namespaced: true,
      }),
      verbs: ["list"],
    },
    {
      resource: resource<KubernetesObject>({
        group: "g",
        version: "v1",
        kind: "b",
        plural: "b",
        namespaced: false,
      }),
      verbs: ["list"],
    },
  ]);
  expect(catalog.stale()).toEqual(["g/v3"]);
});

test("who follows it hears what comes and goes; of servers that do not answer nothing has gone", () => {
  const both = [version("v1", [told("a", "Cluster"), told("b", "Cluster")])];
  const { remote, change, listeners } = remoteOf(both);
  const heard: string[] = [];
  const end = catalogOf(new ServedTable(), remote).onChange(({ type, entry }) => {
    heard.push(`${type} ${nameOf(entry)}`);
  });
  change([version("v1", [], true)]);
  change(both);
  expect(heard).toEqual([]);
  change([version("v1", [told("b", "Cluster")]), version("v2", [told("c", "Cluster")])]);
  expect(heard.splice(0)).toEqual(["removed a/v1", "added c/v2"]);
  change([]);
  expect(heard).toEqual(["removed c/v2", "removed b/v1"]);
  end();
  expect(listeners.size).toBe(0);
});

test("a custom resource is followed at the version that is stored, also when that changes", () => {
  const table = new ServedTable();
  const heard: string[] = [];
  const catalog = catalogOf(table, remoteOf([]).remote);
  const end = catalog.onChange(({ type, entry }) => heard.push(`${type} ${nameOf(entry)}`));
  const handle = (name: string) =>
    resource<KubernetesObject>({ group: "g", version: name, kind: "A", plural: "a", namespaced: true });
  const add = (name: string, stored: string) =>
    table.add({
      resource: handle(name),
      verbs: ["list", "watch"],
      storage: { stored: handle(stored) },
    } as unknown as ServedResource);
  add("v1", "v1");
  expect(catalog.list().map(nameOf)).toEqual(["a/v1"]);
  add("v1", "v2");
  add("v2", "v2");
  expect(catalog.list().map(nameOf)).toEqual(["a/v2"]);
  table.remove(handle("v1"));
  table.remove(handle("v2"));
  expect(heard).toEqual(["added a/v1", "removed a/v1", "added a/v2", "removed a/v1", "removed a/v2"]);
  expect(catalog.list()).toEqual([]);
  end();
});
