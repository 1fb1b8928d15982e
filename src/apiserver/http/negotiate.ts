import { ApiError } from "../../apimachinery/index.ts";
import type { Exchange } from "./exchange.ts";

export type MediaType =
  | "application/json"
  | "application/yaml"
  | "application/vnd.kubernetes.protobuf"
  | "application/cbor";

/** How an answer is written: its encoding, and the form into which the object is put. */
export interface Negotiated {
  readonly mediaType: MediaType;
  readonly convert: "none" | "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList";
  /** Version of meta.k8s.io of the form. */
  readonly metaVersion: "v1" | "v1beta1";
  readonly pretty: boolean;
}

/** What an endpoint can answer. */
export interface Offer {
  /** Whether CBOR is among the encodings: upstream's gate CBORServingAndStorage, off by default. */
  readonly cbor?: boolean;
  /** Whether it turns objects into tables and their metadata. */
  readonly convertible?: boolean;
  /** Whether tables are among that; default: true. */
  readonly tables?: boolean;
  /** Whether it serves custom resources, which have no protobuf form. */
  readonly custom?: boolean;
  /** Whether it also lists and watches: its answers may be streams. */
  readonly streams?: boolean;
  /** Whether this answer is a stream of events. */
  readonly watch?: boolean;
}

type Asked = Pick<Exchange, "headers" | "query">;

const plainTypes: readonly MediaType[] = [
  "application/json",
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
];
const typesWithCbor: readonly MediaType[] = [...plainTypes, "application/cbor"];

/** The encodings of objects, in the order in which they are named and preferred. */
export const mediaTypesOf = ({ cbor = false }: Offer): readonly MediaType[] =>
  cbor ? typesWithCbor : plainTypes;

/** YAML has no form for streams. */
const streamTypesOf = (offer: Offer): readonly string[] =>
  mediaTypesOf(offer)
    .filter((type) => type !== "application/yaml")
    .map((type) => (type === "application/cbor" ? "application/cbor-seq" : `${type};stream=watch`));

/** JSON on one line: what errors are written in when nothing else can be agreed on. */
export const plainJson: Negotiated = {
  mediaType: "application/json",
  convert: "none",
  metaVersion: "v1",
  pretty: false,
};

/** Chooses among the encodings that the client accepts; throws `NotAcceptable` in upstream's words. */
export function negotiate(asked: Asked, offer: Offer = {}): Negotiated {
  const { accept } = asked.headers;
  const pretty = wantsPretty(asked);
  const base = pretty ? { ...plainJson, pretty } : plainJson;
  if (!accept || accept === "application/json" || accept === "*/*") return base;
  const types = mediaTypesOf(offer);
  admit(accept, offer.streams ? [...types, ...streamTypesOf(offer)] : types);
  const chosen = choose(accept, types, (clause, type) => formOf(clause, type, offer));
  if (chosen === undefined) throw onlyAccepted(types);
  if (offer.watch === true && chosen.mediaType === "application/yaml") {
    throw onlyAccepted(streamTypesOf(offer));
  }
  return pretty ? { ...chosen, pretty } : chosen;
}

/** Nothing of what the client accepts can be written. */
export const onlyAccepted = (types: readonly string[]): ApiError =>
  ApiError.notAcceptable(`only the following media types are accepted: ${types.join(", ")}`);

/** As `negotiate`, for what is never converted: errors, documents. Undefined means that nothing was agreed on. */
export function negotiatePlain(asked: Asked, offer: Pick<Offer, "cbor">): Negotiated | undefined {
  const { accept } = asked.headers;
  const pretty = wantsPretty(asked);
  const restrictions = { ...offer, served: "" };
  const chosen = accept
    ? choose(accept, mediaTypesOf(offer), (clause, type) => formOf(clause, type, restrictions))
    : plainJson;
  return chosen && pretty ? { ...chosen, pretty } : chosen;
}

/** The encoding for a client that wants the document of all groups; undefined when none of its choices is that. */
export function negotiateAggregated(asked: Asked, offer: Pick<Offer, "cbor">): Negotiated | undefined {
  const { accept } = asked.headers;
  if (!accept) return undefined;
  const chosen = choose(accept, mediaTypesOf(offer), ({ parameters }, mediaType) => {
    const { as, g: group, v: version, ...others } = parameters;
    const isWanted = as === "APIGroupDiscoveryList" && group === "apidiscovery.k8s.io" && version === "v2";
    return isWanted ? formOf({ parameters: others }, mediaType, { ...offer, served: "" }) : undefined;
  });
  return chosen && wantsPretty(asked) ? { ...chosen, pretty: true } : chosen;
}

/**
 * Upstream's router looks at the header first: one of the types, parameters aside, must be there letter for letter,
 * or all must be welcome.
 */
export function admit(accept: string | undefined, produced: readonly string[]): void {
  if (!accept) return;
  for (const range of accept.split(",")) {
    const type = (range.split(";")[0] ?? "").trim();
    if (type === "*/*" || produced.includes(type)) return;
  }
  const message = `406: Not Acceptable\n\nAvailable representations: ${produced.join(", ")}`;
  throw ApiError.notAcceptable(message, {});
}

interface Restrictions extends Offer {
  /** The version of the server's own options that may be asked for. */
  readonly served?: string;
}

function choose(
  accept: string,
  types: readonly MediaType[],
  formIn: (clause: Clause, mediaType: MediaType) => Negotiated | undefined,
): Negotiated | undefined {
  for (const clause of clausesOf(accept)) {
    for (const mediaType of types) {
      if (!matches(clause.type, mediaType)) continue;
      const form = formIn(clause, mediaType);
      if (form !== undefined) return form;
    }
  }
  return undefined;
}

interface Clause {
  /** `application/json`, `application/*` or `*` + `/*`. */
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly quality: number;
}

const maximumClauses = 32;

/** Best first, as upstream sorts them; what is no type is passed over. */
function clausesOf(accept: string): readonly Clause[] {
  const clauses: Clause[] = [];
  for (const part of accept.split(",", maximumClauses)) {
    const [range = "", ...rest] = part.split(";");
    const [type = "", subtype, ...more] = range.split("/").map((word) => word.trim());
    if (more.length > 0 || (subtype === undefined && type !== "*")) continue;
    const parameters: Record<string, string> = {};
    for (const parameter of rest) {
      const equals = parameter.indexOf("=");
      if (equals >= 0) parameters[parameter.slice(0, equals).trim()] = parameter.slice(equals + 1).trim();
    }
    const { q, ...others } = parameters;
    const quality = q === undefined ? 1 : Number(q);
    clauses.push({
      type: `${type}/${subtype ?? "*"}`,
      parameters: others,
      quality: Number.isFinite(quality) ? quality : 0,
    });
  }
  const generality = ({ type }: Clause) => (type.startsWith("*") ? 2 : type.endsWith("*") ? 1 : 0);
  return clauses.sort((left, right) => right.quality - left.quality || generality(left) - generality(right));
}

function matches(wanted: string, type: string): boolean {
  if (wanted === type || wanted === "*/*") return true;
  return wanted.endsWith("/*") && type.startsWith(wanted.slice(0, -1));
}

/** The form that the parameters ask for, if the endpoint has it in this encoding. */
function formOf(
  { parameters }: Pick<Clause, "parameters">,
  mediaType: MediaType,
  restrictions: Restrictions,
): Negotiated | undefined {
  const { stream, sv, pretty, as, g: group, v: version } = parameters;
  if (stream && (stream !== "watch" || mediaType === "application/yaml")) return undefined;
  if (sv && sv !== (restrictions.served ?? "v1")) return undefined;
  const base = { ...plainJson, mediaType, pretty: pretty === "1" };
  const isProtobuf = mediaType === "application/vnd.kubernetes.protobuf";
  if (as === undefined && group === undefined && version === undefined) {
    return restrictions.custom && isProtobuf ? undefined : base;
  }
  if (!restrictions.convertible || group !== "meta.k8s.io") return undefined;
  if (version !== "v1" && version !== "v1beta1") return undefined;
  if (as === "Table") {
    return isProtobuf || restrictions.tables === false
      ? undefined
      : { ...base, convert: as, metaVersion: version };
  }
  if (as !== "PartialObjectMetadata" && as !== "PartialObjectMetadataList") return undefined;
  return { ...base, convert: as, metaVersion: version };
}

const truths: readonly string[] = ["1", "t", "T", "TRUE", "true", "True"];
/** Programs in which people look at answers. */
const humanAgents = ["curl", "Wget", "Mozilla/5.0"];

/** Whether the client wants line breaks; programs that people use are taken to want them unless they say. */
function wantsPretty({ headers, query }: Asked): boolean {
  const said = query.get("pretty");
  if (said) return truths.includes(said);
  const agent = headers["user-agent"];
  return agent !== undefined && humanAgents.some((known) => agent.startsWith(known));
}
