/** Any JSON value; deeply read-only, since objects are shared and never changed in place. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}
/** The set of fields that a manager owns, in the `f:`, `k:`, `v:` notation of server-side apply. */
export type FieldsV1 = JsonObject;
