import { apiVersionOf } from "../../apimachinery/index.ts";
import type { GroupVersionKind, SchemaRegistry, SubresourceFacts } from "../../apimachinery/index.ts";
import type { ServedResource } from "../discovery/index.ts";

/** An operation of the API, before it is written in either version of OpenAPI. */
export interface Operation {
  readonly path: string;
  readonly method: "get" | "put" | "post" | "delete" | "options" | "head" | "patch";
  /** None of a document that is no resource. */
  readonly action?: string;
  readonly id: string;
  readonly tag: string;
  readonly description: string;
  /** None of a document that is no resource. */
  readonly kind?: GroupVersionKind;
  readonly query: readonly QueryParameter[];
  /** Kind of the body. */
  readonly body?: GroupVersionKind | "patch" | "deleteOptions";
  /** A kind, a definition by its name, or something else. */
  readonly answer:
    | GroupVersionKind
    | { readonly definition: string }
    | "list"
    | "status"
    | "text"
    | "log"
    | "watch"
    | "configuration"
    | "keys";
  readonly codes: readonly (200 | 201 | 202)[];
}

export interface QueryParameter {
  readonly name: string;
  readonly type: "string" | "boolean" | "integer";
  readonly description: string;
}

const text = (name: string, description: string): QueryParameter => ({ name, type: "string", description });
const flag = (name: string, description: string): QueryParameter => ({ name, type: "boolean", description });
const number = (name: string, description: string): QueryParameter => ({
  name,
  type: "integer",
  description,
});

const pretty = text("pretty", "If 'true', the answer is indented.");
const dryRun = text("dryRun", "With the value All, nothing is stored.");
const fieldManager = text("fieldManager", "Name of who makes the change, for the record of field owners.");
const fieldValidation = text(
  "fieldValidation",
  "What to do about unknown and duplicate fields: Ignore, Warn or Strict.",
);
const readParameters = [pretty];
const listParameters = [
  pretty,
  flag("allowWatchBookmarks", "Whether a watch sends events of type BOOKMARK."),
  text("continue", "Token of the page before, to get the page after it."),
  text("fieldSelector", "Restricts the objects by their fields."),
  text("labelSelector", "Restricts the objects by their labels."),
  number("limit", "Most objects to return at once."),
  text("resourceVersion", "Which version of the data to read."),
  text("resourceVersionMatch", "How resourceVersion is meant: Exact or NotOlderThan."),
  flag("sendInitialEvents", "Whether a watch begins with the objects there are."),
  number("timeoutSeconds", "Ends the call after so many seconds."),
  flag("watch", "Whether to watch instead of list."),
];
const writeParameters = [pretty, dryRun, fieldManager, fieldValidation];
const patchParameters = [
  ...writeParameters,
  flag("force", "Whether to take fields from other managers; for apply only."),
];
const deleteParameters = [
  pretty,
  dryRun,
  number("gracePeriodSeconds", "Seconds before the object goes."),
  flag(
    "ignoreStoreReadErrorWithClusterBreakingPotential",
    "Whether to delete an object that cannot be read, skipping its finalizers.",
  ),
  flag("orphanDependents", "Use propagationPolicy instead."),
  text("propagationPolicy", "What becomes of dependents: Orphan, Background or Foreground."),
];
const deleteCollectionParameters = [
  ...deleteParameters,
  ...listParameters.filter(({ name }) => !["pretty", "watch", "allowWatchBookmarks"].includes(name)),
];

export function operationsOf(resource: ServedResource, schemas: SchemaRegistry): readonly Operation[] {
  const base = rootOf(resource);
  const scope = resource.namespaced ? `${base}/namespaces/{namespace}` : base;
  const place: Place = {
    resource,
    collection: `${scope}/${resource.plural}`,
    item: `${scope}/${resource.plural}/{name}`,
    everywhere: `${base}/${resource.plural}`,
  };
  return [
    ...collectionOperations(place),
    ...itemOperations(place),
    ...watchOperations(place, base),
    ...(resource.subresources ?? []).flatMap((subresource) =>
      subresourceOperations(place, subresource, schemas),
    ),
  ];
}

interface Place {
  readonly resource: ServedResource;
  readonly collection: string;
  readonly item: string;
  /** The collection of all namespaces. */
  readonly everywhere: string;
}

interface Row extends Pick<
  Operation,
  "path" | "method" | "action" | "query" | "answer" | "codes" | "description"
> {
  readonly body?: Operation["body"] & {};
  readonly kind?: GroupVersionKind;
  /** Verb and subject of the operation's id. */
  readonly verb: string;
  readonly before?: string;
  readonly after?: string;
}

function operation(resource: ServedResource, row: Row): Operation {
  const { verb, before = "", after = "", body, kind = kindOf(resource), ...rest } = row;
  const scope = resource.namespaced && !after.endsWith("ForAllNamespaces") ? "Namespaced" : "";
  return {
    ...rest,
    kind,
    tag: tagOf(resource),
    id: `${verb}${groupVersionName(resource)}${before}${scope}${resource.kind}${after}`,
    ...(body === undefined ? {} : { body }),
  };
}

function collectionOperations({ resource, collection, everywhere }: Place): readonly Operation[] {
  const own = kindOf(resource);
  const has = (verb: string) => resource.verbs.includes(verb);
  const rows: Row[] = [];
  const list = {
    method: "get",
    action: "list",
    query: listParameters,
    answer: "list",
    codes: [200],
    verb: "list",
  } as const;
  if (has("list")) {
    rows.push({ ...list, path: collection, description: `Lists or watches objects of kind ${own.kind}.` });
    if (resource.namespaced)
      rows.push({
        ...list,
        path: everywhere,
        after: "ForAllNamespaces",
        description: `Lists or watches objects of kind ${own.kind} of all namespaces.`,
      });
  }
  if (has("create")) {
    const description = `Creates ${own.kind}.`;
    rows.push({
      path: collection,
      method: "post",
      action: "post",
      query: writeParameters,
      body: own,
      answer: own,
      codes: [200, 201, 202],
      verb: "create",
      description,
    });
  }
  if (has("deletecollection")) {
    const description = `Deletes many objects of kind ${own.kind}.`;
    rows.push({
      path: collection,
      method: "delete",
      action: "deletecollection",
      query: deleteCollectionParameters,
      body: "deleteOptions",
      answer: "status",
      codes: [200],
      verb: "delete",
      before: "Collection",
      description,
    });
  }
  return rows.map((row) => operation(resource, row));
}

function itemOperations({ resource, item: path }: Place): readonly Operation[] {
  const own = kindOf(resource);
  const rows: Readonly<Record<string, Row>> = {
    get: {
      path,
      method: "get",
      action: "get",
      query: readParameters,
      answer: own,
      codes: [200],
      verb: "read",
      description: `Reads the ${own.kind}.`,
    },
    update: {
      path,
      method: "put",
      action: "put",
      query: writeParameters,
      body: own,
      answer: own,
      codes: [200, 201],
      verb: "replace",
      description: `Replaces the ${own.kind}.`,
    },
    patch: {
      path,
      method: "patch",
      action: "patch",
      query: patchParameters,
      body: "patch",
      answer: own,
      codes: [200, 201],
      verb: "patch",
      description: `Changes parts of the ${own.kind}.`,
    },
    delete: {
      path,
      method: "delete",
      action: "delete",
      query: deleteParameters,
      body: "deleteOptions",
      answer: "status",
      codes: [200, 202],
      verb: "delete",
      description: `Deletes the ${own.kind}.`,
    },
  };
  return Object.entries(rows)
    .filter(([verb]) => resource.verbs.includes(verb))
    .map(([, row]) => operation(resource, row));
}

/** The paths of their own that watches had before they became lists with a parameter. */
function watchOperations(
  { resource, collection, item, everywhere }: Place,
  base: string,
): readonly Operation[] {
  if (!resource.verbs.includes("watch")) return [];
  const watched = (path: string) => `${base}/watch${path.slice(base.length)}`;
  const row = { method: "get", query: listParameters, answer: "watch", codes: [200], verb: "watch" } as const;
  const one = `Watches one ${resource.kind}. Deprecated: watch the list of the one that a fieldSelector chooses.`;
  const all = `Watches objects of kind ${resource.kind}. Deprecated: list them with the parameter watch.`;
  const list = { ...row, action: "watchlist", description: all };
  const rows: Row[] = [
    { ...list, path: watched(collection), after: "List" },
    ...(resource.namespaced ? [{ ...list, path: watched(everywhere), after: "ListForAllNamespaces" }] : []),
    { ...row, path: watched(item), action: "watch", description: one },
  ];
  return rows.map((each) => operation(resource, each));
}

const methods = { create: "post", delete: "delete", get: "get", patch: "patch", update: "put" } as const;
/** With a capital at its start. */
export const capitalized = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

function subresourceOperations(
  { resource, item }: Place,
  subresource: SubresourceFacts,
  schemas: SchemaRegistry,
): readonly Operation[] {
  const { name, verbs } = subresource;
  const kind = {
    group: subresource.group ?? resource.group,
    version: subresource.version ?? resource.version,
    kind: subresource.kind,
  };
  const path = `${item}/${name}`;
  const after = capitalized(name);
  // Options are the query of a call that is passed on: to a node, or into a pod.
  if (subresource.kind.endsWith("Options")) {
    return connectOperations(resource, { path, name, verbs, kind, query: optionParameters(kind, schemas) });
  }
  const rows: Readonly<Record<string, Row>> = {
    create: {
      path,
      method: "post",
      action: "post",
      query: writeParameters,
      body: kind,
      answer: kind,
      codes: [200, 201, 202],
      verb: "create",
      description: `Creates ${name} of the ${resource.kind}.`,
    },
    get: {
      path,
      method: "get",
      action: "get",
      query: readParameters,
      answer: kind,
      codes: [200],
      verb: "read",
      description: `Reads ${name} of the ${resource.kind}.`,
    },
    patch: {
      path,
      method: "patch",
      action: "patch",
      query: patchParameters,
      body: "patch",
      answer: kind,
      codes: [200, 201],
      verb: "patch",
      description: `Changes parts of ${name} of the ${resource.kind}.`,
    },
    update: {
      path,
      method: "put",
      action: "put",
      query: writeParameters,
      body: kind,
      answer: kind,
      codes: [200, 201],
      verb: "replace",
      description: `Replaces ${name} of the ${resource.kind}.`,
    },
  };
  return Object.entries(rows)
    .filter(([verb]) => verbs.includes(verb))
    .map(([, row]) => operation(resource, { ...withLogs(row, subresource, schemas), kind, after }));
}

/** Calls that are passed on. What proxies takes any method, and a path behind it. */
function connectOperations(
  resource: ServedResource,
  call: Pick<Operation, "path" | "query"> & {
    readonly name: string;
    readonly verbs: readonly string[];
    readonly kind: GroupVersionKind;
  },
): readonly Operation[] {
  const { path, name, verbs, kind, query } = call;
  const proxies = name === "proxy";
  const named = verbs.map((verb) => methods[verb as keyof typeof methods]);
  const all = [...named, ...(proxies ? (["options", "head"] as const) : [])];
  const places = [
    { path, after: capitalized(name) },
    ...(proxies ? [{ path: `${path}/{path}`, after: `${capitalized(name)}WithPath` }] : []),
  ];
  return places.flatMap((place) =>
    all.map((method) =>
      operation(resource, {
        ...place,
        method,
        action: "connect",
        query,
        answer: "text",
        codes: [200],
        kind,
        verb: "connect",
        before: capitalized(method),
        description: `Passes ${method.toUpperCase()} on to ${name} of the ${resource.kind}.`,
      }),
    ),
  );
}

/** The log is text, and its options are no kind of the table's. */
function withLogs(row: Row, { name }: SubresourceFacts, schemas: SchemaRegistry): Row {
  if (name !== "log") return row;
  const options = optionParameters({ group: "", version: "v1", kind: "PodLogOptions" }, schemas);
  return { ...row, query: [pretty, ...options], answer: "log" };
}

function optionParameters(kind: GroupVersionKind, schemas: SchemaRegistry): readonly QueryParameter[] {
  const fields = schemas.typeOf(kind)?.fields ?? [];
  return fields
    .filter(({ name, type }) => name !== "kind" && name !== "apiVersion" && type.kind !== "time")
    .map(({ name, type: whole }) => {
      const type = whole.kind === "list" ? whole.element : whole;
      const isNumber = type.kind === "int32" || type.kind === "int64";
      const parameterType = type.kind === "boolean" ? "boolean" : isNumber ? "integer" : "string";
      return { name, type: parameterType, description: `${capitalized(name)} of ${kind.kind}.` };
    });
}

function kindOf({ group, version, kind }: ServedResource): GroupVersionKind {
  return { group, version, kind };
}

/** The words of a group's name. */
export function groupParts(group: string): readonly string[] {
  return (group === "" ? "core" : group.replace(/\.k8s\.io$/, "")).split(".");
}

/** Where a group version's resources are. */
export const rootOf = (names: { readonly group: string; readonly version: string }): string =>
  `${names.group === "" ? "/api" : "/apis"}/${apiVersionOf(names)}`;

/** The words of a group's name and its version. */
export function groupVersionName({ group, version }: Pick<ServedResource, "group" | "version">): string {
  return [...groupParts(group), version].map(capitalized).join("");
}

/** `core_v1`, `rbacAuthorization_v1`; without a version that of a group. */
export function tagOf({ group, version }: { readonly group: string; readonly version?: string }): string {
  const [first = "", ...rest] = groupParts(group);
  const name = `${first}${rest.map(capitalized).join("")}`;
  return version === undefined ? name : `${name}_${version}`;
}
