import { semanticallyEqual } from "../../api/index.ts";
import type { UserInfo } from "../../api/index.ts";
import type {
  ResourceRule,
  NonResourceRule,
  SelfSubjectAccessReviewSpec,
  SubjectAccessReviewSpec,
  SubjectAccessReviewStatus,
  SubjectRulesReviewStatus,
} from "../../api/types/authorization-v1.ts";
import { ApiError, FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import type { FieldError, ObjectMeta } from "../../apimachinery/index.ts";
import type { Attributes, Authorizer } from "./authorizer.ts";
import { nodeNameOf } from "./node.ts";
import { joinErrors } from "./rbac.ts";
import type { RbacAuthorizer } from "./rbac.ts";

const reviewGroup = "authorization.k8s.io";
type Questions = Pick<SubjectAccessReviewSpec, "resourceAttributes" | "nonResourceAttributes">;

interface Review<S> {
  readonly metadata: Partial<ObjectMeta>;
  readonly spec: S;
}

/** Answers whether the user named in the spec may do it; throws ApiError `Invalid` when the question is malformed. */
export function evaluateSubjectAccessReview(
  authorizer: Authorizer,
  { metadata, spec }: Review<SubjectAccessReviewSpec>,
): SubjectAccessReviewStatus {
  check([
    ...questionProblems(spec),
    ...subjectProblems(spec),
    ...selectorProblems(spec),
    ...metadataProblems(metadata, "must be empty"),
  ]);
  return answer(authorizer, attributesOf(userOf(spec), spec));
}

/** The same of the user who asks. */
export function evaluateSelfSubjectAccessReview(
  authorizer: Authorizer,
  { metadata, spec, user }: Review<SelfSubjectAccessReviewSpec> & { readonly user: UserInfo },
): SubjectAccessReviewStatus {
  check([
    ...questionProblems(spec),
    ...selectorProblems(spec),
    ...metadataProblems(metadata, "must be empty"),
  ]);
  return answer(authorizer, attributesOf(user, spec));
}

/** The same within one namespace, that of the review itself. */
export function evaluateLocalSubjectAccessReview(
  authorizer: Authorizer,
  { metadata, spec, namespace }: Review<SubjectAccessReviewSpec> & { readonly namespace: string },
): SubjectAccessReviewStatus {
  const { namespace: _, ...others } = metadata;
  const asked = spec.resourceAttributes;
  const path = specPath.child("resourceAttributes");
  check([
    ...questionProblems(spec),
    ...subjectProblems(spec),
    ...selectorProblems(spec),
    ...metadataProblems(others, "must be empty except for namespace"),
    ...(asked && (asked.namespace ?? "") !== namespace
      ? [fieldErrors.invalid(path.child("namespace"), asked.namespace ?? "", "must match metadata.namespace")]
      : []),
    ...(spec.nonResourceAttributes
      ? [
          fieldErrors.invalid(
            specPath.child("nonResourceAttributes"),
            shown(spec.nonResourceAttributes),
            "disallowed on this kind of request",
          ),
        ]
      : []),
  ]);
  return answer(authorizer, attributesOf(userOf(spec), spec));
}

/** What the user may do in the namespace, as a SelfSubjectRulesReview tells it. */
export function evaluateSelfSubjectRulesReview(
  rbac: RbacAuthorizer,
  review: { readonly user: UserInfo; readonly namespace: string },
): SubjectRulesReviewStatus {
  if (review.namespace === "") throw ApiError.badRequest("no namespace on request");
  const held = rbac.rulesFor(review.user, review.namespace);
  const isNode = nodeNameOf(review.user) !== undefined;
  const errors = [
    ...(isNode ? ["node authorizer does not support user rule resolution"] : []),
    ...held.errors,
  ];
  const resourceRules: ResourceRule[] = [];
  const nonResourceRules: NonResourceRule[] = [];
  for (const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } of held.rules) {
    if (resources?.length) {
      resourceRules.push({
        verbs,
        apiGroups: apiGroups ?? [],
        resources,
        ...(resourceNames?.length ? { resourceNames } : {}),
      });
    }
    if (nonResourceURLs?.length) nonResourceRules.push({ verbs, nonResourceURLs });
  }
  return {
    resourceRules,
    nonResourceRules,
    incomplete: errors.length > 0,
    ...(errors.length > 0 ? { evaluationError: joinErrors(errors) } : {}),
  };
}

function answer(authorizer: Authorizer, attributes: Attributes): SubjectAccessReviewStatus {
  const { type, reason } = authorizer.authorize(attributes);
  return {
    allowed: type === "allow",
    ...(type === "deny" ? { denied: true } : {}),
    ...(reason === "" ? {} : { reason }),
  };
}

function attributesOf(user: UserInfo, spec: Questions): Attributes {
  const asked = spec.resourceAttributes;
  if (asked) {
    return {
      type: "resource",
      user,
      verb: asked.verb ?? "",
      group: asked.group ?? "",
      version: asked.version ?? "",
      resource: asked.resource ?? "",
      subresource: asked.subresource ?? "",
      namespace: asked.namespace ?? "",
      name: asked.name ?? "",
    };
  }
  return {
    type: "path",
    user,
    verb: spec.nonResourceAttributes?.verb ?? "",
    path: spec.nonResourceAttributes?.path ?? "",
  };
}

const userOf = (spec: SubjectAccessReviewSpec): UserInfo => ({
  name: spec.user ?? "",
  groups: spec.groups ?? [],
  ...(spec.uid ? { uid: spec.uid } : {}),
  ...(spec.extra ? { extra: spec.extra } : {}),
});

const specPath = FieldPath.root("spec");

function check(problems: readonly FieldError[]): void {
  // Upstream names no kind here.
  if (problems.length > 0) throw ApiError.invalid({ group: reviewGroup, kind: "" }, "", problems);
}

/** Names of fields as upstream's messages show them. */
const shown = ({ path = "", verb = "" }: NonNullable<Questions["nonResourceAttributes"]>) => ({
  Path: path,
  Verb: verb,
});

function questionProblems({ resourceAttributes, nonResourceAttributes }: Questions): FieldError[] {
  if (resourceAttributes && nonResourceAttributes) {
    const at = specPath.child("nonResourceAttributes");
    const why = "cannot be specified in combination with resourceAttributes";
    return [fieldErrors.invalid(at, shown(nonResourceAttributes), why)];
  }
  if (resourceAttributes || nonResourceAttributes) return [];
  const why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
  return [fieldErrors.invalid(specPath.child("resourceAttributes"), null, why)];
}

function subjectProblems(asked: SubjectAccessReviewSpec): FieldError[] {
  if (asked.user || asked.groups?.length) return [];
  return [fieldErrors.invalid(specPath.child("user"), "", "at least one of user or group must be specified")];
}

/** Reviews are questions: they have no names, and nothing else that objects have. */
function metadataProblems(metadata: Partial<ObjectMeta>, why: string): FieldError[] {
  const { managedFields: _, ...rest } = metadata;
  const isEmpty = semanticallyEqual(rest, {}) || Object.values(rest).every((value) => !value);
  return isEmpty ? [] : [fieldErrors.invalid(FieldPath.root("metadata"), metadata, why)];
}

function selectorProblems({ resourceAttributes }: Questions): FieldError[] {
  const path = specPath.child("resourceAttributes");
  return (["fieldSelector", "labelSelector"] as const).flatMap((field) => {
    const selector = resourceAttributes?.[field];
    return selector === undefined ? [] : oneSelectorProblems(selector, path.child(field));
  });
}

interface Selector {
  readonly rawSelector?: string;
  readonly requirements?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

function oneSelectorProblems({ rawSelector, requirements = [] }: Selector, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (rawSelector && requirements.length > 0) {
    const why = "may not specified at the same time as requirements";
    errors.push(fieldErrors.invalid(path.child("rawSelector"), rawSelector, why));
  }
  if (!rawSelector && requirements.length === 0) {
    const why = `when ${path.text} is specified, requirements or rawSelector is required`;
    errors.push(fieldErrors.required(path.child("requirements"), why));
  }
  for (const [index, { key, operator, values = [] }] of requirements.entries()) {
    const at = path.child("requirements").index(index);
    if (key === "") errors.push(fieldErrors.required(at.child("key"), "must be specified"));
    // Operators that are not known yet are let through: newer clients know them.
    if ((operator === "In" || operator === "NotIn") && values.length === 0) {
      const why = "must be specified when `operator` is 'In' or 'NotIn'";
      errors.push(fieldErrors.required(at.child("values"), why));
    }
    if ((operator === "Exists" || operator === "DoesNotExist") && values.length > 0) {
      const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      errors.push(fieldErrors.forbidden(at.child("values"), why));
    }
  }
  return errors;
}
