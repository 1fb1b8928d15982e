import type { JsonObject, JsonValue } from "../../apimachinery/index.ts";

/** What an extension server's OpenAPI says of a group version. */
export interface RemoteOpenApi {
  readonly group: string;
  readonly version: string;
  /** Paths of the group version and the definitions that they need; absent: the server has none. */
  readonly swagger?: Swagger | undefined;
  /** Where the server has its document of version 3, with its hash; absent: nowhere. */
  readonly address?: string | undefined;
  /** The server knows no version 3: what it says is translated for those who ask for that. */
  readonly isTranslated?: boolean | undefined;
}

/** The parts of a document of version 2 that differ between servers. */
export interface Swagger {
  readonly paths: JsonObject;
  readonly definitions: JsonObject;
  readonly info?: JsonObject | undefined;
  readonly securityDefinitions?: JsonObject | undefined;
}

const referencePrefix = "#/definitions/";
const kindsExtension = "x-kubernetes-group-version-kind";

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Calls `visit` with the name of each definition that a value refers to. */
function eachReference(value: JsonValue | undefined, visit: (name: string) => void): void {
  if (Array.isArray(value)) for (const item of value as readonly JsonValue[]) eachReference(item, visit);
  if (!isObject(value)) return;
  for (const [key, member] of Object.entries(value)) {
    if (key === "$ref" && typeof member === "string" && member.startsWith(referencePrefix)) {
      visit(member.slice(referencePrefix.length));
    } else eachReference(member, visit);
  }
}

/** The value with definitions under their new names. */
function renamed(value: JsonValue | undefined, names: ReadonlyMap<string, string>): JsonValue | undefined {
  if (Array.isArray(value)) return value.map((item: JsonValue) => renamed(item, names) ?? null);
  if (!isObject(value)) return value;
  return Object.fromEntries<JsonValue | undefined>(
    Object.entries(value).map(([key, member]) => {
      if (key !== "$ref" || typeof member !== "string" || !member.startsWith(referencePrefix)) {
        return [key, renamed(member, names)];
      }
      const name = member.slice(referencePrefix.length);
      return [key, `${referencePrefix}${names.get(name) ?? name}`];
    }),
  );
}

/** What a document of version 2 says of paths with the prefix. */
export function swaggerBelow(document: unknown, prefix: string): Swagger {
  const { paths = {}, definitions = {}, info, securityDefinitions } = (document ?? {}) as Partial<Swagger>;
  const kept = Object.fromEntries(
    Object.entries(isObject(paths) ? paths : {}).filter(([path]) => path.startsWith(prefix)),
  );
  const needed = new Map<string, JsonValue>();
  const add = (name: string): void => {
    const found = isObject(definitions) ? definitions[name] : undefined;
    if (found === undefined || needed.has(name)) return;
    needed.set(name, found);
    eachReference(found, add);
  };
  eachReference(kept, add);
  return { paths: kept, definitions: Object.fromEntries(needed), info, securityDefinitions };
}

/** Whether two definitions say the same, whatever kinds are said to have them. */
function same(one: JsonValue | undefined, other: JsonValue | undefined): boolean {
  return text(one) === text(other);
}

const text = (value: JsonValue | undefined): string =>
  JSON.stringify(value, (key, member: unknown) => {
    if (key === kindsExtension) return undefined;
    if (typeof member !== "object" || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
  }) ?? "";

/** Definitions refer to one another: a name that is found leads to others. */
const mostRounds = 10;

/** How definitions are called beside others: as they were where nothing else has the name. */
function newNames(present: JsonObject, added: JsonObject): ReadonlyMap<string, string> {
  let names = new Map<string, string>();
  const nameOf = (name: string, definition: JsonValue | undefined): string => {
    for (let number = 1; ; number += 1) {
      const candidate = number === 1 ? name : `${name}_v${number}`;
      if (number > 1 && candidate in added) continue;
      const called = renamed(definition, new Map([...names, [name, candidate]]));
      if (!(candidate in present) || same(present[candidate], called)) return candidate;
    }
  };
  for (let round = 0; round < mostRounds; round += 1) {
    const before = names;
    names = new Map(Object.entries(added).map(([name, definition]) => [name, nameOf(name, definition)]));
    if ([...names].every(([name, called]) => before.get(name) === called)) break;
  }
  return names;
}

/** The document with what another server says; its definitions that say something else under a name get another. */
export function withRemote(document: JsonObject, remote: Swagger): JsonObject {
  const { paths, definitions } = document as unknown as Swagger;
  const names = newNames(definitions, remote.definitions);
  const added = Object.entries(remote.definitions)
    .map(([name, definition]) => [names.get(name) ?? name, renamed(definition, names)] as const)
    .filter(([name]) => !(name in definitions));
  const sorted = (entries: readonly (readonly [string, JsonValue | undefined])[]) =>
    Object.fromEntries<JsonValue | undefined>([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    ...document,
    paths: sorted([...Object.entries(renamed(remote.paths, names) as JsonObject), ...Object.entries(paths)]),
    definitions: sorted([...Object.entries(definitions), ...added]),
  };
}
