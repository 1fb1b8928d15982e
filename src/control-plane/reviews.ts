import type { UserInfo } from "../api/index.ts";
import type { AnswerHandler } from "../apiserver/index.ts";
import {
  evaluateTokenReview,
  selfSubject,
  type TokenAuthenticator,
} from "../apiserver/authentication/index.ts";
import {
  evaluateLocalSubjectAccessReview,
  evaluateSelfSubjectAccessReview,
  evaluateSelfSubjectRulesReview,
  evaluateSubjectAccessReview,
  type Authorizer,
  type RbacAuthorizer,
} from "../apiserver/authorization/index.ts";

/** A review as clients send it: the question is its spec. */
interface Review {
  readonly spec: never;
}

type Answer = (question: { spec: never; user: UserInfo; namespace: string }) => object | Promise<object>;

/** The resources that answer questions of who one is and what one may do; none is stored. */
export function reviewAnswers(options: {
  readonly authorizer: Authorizer;
  readonly rbac: RbacAuthorizer;
  readonly tokens: TokenAuthenticator;
  readonly apiAudiences: readonly string[];
}): Readonly<Record<string, AnswerHandler>> {
  const { authorizer, rbac, tokens, apiAudiences } = options;
  const statusOf =
    (answer: Answer): AnswerHandler =>
    async ({ body, options: { user }, namespace = "" }) => {
      const { spec } = body as unknown as Review;
      return { ...body, status: await answer({ spec, user, namespace }) };
    };
  return {
    "authentication.k8s.io/tokenreviews": statusOf(({ spec }) =>
      evaluateTokenReview({ tokens, apiAudiences }, spec),
    ),
    "authentication.k8s.io/selfsubjectreviews": statusOf(({ user }) => ({ userInfo: selfSubject(user) })),
    "authorization.k8s.io/subjectaccessreviews": statusOf(({ spec }) =>
      evaluateSubjectAccessReview(authorizer, spec),
    ),
    "authorization.k8s.io/selfsubjectaccessreviews": statusOf(({ spec, user }) =>
      evaluateSelfSubjectAccessReview(authorizer, { user, spec }),
    ),
    "authorization.k8s.io/localsubjectaccessreviews": statusOf(({ spec, namespace }) =>
      evaluateLocalSubjectAccessReview(authorizer, { namespace, spec }),
    ),
    "authorization.k8s.io/selfsubjectrulesreviews": statusOf(({ spec, user }) =>
      evaluateSelfSubjectRulesReview(rbac, {
        user,
        namespace: (spec as { namespace?: string }).namespace ?? "",
      }),
    ),
  };
}
