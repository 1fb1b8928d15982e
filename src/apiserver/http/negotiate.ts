import { ApiError } from "../../apimachinery/index.ts";

export type MediaType = "application/json" | "application/yaml" | "application/vnd.kubernetes.protobuf";

/** How an answer is written: its encoding, and the form into which the object is put. */
export interface Negotiated {
  readonly mediaType: MediaType;
  readonly convert: "none" | "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList";
  /** Version of meta.k8s.io of the form. */
  readonly metaVersion: "v1" | "v1beta1";
  readonly pretty: boolean;
}

const mediaTypes: readonly MediaType[] = [
  "application/json",
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
];
const plainJson: Negotiated = {
  mediaType: "application/json",
  convert: "none",
  metaVersion: "v1",
  pretty: false,
};

interface Clause {
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly quality: number;
}

/** Chooses among the encodings that the client accepts; throws `NotAcceptable`. */
export function negotiate(
  accept: string | undefined,
  options: { readonly pretty?: boolean; readonly convertible?: boolean } = {},
): Negotiated {
  const pretty = options.pretty ?? false;
  const base = pretty ? { ...plainJson, pretty } : plainJson;
  if (!accept || accept === "application/json" || accept === "*/*") return base;
  const clauses = accept
    .split(",")
    .map(parseClause)
    .sort((left, right) => right.quality - left.quality);
  for (const clause of clauses) {
    const mediaType = mediaTypes.find((type) => matches(clause.type, type));
    if (!mediaType) continue;
    const { as, g: group, v: version } = clause.parameters;
    if (as === undefined) return { ...base, mediaType };
    if (!options.convertible || group !== "meta.k8s.io") continue;
    if (version !== "v1" && version !== "v1beta1") continue;
    if (as !== "Table" && as !== "PartialObjectMetadata" && as !== "PartialObjectMetadataList") continue;
    return { ...base, mediaType, convert: as, metaVersion: version };
  }
  const list = [
    ...mediaTypes,
    "application/json;stream=watch",
    "application/vnd.kubernetes.protobuf;stream=watch",
  ];
  throw ApiError.notAcceptable(
    `only the following media types are accepted: ${(options.convertible ? list : mediaTypes).join(", ")}`,
  );
}

function parseClause(text: string): Clause {
  const [type = "", ...rest] = text.split(";");
  const parameters: Record<string, string> = {};
  for (const part of rest) {
    const equals = part.indexOf("=");
    if (equals > 0) parameters[part.slice(0, equals).trim()] = part.slice(equals + 1).trim();
  }
  const quality = Number(parameters["q"] ?? 1);
  return { type: type.trim().toLowerCase(), parameters, quality: Number.isFinite(quality) ? quality : 1 };
}

function matches(wanted: string, type: string): boolean {
  if (wanted === type || wanted === "*/*") return true;
  return wanted.endsWith("/*") && type.startsWith(wanted.slice(0, -1));
}
