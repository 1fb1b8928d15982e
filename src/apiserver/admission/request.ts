import { Pod } from "../../api/types/core-v1.ts";
import { ApiError } from "../../apimachinery/index.ts";
import type { Resource } from "../../apimachinery/index.ts";
import type { AdmissionRequest } from "./plugin.ts";

/** Whether the request is for the resource itself, not for a subresource. */
export function concerns(request: AdmissionRequest, resource: Resource<never> | Resource): boolean {
  return (
    request.subresource === "" &&
    request.resource.plural === resource.plural &&
    request.resource.group === resource.group
  );
}

/** The object as one of the resource's; undefined when the request is for something else. */
export function objectAs<T extends object>(request: AdmissionRequest, resource: Resource<T>): T | undefined {
  return concerns(request, resource as Resource) ? (request.object as unknown as T) : undefined;
}

/** The pod that a request writes; undefined when it writes something else. */
export const podOf = (request: AdmissionRequest): Pod | undefined => objectAs(request, Pod);

/** `pods "web" is forbidden: why`. */
export function refused(request: AdmissionRequest, why: string): ApiError {
  const { group, plural } = request.resource;
  const metadata = request.object?.metadata;
  const name = request.name || metadata?.name || metadata?.generateName || "Unknown";
  return ApiError.forbidden({ group, resource: plural }, name, why);
}

/** Several problems as upstream's aggregate shows them: each once. */
export function joinProblems(problems: readonly string[]): string {
  const distinct = [...new Set(problems)];
  return distinct.length === 1 ? (distinct[0] ?? "") : `[${distinct.join(", ")}]`;
}

/** Marks pods that mirror a static pod of a node. */
export const mirrorAnnotation = "kubernetes.io/config.mirror";

/** A refusal without a reason, as upstream's plain errors reach clients. */
export const plainError = (message: string): ApiError => new ApiError({ message, reason: "", code: 500 });
