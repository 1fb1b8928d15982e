import { ApiError } from "../../../apimachinery/index.ts";
import type { JsonObject, KubernetesObject, Resource } from "../../../apimachinery/index.ts";
import { Namespace } from "../../../api/types/core-v1.ts";
import type { Authorizer } from "../../authorization/authorizer.ts";
import type { ObjectReader } from "../../reader.ts";
import type { ServedTable } from "../../registry/served.ts";
import { activationOf } from "../dynamic/activation.ts";
import type { AdmissionActivation } from "../dynamic/activation.ts";
import type { Attributes, Shown } from "../dynamic/attributes.ts";
import { objectsShown } from "../dynamic/shown.ts";
import type { CompiledRules } from "./compile.ts";
import { shownInScope } from "./match.ts";
import { PolicyConfigurationError, paramResource, paramsOf } from "./params.ts";
import type { BoundPolicy, CompiledBinding } from "./source.ts";

/** What policies are applied with. */
export interface PolicyParts {
  readonly reader: ObjectReader;
  readonly served: ServedTable;
  readonly authorizer: Authorizer;
}

/** What binds a policy to a request. */
type BindingOf<Bound> = Bound extends BoundPolicy<CompiledRules, infer B> ? B : never;

/** A binding of a policy that is for a request, with its parameters; null stands for none. */
export interface BoundParams<Bound extends BoundPolicy> {
  readonly bound: CompiledBinding<BindingOf<Bound>>;
  readonly params: readonly (KubernetesObject | null)[];
}

/** Why a policy, or one of its bindings, cannot be applied to a request. */
export interface Misconfiguration {
  readonly policy: string;
  readonly binding: string | undefined;
  readonly message: string;
}

/** What a policy that is for a request is evaluated with, once for each parameter of each binding. */
export interface Invocations<Bound extends BoundPolicy> {
  /** Absent where nobody can tell. */
  readonly shown?: Shown;
  readonly bindings: readonly BoundParams<Bound>[];
  readonly misconfigured: readonly Misconfiguration[];
}

/** What of a policy is for a request; undefined where nothing is. */
function invocationsOf<Bound extends BoundPolicy>(
  policy: Bound,
  attributes: Attributes,
  parts: PolicyParts,
): Invocations<Bound> | undefined {
  const { name, ignoresFailures, paramKind, scope } = policy.compiled;
  const misconfigured: Misconfiguration[] = [];
  const fail = (error: unknown, binding?: string) => {
    if (!(error instanceof PolicyConfigurationError || error instanceof ApiError)) throw error;
    if (ignoresFailures) return;
    const what = binding === undefined ? "policy" : "binding";
    misconfigured.push({
      policy: name,
      binding,
      message: `failed to configure ${what}: ${error.message}`,
    });
  };
  let shown: Shown | undefined;
  let resource: Resource | undefined;
  try {
    shown = shownInScope(scope, { attributes, ...parts });
    if (!shown) return undefined;
    resource = paramKind && paramResource(paramKind, parts.served).resource;
  } catch (error) {
    fail(error);
    return { bindings: [], misconfigured };
  }
  const bindings: BoundParams<Bound>[] = [];
  for (const bound of policy.bindings as readonly CompiledBinding<BindingOf<Bound>>[]) {
    const { metadata, spec } = bound.binding;
    try {
      if (!shownInScope(bound.scope, { attributes, ...parts })) continue;
      const { namespace } = attributes;
      bindings.push({
        bound,
        params: paramsOf(spec.paramRef, { resource, namespace, reader: parts.reader }),
      });
    } catch (error) {
      fail(error, metadata.name);
    }
  }
  return { shown, bindings, misconfigured };
}

/** A policy that is for a request, and what it is evaluated with. */
export interface PlannedPolicy<Bound extends BoundPolicy> {
  readonly policy: Bound;
  readonly found: Invocations<Bound>;
}

/** All that policies have to do with a request, before any of them does it; throws `Unconverted`. */
export const plannedPolicies = <Bound extends BoundPolicy>(
  policies: readonly Bound[],
  attributes: Attributes,
  parts: PolicyParts,
): readonly PlannedPolicy<Bound>[] =>
  policies.flatMap((policy) => {
    const found = invocationsOf(policy, attributes, parts);
    if (found?.shown) objectsShown(attributes, found.shown);
    return found ? [{ policy, found }] : [];
  });

/** What the expressions of a policy may name, for one request and one parameter. */
export function activationFor(
  { paramKind }: CompiledRules,
  {
    attributes,
    shown,
    param,
    parts,
  }: {
    readonly attributes: Attributes;
    readonly shown: Shown;
    readonly param: KubernetesObject | null;
    readonly parts: PolicyParts;
  },
): AdmissionActivation {
  return activationOf(attributes, {
    shown,
    objects: objectsShown(attributes, shown),
    authorizer: parts.authorizer,
    namespace: namespaceOf(attributes, parts.reader),
    ...(paramKind && { params: param }),
  });
}

/** The namespace of a request; a namespace itself is in none. */
function namespaceOf({ request, namespace, kind }: Attributes, reader: ObjectReader): JsonObject | null {
  if (namespace === "" || (kind.group === "" && kind.kind === "Namespace")) return null;
  const found = reader.get(Namespace, { name: request.namespace });
  if (!found) throw ApiError.notFound({ group: "", resource: "namespaces" }, request.namespace);
  return found as unknown as JsonObject;
}
