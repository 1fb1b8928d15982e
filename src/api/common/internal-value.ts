import type { FieldError, FieldPath, GroupVersionFacts } from "../../apimachinery/index.ts";
import { fieldErrors } from "../../apimachinery/index.ts";
import { groupVersionFacts } from "../schema.ts";
import { semanticallyEqual } from "./equal.ts";
import { omit } from "./fill.ts";

/** Structs of which messages show the JSON form: they are the same inside of the server and outside. */
const sharedPackage = "io.k8s.apimachinery.";
const zeroOf: Readonly<Record<string, unknown>> = {
  string: "",
  bool: false,
  "io.k8s.apimachinery.pkg.api.resource.Quantity": "0",
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": 0,
  "io.k8s.apimachinery.pkg.apis.meta.v1.Time": null,
  "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": null,
  "io.k8s.apimachinery.pkg.runtime.RawExtension": null,
  "io.k8s.apimachinery.pkg.types.UID": "",
};

/**
 * A value of a type of the facts as upstream's messages show it: fields have the names of the server's own types,
 * and none is left out.
 */
export function internalValue(value: unknown, type: string): unknown {
  return convert(value, type);
}

/** As `immutable`, for values that messages show in their internal form. */
export function immutableValue(
  path: FieldPath,
  change: { readonly next: unknown; readonly old: unknown; readonly type: string },
): FieldError[] {
  const { next, old, type } = change;
  if (semanticallyEqual(next, old)) return [];
  return [fieldErrors.invalid(path, internalValue(next, type), "field is immutable")];
}

function convert(value: unknown, type: string): unknown {
  const isAbsent = value === undefined || value === null;
  if (type.startsWith("*")) return isAbsent ? null : convert(value, type.slice(1));
  if (type === "[]byte") return value ?? null;
  if (type.startsWith("[]")) {
    return Array.isArray(value) ? value.map((element) => convert(element, type.slice(2))) : null;
  }
  if (type.startsWith("map[")) {
    if (isAbsent) return null;
    const valueType = type.slice(type.indexOf("]") + 1);
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([key, inner]) => [key, convert(inner, valueType)]));
  }
  if (type in zeroOf) return value ?? zeroOf[type];
  if (type.startsWith(sharedPackage)) return isAbsent ? {} : inOrder(value, type);
  return type.includes(".") ? convertNamed(value, type) : (value ?? 0);
}

/** A value of a struct that is shared as JSON has it: fields in their order, keys of maps in that of the alphabet. */
function inOrder(value: unknown, type: string): unknown {
  if (type.startsWith("[]") && Array.isArray(value)) {
    return value.map((element) => inOrder(element, type.slice(2)));
  }
  if (type.startsWith("map[")) return convert(value, "map[string]string");
  const { owner, definition } = definitionOf(type.replace("*", ""));
  if (definition?.k !== "struct" || typeof value !== "object" || value === null) return value;
  const given = value as Readonly<Record<string, unknown>>;
  const result: Record<string, unknown> = {};
  for (const { j: key = "", t } of definition.f ?? []) {
    if (given[key] !== undefined) result[key] = inOrder(given[key], qualified(t, owner));
  }
  return result;
}

function definitionOf(type: string) {
  const end = type.lastIndexOf(".");
  const [owner, name] = [type.slice(0, end), type.slice(end + 1)];
  const facts = packages().get(owner);
  return { owner, definition: facts?.types[name], beneath: facts?.enums[name]?.t };
}

function convertNamed(value: unknown, type: string): unknown {
  const { owner, definition, ...enumeration } = definitionOf(type);
  if (definition?.k !== "struct") {
    const beneath = definition?.t ?? enumeration.beneath ?? "string";
    return convert(value, qualified(beneath, owner));
  }
  const given = (value ?? {}) as Readonly<Record<string, unknown>>;
  const result: Record<string, unknown> = {};
  for (const field of definition.f ?? []) {
    const fieldType = qualified(field.t, owner);
    if (field.in === 1) Object.assign(result, convert(given, fieldType));
    // Metadata is part of the struct that has it.
    else if (fieldType === metadataType) Object.assign(result, convert(given[field.j ?? ""], fieldType));
    else result[field.n] = convert(given[field.j ?? ""], fieldType);
  }
  return shapes[type]?.(result) ?? result;
}

const metadataType = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/** Types of the server whose fields are others, or stand in another order, than those of the API. */
const shapes: Readonly<Record<string, (fields: Fields) => Fields>> = {
  "io.k8s.api.core.v1.PodSpec": internalPodSpec,
  "io.k8s.api.core.v1.Volume": (volume) => withMoved(volume, { FlexVolume: ["Quobyte"] }),
};

type Fields = Readonly<Record<string, unknown>>;

const hostFields = ["HostNetwork", "HostPID", "HostIPC", "ShareProcessNamespace", "HostUsers"];
const movedInPods = {
  Affinity: ["SetHostnameAsFQDN"],
  DNSConfig: ["PreemptionPolicy"],
  EnableServiceLinks: ["Overhead"],
};

/** What a pod shares with its node is part of its security. */
function internalPodSpec(spec: Fields): Fields {
  const rest = omit(spec, "DeprecatedServiceAccount", ...hostFields);
  const context = rest["SecurityContext"] ?? convert({}, "io.k8s.api.core.v1.PodSecurityContext");
  const shared = Object.fromEntries(hostFields.map((name) => [name, spec[name]]));
  return { ...withMoved(rest, movedInPods), SecurityContext: { ...shared, ...(context as Fields) } };
}

/** The fields, with those that stand before another one put there. */
function withMoved(fields: Fields, before: Readonly<Record<string, readonly string[]>>): Fields {
  const moved = new Set(Object.values(before).flat());
  const result: Record<string, unknown> = {};
  for (const name of Object.keys(fields)) {
    for (const earlier of before[name] ?? []) result[earlier] = fields[earlier];
    if (!moved.has(name)) result[name] = fields[name];
  }
  return result;
}

/** A type's name with its package, where it names one of the same package as `.Name`. */
const qualified = (type: string, owner: string) =>
  type.replace(/(^|[*\]])\.(?=[A-Z])/, (_, before: string) => `${before}${owner}.`);

let known: ReadonlyMap<string, GroupVersionFacts> | undefined;

function packages(): ReadonlyMap<string, GroupVersionFacts> {
  known ??= new Map(groupVersionFacts.map((facts) => [facts.package, facts]));
  return known;
}
