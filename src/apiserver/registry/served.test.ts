import { expect, test } from "vitest";
import { resource } from "../../apimachinery/index.ts";
import type { KubernetesObject } from "../../apimachinery/index.ts";
import { ServedTable, type ServedChange, type ServedResource } from "./served.ts";

/** What the table looks at, and no more. */
function served(group: string, version: string, plural: string): ServedResource {
  const kind = plural.toUpperCase();
  const handle = resource<KubernetesObject>({ group, version, kind, plural, namespaced: true });
  return { resource: handle } as unknown as ServedResource;
}

const pathOf = ({ resource: { group, version, plural } }: ServedResource) => `${group}/${version}/${plural}`;

test("groups know their own resources alone, as these come and go", () => {
  const table = new ServedTable();
  const [one, other, elsewhere] = [
    served("a", "v1", "one"),
    served("a", "v2", "other"),
    served("b", "v1", "x"),
  ];
  for (const each of [one, other, elsewhere]) table.add(each);
  expect(Array.from(table.inGroup("a"), pathOf)).toEqual(["a/v1/one", "a/v2/other"]);
  expect(table.anyVersion("a", "other")).toBe(other);
  expect(table.anyVersion("b", "other")).toBeUndefined();
  expect([table.hasGroupVersion("a", "v2"), table.hasGroupVersion("b", "v2")]).toEqual([true, false]);
  table.remove(other.resource);
  expect([table.hasGroupVersion("a", "v2"), table.hasGroupVersion("a", "v1")]).toEqual([false, true]);
  table.remove(one.resource);
  expect(Array.from(table.inGroup("a"))).toEqual([]);
  expect(Array.from(table.all(), pathOf)).toEqual(["b/v1/x"]);
});

test("who follows one version of a resource hears of that alone", () => {
  const table = new ServedTable();
  const [mine, other] = [served("a", "v1", "mine"), served("a", "v1", "other")];
  const [heard, all]: [string[], string[]] = [[], []];
  const into = (list: string[]) => (change: ServedChange) =>
    list.push(`${change.type} ${pathOf(change.served)}`);
  const end = table.follow(mine.resource, into(heard));
  table.onChange(into(all));
  for (const each of [mine, other]) table.add(each);
  table.remove(other.resource);
  table.remove(mine.resource);
  // What is not there is not removed again.
  table.remove(mine.resource);
  expect(heard).toEqual(["added a/v1/mine", "removed a/v1/mine"]);
  expect(all).toEqual(["added a/v1/mine", "added a/v1/other", "removed a/v1/other", "removed a/v1/mine"]);
  end();
  table.add(mine);
  expect(heard).toHaveLength(2);
});
