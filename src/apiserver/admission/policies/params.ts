import { labelSelectorOf, selectorMatches } from "../../../apimachinery/index.ts";
import type { KubernetesObject, Resource } from "../../../apimachinery/index.ts";
import type { ParamKind, ParamRef } from "../../../api/types/admissionregistration-v1.ts";
import type { ObjectReader } from "../../reader.ts";
import type { ServedResource, ServedTable } from "../../registry/served.ts";

/** What is wrong with a policy or a binding, so that it cannot be applied. */
export class PolicyConfigurationError extends Error {
  override readonly name = "PolicyConfigurationError";
}

/** The resource of a policy's parameters; throws `PolicyConfigurationError` where nobody serves it. */
export function paramResource(
  { apiVersion = "", kind = "" }: ParamKind,
  served: ServedTable,
): ServedResource {
  for (const candidate of served.all()) {
    if (candidate.apiVersion === apiVersion && candidate.resource.kind === kind) return candidate;
  }
  const shown = apiVersion.includes("/") ? apiVersion : `/${apiVersion}`;
  throw new PolicyConfigurationError(
    `failed to find resource referenced by paramKind: '${shown}, Kind=${kind}'`,
  );
}

/** The parameters that a binding chooses; null stands for none. Throws `PolicyConfigurationError`. */
export function paramsOf(
  paramRef: ParamRef | undefined,
  {
    resource,
    namespace,
    reader,
  }: {
    readonly resource: Resource | undefined;
    /** That of the request. */
    readonly namespace: string;
    readonly reader: ObjectReader;
  },
): readonly (KubernetesObject | null)[] {
  if (!resource || !paramRef) return [null];
  if (paramRef.namespace && !resource.namespaced) {
    throw new PolicyConfigurationError(
      "paramRef.namespace must not be provided for a cluster-scoped `paramKind`",
    );
  }
  const within = resource.namespaced ? paramRef.namespace || namespace : undefined;
  if (within === "") {
    throw new PolicyConfigurationError(
      "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources",
    );
  }
  const found = chosen(paramRef, { resource, within, reader });
  if (found.length === 0 && paramRef.parameterNotFoundAction === "Deny") {
    throw new PolicyConfigurationError(
      "no params found for policy binding with `Deny` parameterNotFoundAction",
    );
  }
  return found;
}

function chosen(
  { name, selector }: ParamRef,
  {
    resource,
    within,
    reader,
  }: { readonly resource: Resource; readonly within: string | undefined; readonly reader: ObjectReader },
): readonly KubernetesObject[] {
  if (name) {
    const object = reader.get(resource, { name, namespace: within });
    return object ? [object] : [];
  }
  const wanted = labelSelectorOf(selector ?? {});
  return reader.list(resource, within).filter(({ metadata }) => selectorMatches(wanted, metadata.labels));
}
