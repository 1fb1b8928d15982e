import type { JsonObject } from "../json.ts";
import type { StructType } from "../schema/types.ts";
import { compareObjects, type Comparison } from "./compare.ts";
import { recursiveDifference, type FieldSet } from "./field-set.ts";

/** An object as of one version of its kind. */
export interface Versioned {
  readonly object: JsonObject;
  /** Absent when nothing is known of the kind. */
  readonly type: StructType | undefined;
}

/** The object as of another version; undefined when that is not served any more. */
export type Convert = (object: JsonObject, apiVersion: string) => Versioned | undefined;

/** What a write says of versions: managers own fields of the version that they wrote. */
export interface VersionedWrite {
  readonly type: StructType | undefined;
  readonly apiVersion: string;
  /** Without it all versions have the same fields. */
  readonly convert?: Convert | undefined;
  /** Fields that a write of this kind does not change, e.g. `statusFields` for the main resource. */
  readonly resetFields?: FieldSet | undefined;
}

/** The object as of a version, from the version that is written. */
export function asOf(write: VersionedWrite, object: JsonObject, apiVersion: string): Versioned | undefined {
  if (apiVersion === write.apiVersion || write.convert === undefined) return { object, type: write.type };
  return write.convert(object, apiVersion);
}

/** How two states differ as of each version; undefined when a version is not served. Each is compared once. */
export class Comparisons {
  readonly #write: VersionedWrite;
  readonly #old: JsonObject | undefined;
  readonly #object: JsonObject;
  readonly #known = new Map<string, Comparison | undefined>();

  constructor(write: VersionedWrite, old: JsonObject | undefined, object: JsonObject) {
    this.#write = write;
    this.#old = old;
    this.#object = object;
  }

  of(apiVersion: string): Comparison | undefined {
    if (this.#known.has(apiVersion)) return this.#known.get(apiVersion);
    const comparison = this.#compare(apiVersion);
    this.#known.set(apiVersion, comparison);
    return comparison;
  }

  #compare(apiVersion: string): Comparison | undefined {
    const write = this.#write;
    const object = asOf(write, this.#object, apiVersion);
    const old = this.#old === undefined ? undefined : asOf(write, this.#old, apiVersion);
    if (object === undefined || (this.#old !== undefined && old === undefined)) return undefined;
    const { changed, removed } = compareObjects(old?.object, object.object, object.type);
    const { resetFields } = write;
    if (resetFields === undefined) return { changed, removed };
    return {
      changed: recursiveDifference(changed, resetFields),
      removed: recursiveDifference(removed, resetFields),
    };
  }
}
