import { expect } from "vitest";
import type { Api, Body } from "./api.ts";

/** A kind's objects and what is done to them. */
export interface Lifecycle {
  readonly apiVersion: string;
  readonly kind: string;
  readonly resource: string;
  /** Absent for kinds of the whole cluster. */
  readonly namespace?: string;
  /** The object with a number; names are the resource's with that number. */
  readonly object: (index: number) => object;
  /** Names where they are no choice. */
  readonly name?: (index: number) => string;
  /** A merge patch of the status, with something in the status that must be there afterwards. */
  readonly status?: object;
  readonly statusVerb?: "status" | "approval";
}

const label = "e2e-test";

/** Runs objects of a kind through discovery and every verb, with a watch that sees it. */
export async function runLifecycle(api: Api, lifecycle: Lifecycle): Promise<void> {
  const { apiVersion, kind, resource, namespace, object } = lifecycle;
  await expectDiscovered(api, lifecycle);
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const collection = `${root}/${namespace === undefined ? "" : `namespaces/${namespace}/`}${resource}`;
  const nameOf = lifecycle.name ?? ((index: number) => `${resource}-${index}`);
  const selector = `labelSelector=${label}%3D${resource}`;
  const labelled = (index: number) => ({
    apiVersion,
    kind,
    metadata: { name: nameOf(index), labels: { [label]: resource } },
    ...object(index),
  });

  const first = await api.create(collection, labelled(0));
  expect(first).toMatchObject({ kind, apiVersion, metadata: { name: nameOf(0) } });
  expect((await api.send(collection, { method: "POST", body: labelled(0) })).status).toBe(409);
  for (const index of [1, 2]) await api.create(collection, labelled(index));
  const path = `${collection}/${nameOf(0)}`;
  expect((await api.get(path)).metadata.uid).toBe(first.metadata.uid);
  const list = await api.get(`${collection}?${selector}`);
  expect(list.items.map(({ metadata }) => metadata.name)).toEqual([0, 1, 2].map(nameOf));
  expect((await api.get(`${root}/${resource}?${selector}`)).items).toHaveLength(3);

  const from = `${collection}?watch=true&${selector}&resourceVersion=${list.metadata.resourceVersion}`;
  const patched = await api.patch(path, { metadata: { annotations: { patched: "true" } } });
  expect(patched.metadata.annotations).toMatchObject({ patched: "true" });
  const current = await api.get(path);
  const annotations = { ...current.metadata.annotations, updated: "true" };
  const updated = await api.update(path, { ...current, metadata: { ...current.metadata, annotations } });
  expect(updated.metadata.annotations).toMatchObject({ patched: "true", updated: "true" });
  if (lifecycle.status !== undefined) await changeStatus(api, path, lifecycle);

  await api.delete(path);
  await api.until(`${collection}?${selector}`, ({ items }) => items.length === 2);
  expect((await api.send(path)).status).toBe(404);
  await api.delete(`${collection}?${selector}`);
  await api.until(`${collection}?${selector}`, ({ items }) => items.length === 0);

  const events = await api.watch(from, (seen) => seen.filter(({ type }) => type === "DELETED").length === 3);
  const ofFirst = events.filter(({ object: { metadata } }) => metadata.name === nameOf(0));
  const noted = (name: string) =>
    ofFirst.some(({ type, object: { metadata } }) => type === "MODIFIED" && metadata.annotations?.[name]);
  expect([noted("patched"), noted("updated"), ofFirst.at(-1)?.type]).toEqual([true, true, "DELETED"]);
}

async function expectDiscovered(api: Api, { apiVersion, resource }: Lifecycle): Promise<void> {
  const [group, version] = apiVersion.split("/");
  if (version !== undefined) {
    const { groups } = (await api.get("/apis")) as Body & { groups: readonly { name: string }[] };
    expect(groups.map(({ name }) => name)).toContain(group);
    const described = await api.get(`/apis/${group}`);
    expect(described["versions"]).toContainEqual({ groupVersion: apiVersion, version });
  }
  const { resources } = (await api.get(
    version === undefined ? `/api/${apiVersion}` : `/apis/${apiVersion}`,
  )) as Body & { resources: readonly { name: string }[] };
  expect(resources.map(({ name }) => name)).toContain(resource);
}

async function changeStatus(api: Api, path: string, { status }: Lifecycle): Promise<void> {
  const statusPath = `${path}/status`;
  const expected = withOthers(status ?? {});
  expect((await api.patch(statusPath, { status }))["status"]).toMatchObject(expected);
  const current = await api.get(statusPath);
  const annotations = { ...current.metadata.annotations, statusUpdated: "true" };
  const body = { ...current, metadata: { ...current.metadata, annotations } };
  expect((await api.update(statusPath, body))["status"]).toMatchObject(expected);
}

/** The status as it is to be, beside conditions that controllers set meanwhile. */
const withOthers = (status: object) =>
  Object.fromEntries(
    Object.entries(status).map(([name, value]) => [
      name,
      name === "conditions" ? (expect.arrayContaining(value as object[]) as unknown) : (value as unknown),
    ]),
  );
