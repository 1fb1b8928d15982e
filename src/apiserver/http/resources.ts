import { ApiError } from "../../apimachinery/index.ts";
import type { ListMeta } from "../../apimachinery/index.ts";
import { schemas } from "../../api/index.ts";
import type { UserInfo } from "../../api/index.ts";
import { decodeObject } from "../registry/coding.ts";
import { groupResource } from "../registry/context.ts";
import type { Core, RequestOptions, Written } from "../registry/context.ts";
import { create } from "../registry/create.ts";
import { remove, removeCollection } from "../registry/delete.ts";
import type { AnyObject, Entry } from "../registry/entry.ts";
import { patch, patchScale } from "../registry/patch.ts";
import { get, list } from "../registry/read.ts";
import { subresourceKind } from "../registry/recognize.ts";
import type { Wanted } from "../registry/recognize.ts";
import { getScale, scaleKind, updateScale } from "../registry/scale.ts";
import type { ServedResource } from "../registry/served.ts";
import { answererOf, post } from "../registry/subresources.ts";
import { update } from "../registry/update.ts";
import { untilVersion } from "../registry/versions.ts";
import { watch } from "../registry/watch.ts";
import type { EntryWatch } from "../registry/watch.ts";
import type { Annotate, RequestLifetime } from "../admission/plugin.ts";
import type { AuditRecord } from "./audit/record.ts";
import { encodeAny, encodeJsonList, encodeProto, isStoredVersion, itemOf } from "./encode.ts";
import { readDeletion } from "./delete-options.ts";
import type { Exchange, ResponseHeaders } from "./exchange.ts";
import { isApply, mediaTypeOf, readInput, readPatch, routePatch, writeOptions } from "./input.ts";
import { readListOptions } from "./list-query.ts";
import type { Upgrade } from "./listener.ts";
import { negotiate } from "./negotiate.ts";
import type { Negotiated } from "./negotiate.ts";
import type { RequestInfo } from "./request-info.ts";
import { send, sendObject, sendPieces } from "./respond.ts";
import { misplacedForm, partialOf, scaleColumns, tableOf } from "./table.ts";
import type { Columns, IncludeObject } from "./table.ts";
import { streamFailure, streamWatch } from "./watch-stream.ts";
import type { SharedWatches, WatchSettings } from "./watch-stream.ts";

/** A request for a resource, known, authenticated and authorized. */
export interface ResourceCall {
  readonly core: Core;
  readonly exchange: Exchange;
  readonly info: Extract<RequestInfo, { type: "resource" }>;
  readonly served: ServedResource;
  readonly user: UserInfo;
  readonly headers: Record<string, string | readonly string[]>;
  readonly shared: SharedWatches;
  /** Whether clients may speak CBOR. */
  readonly cbor: boolean;
  /** Hears what the client should be warned of. */
  readonly warn: (message: string) => void;
  readonly upgrade: Upgrade | undefined;
  readonly watches: WatchSettings;
  /** Hears that a watch has sent what there was. */
  readonly onWatching: () => void;
  /** What is recorded of the request, if anything is. */
  readonly audit: AuditRecord | undefined;
  /** Until when the answer is waited for. */
  readonly lifetime: RequestLifetime;
  /** Registers a watch so that the server can end it when it closes. */
  readonly track: (end: () => void) => () => void;
}

/** Answers a request for a resource. */
export function serveResource(call: ResourceCall): Promise<void> {
  switch (call.info.verb) {
    case "get":
      return serveGet(call);
    case "list":
      return serveList(call);
    case "watch":
      return serveWatch(call);
    case "create":
      return serveCreate(call);
    case "update":
      return serveUpdate(call);
    case "patch":
      return servePatch(call);
    case "delete":
      return serveDelete(call);
    case "deletecollection":
      return serveDeleteCollection(call);
    default:
      throw ApiError.methodNotSupported(groupResource(call.served), call.info.verb);
  }
}

function keyOf({ info, served }: ResourceCall) {
  return served.resource.namespaced ? { namespace: info.namespace, name: info.name } : { name: info.name };
}

function negotiated(call: ResourceCall, { tables = true }: { tables?: boolean } = {}): Negotiated {
  const { exchange, info, served, cbor } = call;
  const watches = info.verb === "watch";
  return negotiate(exchange, {
    convertible: true,
    tables,
    custom: served.custom,
    streams: watches || info.verb === "list",
    watch: watches,
    cbor,
  });
}

function includeObject(exchange: Exchange): IncludeObject {
  const value = exchange.query.get("includeObject");
  if (value === null || value === "") return "Metadata";
  if (value === "None" || value === "Metadata" || value === "Object") return value;
  const words = `includeObject: Invalid value: ${JSON.stringify(value)}: must be 'Metadata', 'Object', 'None', or empty`;
  throw ApiError.badRequest(`Unable to convert to Table as requested: ${words}`);
}

async function serveGet(call: ResourceCall): Promise<void> {
  const { core, served, info, exchange } = call;
  const form = negotiated(call);
  if (info.subresource === "scale") {
    const showing = getScale(served, keyOf(call));
    const scale = showing instanceof Promise ? await showing : showing;
    return answerMade(call, scale, { columns: scaleColumns, form, status: 200 });
  }
  const behind = untilVersion(core, served, exchange.query.get("resourceVersion") ?? "");
  if (behind) await behind;
  const entry = get(served, keyOf(call));
  const { remote } = served;
  if (remote) await remote.untilShown([entry.object], { anew: true });
  return answerObject(call, { entry, object: served.fromStored(entry.object), status: 200, form });
}

/** Answers one object in the form agreed on; its own bytes where they fit. */
async function answerObject(
  call: ResourceCall,
  answer: { entry: Entry | undefined; object: AnyObject; status: number; form?: Negotiated },
): Promise<void> {
  const { served, exchange, headers } = call;
  const { entry, object, status, form = negotiated(call) } = answer;
  const contentType = form.mediaType;
  const { columns } = served.definition;
  if (form.convert !== "none") return answerForm(call, object, { columns, form, status });
  const own = entry && isStoredVersion(served) && contentType === "application/json" && !form.pretty;
  const body = own ? entry.json({ line: true }) : await encodeAny(object, form, served.type);
  return send(exchange, { status, contentType, headers, body });
}

/** Answers an object that is not of the collection: a scale, a review, a Status, which takes no form. */
function answerMade(
  call: ResourceCall,
  made: object,
  { columns, form, status }: { columns?: Columns; form: Negotiated; status: number },
): Promise<void> {
  const object = made as AnyObject;
  if (form.convert !== "none" && object.kind !== "Status")
    return answerForm(call, object, { columns, form, status });
  const negotiated = { ...form, convert: "none" } as const;
  return sendObject(call.exchange, made, { status, negotiated, headers: call.headers });
}

/** Answers an object as a row of a table, or with its metadata alone. */
function answerForm(
  { exchange, headers, core, served }: ResourceCall,
  object: AnyObject,
  answer: { columns: Columns | undefined; form: Negotiated; status: number },
): Promise<void> {
  const { columns, form, status } = answer;
  const { metaVersion } = form;
  const { fieldAnnotations } = served.definition;
  if (form.convert === "PartialObjectMetadataList") {
    const { apiVersion = "", kind = "" } = object;
    throw misplacedForm(form.convert, { apiVersion, kind, custom: served.custom });
  }
  const { resourceVersion } = object.metadata;
  const shown =
    form.convert === "Table"
      ? tableOf(
          columns,
          { objects: [object], metadata: { resourceVersion } },
          { metaVersion, fieldAnnotations, includeObject: includeObject(exchange), now: core.clock.now() },
        )
      : partialOf(object, { metaVersion, fieldAnnotations });
  return sendObject(exchange, shown, { status, negotiated: form, headers });
}

async function serveList(call: ResourceCall): Promise<void> {
  const { core, served } = call;
  const form = negotiated(call);
  const page = await list(core, served, readListOptions(call));
  return answerList(call, { page, form });
}

async function answerList(
  call: ResourceCall,
  answer: { page: { entries: readonly Entry[]; metadata: ListMeta }; form: Negotiated },
): Promise<void> {
  const { served, exchange, headers } = call;
  const { form } = answer;
  // Upstream knows nothing of the form of custom resources, and leaves nothing out of their lists.
  const isOpen = served.custom && form.convert === "none";
  const page = isOpen ? { ...answer.page, metadata: { continue: "", ...answer.page.metadata } } : answer.page;
  if (form.convert === "none" && form.mediaType === "application/json" && !form.pretty) {
    const pieces = encodeJsonList(served, page);
    return sendPieces(exchange, { status: 200, contentType: form.mediaType, headers, pieces });
  }
  const objects = page.entries.map((entry) => served.fromStored(entry.object));
  const { metaVersion } = form;
  const { columns, fieldAnnotations, rowOrder } = served.definition;
  if (form.convert === "Table") {
    const table = tableOf(
      columns,
      { objects: rowOrder ? [...objects].sort(rowOrder) : objects, metadata: page.metadata },
      { metaVersion, fieldAnnotations, includeObject: includeObject(exchange), now: call.core.clock.now() },
    );
    return sendObject(exchange, table, { status: 200, negotiated: form, headers });
  }
  if (form.convert === "PartialObjectMetadata") {
    const { apiVersion, listKind: kind, custom } = served;
    throw misplacedForm(form.convert, { apiVersion, kind, custom });
  }
  if (form.convert !== "none") {
    const partial = {
      kind: "PartialObjectMetadataList",
      apiVersion: `meta.k8s.io/${metaVersion}`,
      metadata: page.metadata,
      // Upstream has no list to begin with.
      items:
        objects.length === 0
          ? null
          : objects.map((object) => partialOf(object, { metaVersion, fieldAnnotations })),
    };
    return sendObject(exchange, partial, { status: 200, negotiated: form, headers });
  }
  const whole = {
    kind: served.listKind,
    apiVersion: served.apiVersion,
    metadata: page.metadata,
    items: objects.map((object) => itemOf(served, object)),
  };
  if (form.mediaType === "application/vnd.kubernetes.protobuf") {
    const { group, version } = served.resource;
    const type = schemas.typeOf({ group, version, kind: served.listKind });
    const body = encodeProto(whole, served.custom ? undefined : type);
    return send(exchange, { status: 200, contentType: form.mediaType, headers, body });
  }
  return sendObject(exchange, whole, { status: 200, negotiated: form, headers });
}

async function serveWatch(call: ResourceCall): Promise<void> {
  const { core, served, exchange, headers, shared, upgrade, watches } = call;
  const form = negotiated(call);
  const options = readListOptions(call);
  const wished = options.timeoutSeconds ?? 0;
  const seconds = wished === 0 ? watches.shortestSeconds * (1 + core.random.next()) : Math.max(wished, 0);
  const deadline = core.clock.now() + seconds * 1_000;
  let source: EntryWatch;
  try {
    source = await watch(core, served, { ...options, deadline });
  } catch (error) {
    // Clients that fell behind or are ahead learn it in the stream, as from upstream's watch cache.
    if (!ApiError.is(error, "Expired") && !ApiError.is(error, "Timeout")) throw error;
    return streamFailure(exchange, error, { negotiated: form, headers, upgrade });
  }
  const timer = core.clock.after(Math.max(deadline - core.clock.now(), 0), () => source.close());
  const untrack = call.track(() => source.close());
  try {
    await streamWatch(exchange, source, {
      core,
      served,
      negotiated: form,
      includeObject: form.convert === "Table" ? includeObject(exchange) : "None",
      headers,
      shared,
      upgrade,
      onSize: watches.sizesOf(served),
      onWatching: call.onWatching,
    });
  } finally {
    timer.cancel();
    untrack();
  }
}

/** What is spread behind new names costs V8 a tenth of what it costs before them: all writes come here. */
function requestOptions(call: ResourceCall): RequestOptions {
  const { user, warn, lifetime, audit } = call;
  const { dryRun, fieldManager, fieldValidation, asked } = writeOptions(call.exchange);
  const options = { user, dryRun, fieldManager, fieldValidation, asked, warn, lifetime };
  return audit ? { annotate: annotating(audit), ...options } : options;
}

const annotating =
  (audit: AuditRecord): Annotate =>
  (key, value, level) =>
    audit.annotate(key, value, level);

/** Who asks, and what hears of the request while it is carried out. */
function askerOf({ user, warn, audit, lifetime }: ResourceCall): RequestOptions {
  if (!audit) return { user, warn, lifetime };
  return { user, warn, lifetime, annotate: annotating(audit) };
}

/** The object that the body holds, which must be of the kind that is wanted. */
async function readObject(
  call: ResourceCall,
  wanted: Wanted & Pick<ServedResource, "definition">,
  options: RequestOptions,
): Promise<AnyObject> {
  const { apiVersion, resource } = wanted;
  const input = await readInput(call.exchange, { apiVersion, kind: resource.kind }, call);
  const object = decodeObject(wanted, input, options);
  call.audit?.sawObject(object);
  return object;
}

async function serveCreate(call: ResourceCall): Promise<void> {
  const { core, served, exchange, info } = call;
  const answers = answererOf(core, served);
  // An answer is no object of a collection: it has no columns.
  const form = negotiated(call, { tables: answers === undefined && info.subresource === "" });
  // Only here does upstream look at the type of the body before it looks at the options.
  mediaTypeOf(exchange, call);
  const options = requestOptions(call);
  if (info.subresource !== "") {
    const found = served.subresources.find(({ name }) => name === info.subresource);
    const { group, version, kind } = { ...served.resource, ...found };
    const wanted = subresourceKind(served, { group, version, kind });
    if (!wanted) throw ApiError.methodNotSupported(groupResource(served), "create");
    const body = await readObject(
      call,
      found?.accepts ? { ...wanted, accepts: found.accepts } : wanted,
      options,
    );
    const answer = await post(core, served, {
      key: keyOf(call),
      subresource: info.subresource,
      body,
      options,
    });
    return answerMade(call, answer, { form, status: 201 });
  }
  const object = await readObject(call, served, options);
  const namespace = served.resource.namespaced ? info.namespace : undefined;
  if (answers) {
    const answer = await answers({ namespace, body: object, options });
    return answerMade(call, answer, { form, status: 201 });
  }
  const written = await create(core, served, { namespace, object, ...options });
  return answerWritten(call, written, form);
}

function answerWritten(call: ResourceCall, written: Written, form: Negotiated): Promise<void> {
  const { entry, object, created } = written;
  return answerObject(call, { entry, object, status: created ? 201 : 200, form });
}

async function serveUpdate(call: ResourceCall): Promise<void> {
  const { core, served, info } = call;
  const form = negotiated(call);
  const options = requestOptions(call);
  const key = keyOf(call);
  if (info.subresource === "scale") {
    const wanted = subresourceKind(served, scaleKind);
    if (!wanted) throw ApiError.methodNotSupported(groupResource(served), "update");
    const scale = await readObject(call, wanted, options);
    const answer = await updateScale(core, served, { key, scale, ...options });
    return answerMade(call, answer, { columns: scaleColumns, form, status: 200 });
  }
  const object = await readObject(call, served, options);
  const written = await update(core, served, { key, object, subresource: info.subresource, ...options });
  return answerWritten(call, written, form);
}

async function servePatch(call: ResourceCall): Promise<void> {
  const { core, served, exchange, info } = call;
  const type = routePatch(exchange, { custom: served.custom, cbor: call.cbor });
  const form = negotiated(call);
  const options = requestOptions(call);
  const key = keyOf(call);
  const change = await readPatch(exchange, type).catch((error: unknown) => {
    // Upstream reads a patch when it has the object; what is applied needs none.
    if (ApiError.is(error, "BadRequest") && !isApply(type)) get(served, key);
    throw error;
  });
  if (info.subresource === "scale") {
    const answer = await patchScale(core, served, { key, patch: change, ...options });
    return answerMade(call, answer, { columns: scaleColumns, form, status: 200 });
  }
  const written = await patch(core, served, {
    key,
    subresource: info.subresource,
    patch: change,
    ...options,
  });
  return answerWritten(call, written, form);
}

async function serveDelete(call: ResourceCall): Promise<void> {
  const { core, served, exchange, headers } = call;
  const form = negotiated(call);
  const { options, cascades } = await readDeletion(exchange, call);
  const key = keyOf(call);
  const { dryRun } = options;
  const { object, gone } = await remove(core, served, { dryRun, key, delete: options, ...askerOf(call) });
  if (!gone || served.definition.returnsDeleted) {
    return answerObject(call, { entry: undefined, object, status: cascades && !gone ? 202 : 200, form });
  }
  const { group, plural } = served.resource;
  const status = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: {
      name: key.name,
      ...(group === "" ? {} : { group }),
      kind: plural,
      uid: object.metadata.uid,
    },
  };
  return sendObject(exchange, status, { status: 200, negotiated: { ...form, convert: "none" }, headers });
}

async function serveDeleteCollection(call: ResourceCall): Promise<void> {
  const { core, served, exchange } = call;
  const form = negotiated(call);
  const selected = readListOptions(call);
  const { options } = await readDeletion(exchange, call);
  const { dryRun } = options;
  const request = { dryRun, list: selected, delete: options, ...askerOf(call) };
  const page = await removeCollection(core, served, request);
  return answerList(call, { page, form });
}

export type { ResponseHeaders };
