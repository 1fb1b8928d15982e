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
import type { FieldError } from "../../apimachinery/index.ts";
import type { Attributes, Authorizer } from "./authorizer.ts";
import { nodeNameOf } from "./node.ts";
import { joinErrors } from "./rbac.ts";
import type { RbacAuthorizer } from "./rbac.ts";

const reviewGroup = "authorization.k8s.io";
type Questions = Pick<SubjectAccessReviewSpec, "resourceAttributes" | "nonResourceAttributes">;

/** Answers whether the user named in the spec may do it; throws ApiError `Invalid` when the question is malformed. */
export function evaluateSubjectAccessReview(
  authorizer: Authorizer,
  spec: SubjectAccessReviewSpec,
): SubjectAccessReviewStatus {
  const problems = [...questionProblems(spec), ...subjectProblems(spec)];
  if (problems.length > 0) throw invalid("SubjectAccessReview", problems);
  return answer(authorizer, attributesOf(userOf(spec), spec));
}

/** The same of the user who asks. */
export function evaluateSelfSubjectAccessReview(
  authorizer: Authorizer,
  review: { readonly user: UserInfo; readonly spec: SelfSubjectAccessReviewSpec },
): SubjectAccessReviewStatus {
  const problems = questionProblems(review.spec);
  if (problems.length > 0) throw invalid("SelfSubjectAccessReview", problems);
  return answer(authorizer, attributesOf(review.user, review.spec));
}

/** The same within one namespace, that of the review itself. */
export function evaluateLocalSubjectAccessReview(
  authorizer: Authorizer,
  review: { readonly namespace: string; readonly spec: SubjectAccessReviewSpec },
): SubjectAccessReviewStatus {
  const { namespace, spec } = review;
  const path = FieldPath.root("spec").child("resourceAttributes");
  const problems = [
    ...questionProblems(spec),
    ...subjectProblems(spec),
    ...(spec.resourceAttributes && spec.resourceAttributes.namespace !== namespace
      ? [
          fieldErrors.invalid(
            path.child("namespace"),
            spec.resourceAttributes.namespace ?? "",
            "must match metadata.namespace",
          ),
        ]
      : []),
    ...(spec.nonResourceAttributes
      ? [
          fieldErrors.invalid(
            FieldPath.root("spec").child("nonResourceAttributes"),
            spec.nonResourceAttributes,
            "disallowed on this kind of request",
          ),
        ]
      : []),
  ];
  if (problems.length > 0) throw invalid("LocalSubjectAccessReview", problems);
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

const spec = FieldPath.root("spec");

function questionProblems(asked: Questions): FieldError[] {
  const { resourceAttributes, nonResourceAttributes } = asked;
  if (resourceAttributes && nonResourceAttributes) {
    return [
      fieldErrors.invalid(
        spec.child("nonResourceAttributes"),
        nonResourceAttributes,
        "cannot be specified in combination with resourceAttributes",
      ),
    ];
  }
  if (resourceAttributes || nonResourceAttributes) return [];
  return [
    fieldErrors.invalid(
      spec.child("resourceAttributes"),
      null,
      "exactly one of nonResourceAttributes or resourceAttributes must be specified",
    ),
  ];
}

function subjectProblems(asked: SubjectAccessReviewSpec): FieldError[] {
  if (asked.user || asked.groups?.length) return [];
  return [fieldErrors.invalid(spec.child("user"), "", "at least one of user or group must be specified")];
}

const invalid = (kind: string, problems: readonly FieldError[]) =>
  ApiError.invalid({ group: reviewGroup, kind }, "", problems);
