import { invariant } from "../../base/index.ts";
import { drained } from "./drained.ts";
import type { ApiError } from "../../apimachinery/index.ts";
import { encodeCbor, encodeCborEvent, encodeWatchFrame } from "../../apimachinery/codec/index.ts";
import { bookmarkObject } from "../server/client.ts";
import type { Core } from "../registry/context.ts";
import type { Entry } from "../registry/entry.ts";
import type { ServedResource } from "../registry/served.ts";
import type { EntryEvent, EntryWatch } from "../registry/watch.ts";
import { encodeProto, isStoredVersion, typeOfObject } from "./encode.ts";
import type { Exchange, ResponseHeaders } from "./exchange.ts";
import type { Upgrade } from "./listener.ts";
import type { Negotiated } from "./negotiate.ts";
import { partialOf, tableOf } from "./table.ts";
import type { WatchPace } from "./watch-pace.ts";
import type { IncludeObject } from "./table.ts";

/** How many recent events keep their encoded form for other watchers. */
const sharedFrames = 1_024;

/** Encoded events of recent changes: made once, however many watchers write them. */
export class FrameCache {
  private readonly frames = new Map<Entry, Map<string, Uint8Array>>();

  get(entry: Entry, form: string, make: () => Uint8Array): Uint8Array {
    let forms = this.frames.get(entry);
    if (!forms) {
      forms = new Map();
      this.frames.set(entry, forms);
      if (this.frames.size > sharedFrames) {
        const oldest = this.frames.keys().next().value;
        if (oldest) this.frames.delete(oldest);
      }
    }
    const known = forms.get(form);
    if (known) return known;
    const made = make();
    forms.set(form, made);
    return made;
  }
}

/** What holds for all watches of a server. */
export interface WatchSettings {
  /** Watches without a wish of their own end after between once and twice this. */
  readonly shortestSeconds: number;
  /** What is to be told of the size of each event. */
  sizesOf(served: ServedResource): (bytes: number) => void;
}

/** What all watches of a server share. */
export interface SharedWatches {
  readonly frames: FrameCache;
  readonly pace: WatchPace;
}

export interface WatchAnswer {
  readonly core: Core;
  readonly served: ServedResource;
  readonly negotiated: Negotiated;
  readonly includeObject: IncludeObject;
  readonly headers: ResponseHeaders;
  readonly shared: SharedWatches;
  readonly upgrade: Upgrade | undefined;
  readonly onSize: (bytes: number) => void;
  /** Hears that what there was has been sent. */
  readonly onWatching: () => void;
}

/** Writes a watch's events until it ends; settles when the response has ended. */
export async function streamWatch(
  exchange: Exchange,
  source: EntryWatch,
  answer: WatchAnswer,
): Promise<void> {
  const { signal } = exchange;
  const onAbort = () => source.close();
  signal.addEventListener("abort", onAbort, { once: true });
  let sink: EventSink | undefined;
  try {
    sink = await openSink(exchange, answer);
    // An event is no list of metadata: upstream's stream breaks off at the first.
    if (answer.negotiated.convert === "PartialObjectMetadataList") return;
    const { onSize, onWatching, shared } = answer;
    const encode = encoderOf(answer);
    if (sink) await deliver(source, sink, { encode, onSize, onWatching, pace: shared.pace, signal });
  } finally {
    signal.removeEventListener("abort", onAbort);
    source.close();
    sink?.end();
  }
}

/** Events that go into one write. */
const batchEvents = 256;

async function deliver(
  source: EntryWatch,
  sink: EventSink,
  options: {
    readonly encode: Encode;
    readonly onSize: (bytes: number) => void;
    readonly onWatching: () => void;
    readonly pace: WatchPace;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { encode, onSize, onWatching, pace, signal } = options;
  let initial = true;
  for (;;) {
    const events = source.take();
    if (events.length === 0) {
      if (source.ended || signal.aborted) return;
      if (initial) onWatching();
      initial = false;
      await new Promise<void>((resolve) => {
        source.onReady = () => (source.ended ? resolve() : pace.run(resolve));
      });
      continue;
    }
    for (let start = 0; start < events.length && !signal.aborted; start += batchEvents) {
      const parts: Uint8Array[] = [];
      for (const event of events.slice(start, start + batchEvents)) {
        const part = encode(event, { isShared: !initial });
        onSize(part.length);
        parts.push(part);
      }
      if (!sink.write(parts)) await drained(sink, signal);
    }
  }
}

type Encode = (event: EntryEvent, options: { readonly isShared: boolean }) => Uint8Array;

function encoderOf(answer: WatchAnswer): Encode {
  const { served, negotiated, shared } = answer;
  const { mediaType, convert, metaVersion } = negotiated;
  const { fieldAnnotations } = served.definition;
  if (convert === "Table") return tableEncoder(answer);
  const make = (event: EntryEvent): Uint8Array => {
    if (event.type !== "BOOKMARK" && convert === "none" && mediaType === "application/json") {
      if (isStoredVersion(served)) return jsonFrame(event.type, event.entry.json());
    }
    const object =
      event.type === "BOOKMARK" ? bookmarkObject(served, event) : served.fromStored(event.entry.object);
    return frame(
      event.type,
      convert === "none" ? object : partialOf(object, { metaVersion, fieldAnnotations }),
      {
        negotiated,
        served: convert === "none" ? served : undefined,
      },
    );
  };
  const formOf = (type: EntryEvent["type"]) =>
    `${type} ${mediaType} ${convert} ${metaVersion} ${served.apiVersion}`;
  const forms = { ADDED: formOf("ADDED"), MODIFIED: formOf("MODIFIED"), DELETED: formOf("DELETED") };
  return (event, { isShared }) => {
    if (!isShared || event.type === "BOOKMARK") return make(event);
    return shared.frames.get(event.entry, forms[event.type], () => make(event));
  };
}

function tableEncoder(answer: WatchAnswer): Encode {
  const { core, served, negotiated, includeObject } = answer;
  const { metaVersion } = negotiated;
  const { columns, fieldAnnotations } = served.definition;
  let noHeaders = false;
  return (event) => {
    const object =
      event.type === "BOOKMARK" ? bookmarkObject(served, event) : served.fromStored(event.entry.object);
    const { resourceVersion } = object.metadata;
    const table = tableOf(
      columns,
      { objects: [object], metadata: { resourceVersion } },
      { metaVersion, fieldAnnotations, includeObject, now: core.clock.now(), noHeaders },
    );
    noHeaders = true;
    return frame(event.type, table, { negotiated, served: undefined });
  };
}

const jsonEnd = Buffer.from("}\n");

function jsonFrame(type: string, object: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), object, jsonEnd]);
}

/** One event in the encoding of the stream. */
function frame(
  type: string,
  object: object,
  options: { negotiated: Negotiated; served: ServedResource | undefined },
): Uint8Array {
  const { negotiated, served } = options;
  switch (negotiated.mediaType) {
    case "application/json":
      return Buffer.from(`{"type":"${type}","object":${JSON.stringify(object)}}\n`);
    case "application/vnd.kubernetes.protobuf":
      return encodeWatchFrame(type, encodeProto(object, served?.type ?? typeOfObject(object)));
    case "application/cbor":
      return encodeCborEvent(type, encodeCbor(object, served?.type ?? typeOfObject(object)));
    case "application/yaml":
      invariant(false, "YAML has no streams");
  }
}

/** A watch that cannot start: one event says why. */
export async function streamFailure(
  exchange: Exchange,
  error: ApiError,
  answer: Pick<WatchAnswer, "negotiated" | "headers" | "upgrade">,
): Promise<void> {
  const event = frame("ERROR", error.status, { negotiated: answer.negotiated, served: undefined });
  const sink = await openSink(exchange, answer);
  sink?.write([event]);
  sink?.end();
}

/** Where events go: the body of the answer, or a WebSocket. */
interface EventSink {
  /** False: wait for `onDrain` before writing more. */
  write(events: readonly Uint8Array[]): boolean;
  end(): void;
  onDrain(action: () => void): void;
}

/** Undefined when the client was refused. */
async function openSink(
  exchange: Exchange,
  { negotiated, headers, upgrade }: Pick<WatchAnswer, "negotiated" | "headers" | "upgrade">,
): Promise<EventSink | undefined> {
  if (upgrade?.request.headers.upgrade?.toLowerCase() === "websocket") {
    exchange.leftHttp();
    return openSocket(upgrade, negotiated);
  }
  const body = exchange.stream(200, { ...headers, "content-type": streamType(negotiated) });
  return {
    write: (events) => body.write(events.length === 1 ? events[0]! : Buffer.concat(events)),
    end: () => body.end(),
    onDrain: (action) => body.onDrain(action),
  };
}

/** Protobuf's events have their length before them where nothing else keeps them apart. */
const lengthBytes = 4;

/** Each event is a message: text when it is JSON. */
async function openSocket(upgrade: Upgrade, { mediaType }: Negotiated): Promise<EventSink | undefined> {
  const { acceptEvents } = await import("../../streaming/websocket/index.ts");
  const socket = await acceptEvents(upgrade);
  const messageOf = (event: Uint8Array): string | Uint8Array => {
    if (mediaType === "application/json") return Buffer.from(event).toString();
    return mediaType === "application/vnd.kubernetes.protobuf" ? event.subarray(lengthBytes) : event;
  };
  return (
    socket && {
      write: (events) => events.map((event) => socket.send(messageOf(event))).every(Boolean),
      end: () => socket.end(),
      onDrain: (action) => socket.onDrain(action),
    }
  );
}

function streamType({ mediaType }: Negotiated): string {
  // A sequence of items is no single item, so CBOR has a type of its own for it (RFC 8742).
  if (mediaType === "application/cbor") return "application/cbor-seq";
  return mediaType === "application/json" ? mediaType : `${mediaType};stream=watch`;
}
