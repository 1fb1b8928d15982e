import { get, metadataOf, namespace, patch, post, put, remove, tableOf, type Sequence } from "../step.ts";
import { collectionOf, kinds, named, type CorpusKind } from "./kinds.ts";

const setup: Sequence = {
  name: "a namespace with a service account",
  steps: [
    post("/api/v1/namespaces", { metadata: { name: namespace } }),
    post(`/api/v1/namespaces/${namespace}/serviceaccounts`, {
      metadata: { name: "default" },
      automountServiceAccountToken: false,
    }),
    get(`/api/v1/namespaces/${namespace}`),
    get("/api/v1/namespaces", tableOf),
  ],
};

/** Every verb on one object, with what goes wrong most often at each. */
function everyVerb(kind: CorpusKind): Sequence {
  const collection = collectionOf(kind);
  const path = `${collection}/verbs`;
  const object = named(kind, "verbs");
  const stale = { metadata: { resourceVersion: "1" } };
  return {
    name: `every verb on ${kind.apiVersion} ${kind.resource}`,
    steps: [
      post(`${collection}?dryRun=All`, object),
      get(path),
      post(`${collection}?fieldManager=tests`, object),
      post(collection, object),
      get(path, { capture: { version: "metadata.resourceVersion", uid: "metadata.uid" } }),
      get(path, tableOf),
      get(path, metadataOf),
      get(collection),
      get(collection, tableOf),
      get(`${collection}?limit=1`),
      get(`${collection}?fieldSelector=metadata.name%3Dverbs`),
      get(`${collection}?fieldSelector=spec.nothing%3Da`),
      get(`${collection}?labelSelector=corpus%3Dkinds,!other`),
      get(`${collection}?labelSelector=corpus%3D%3D%3Dkinds`),
      patch(path, "merge", { body: { metadata: { labels: { merged: "yes" } } } }),
      patch(`${path}?dryRun=All`, "merge", { body: kind.change }),
      patch(path, "merge", { body: kind.change }),
      patch(path, "json", { body: [{ op: "add", path: "/metadata/labels/json", value: "yes" }] }),
      patch(path, "json", { body: [{ op: "test", path: "/metadata/name", value: "other" }] }),
      patch(path, "json", { body: [{ op: "remove", path: "/metadata/labels/none" }] }),
      patch(path, "strategic", { body: { metadata: { labels: { strategic: "yes" } } } }),
      patch(path, "merge", { body: { metadata: { name: "other" } } }),
      patch(path, "merge", { body: stale }),
      patch(path, "merge", { body: { metadata: { uid: "other" } } }),
      put(path, { ...object, metadata: { ...(object["metadata"] as object), resourceVersion: "1" } }),
      put(path, { ...object, metadata: { name: "other" } }),
      put(path, { ...object, apiVersion: "example.com/v1" }),
      put(path, { ...object, kind: "Other" }),
      put(path, object),
      get(`${path}/status`),
      patch(`${path}/status`, "merge", { body: { metadata: { labels: { status: "yes" } } } }),
      get(`${path}/nothing`),
      get(`${collection}/none`),
      put(`${collection}/none`, named(kind, "none")),
      patch(`${collection}/none`, "merge", { body: kind.change }),
      remove(`${collection}/none`),
      remove(path, { preconditions: { uid: "11111111-1111-1111-1111-111111111111" } }),
      remove(path, { preconditions: { resourceVersion: "1" } }),
      remove(`${path}?dryRun=All`),
      remove(path),
      get(path),
    ],
  };
}

/** Creations of which each is refused. */
function refusedCreations(kind: CorpusKind): Sequence {
  const collection = collectionOf(kind);
  const object = named(kind, "refused");
  const withMetadata = (metadata: object) => ({ ...object, metadata });
  return {
    name: `refused creations of ${kind.apiVersion} ${kind.resource}`,
    steps: [
      post(collection, withMetadata({})),
      post(collection, withMetadata({ name: "Not_A:Name/%" })),
      post(collection, withMetadata({ name: "a".repeat(254) })),
      post(collection, withMetadata({ generateName: "Wrong/" })),
      post(collection, withMetadata({ name: "refused", labels: { "a b": "c d" } })),
      post(collection, withMetadata({ name: "refused", annotations: { "a b": "c d" } })),
      post(collection, withMetadata({ name: "refused", finalizers: ["nonsense"] })),
      post(collection, withMetadata({ name: "refused", ownerReferences: [{ kind: "Pod" }] })),
      post(collection, withMetadata({ name: "refused", resourceVersion: "1" })),
      post(collection, withMetadata({ name: "refused", namespace: "other" })),
      post(collection, { ...object, kind: "Other" }),
      post(collection, { ...object, apiVersion: "example.com/v1" }),
      post(collection, ""),
      post(collection, '{"kind": '),
      post(collection, []),
      post(collection, { ...object, metadata: "text" }),
      post(collection, { ...object, metadata: { name: 5 } }),
      ...Object.keys(kind.object).map((field) => post(collection, { ...object, [field]: 5 })),
      ...Object.keys(kind.object).map((field) =>
        post(`${collection}?dryRun=All`, { ...object, [field]: null }),
      ),
      post(`${collection}?dryRun=Some`, object),
      post(`${collection}?fieldManager=${"m".repeat(129)}`, object),
      post(`${collection}?fieldManager=a%07b`, object),
    ],
  };
}

export const verbSequences: readonly Sequence[] = [
  setup,
  ...kinds.map(everyVerb),
  ...kinds.map(refusedCreations),
];
