import { DecodeError, decodeValue } from "../../apimachinery/codec/index.ts";
import { schemas } from "../schema.ts";

/** The JSON value in an annotation; annotations are the user's, so what cannot be read counts as absent. */
export function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return undefined;
  }
}

/** A value as a type of the API group, such as `v1.MetricSpec`; undefined where it is none. */
export function readAs<T>(value: unknown, type: string): T | undefined {
  const model = schemas.model(`io.k8s.api.autoscaling.${type}`);
  if (model?.type.kind !== "struct") return undefined;
  try {
    return decodeValue(value, model.type).object as T;
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
