import { otherNamespace } from "../registry/create.ts";
import { ApiError, FieldPath, fieldErrors, timestampOf } from "../../apimachinery/index.ts";
import type { TokenRequest, TokenReview } from "../../api/types/authentication-v1.ts";
import type {
  LocalSubjectAccessReview,
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
} from "../../api/types/authorization-v1.ts";
import { ServiceAccount } from "../../api/types/core-v1.ts";
import { evaluateTokenReview, selfSubject } from "../authentication/index.ts";
import type { TokenAuthenticator, TokenIssuer } from "../authentication/index.ts";
import {
  evaluateLocalSubjectAccessReview,
  evaluateSelfSubjectAccessReview,
  evaluateSelfSubjectRulesReview,
  evaluateSubjectAccessReview,
} from "../authorization/index.ts";
import type { Authorizer, RbacAuthorizer } from "../authorization/index.ts";
import type { AnswerHandler, PostHandler } from "../registry/context.ts";
import type { AnyObject } from "../registry/entry.ts";
import { manageUpdate } from "../registry/field-manager.ts";
import type { ObjectReader } from "../reader.ts";

export interface ReviewOptions {
  readonly authorizer: Authorizer;
  /** Absent where roles do not decide: rules reviews are then refused. */
  readonly rbac?: RbacAuthorizer;
  readonly tokens: TokenAuthenticator;
  /** Whom tokens must be for by default. */
  readonly apiAudiences: readonly string[];
}

/** Answers to the reviews of the groups authentication.k8s.io and authorization.k8s.io, by `group/plural`. */
export function reviewAnswers(options: ReviewOptions): Readonly<Record<string, AnswerHandler>> {
  const { authorizer, rbac } = options;
  const answers: Readonly<Record<string, AnswerHandler>> = {
    "authorization.k8s.io/subjectaccessreviews": async ({ body }) => {
      const review = typed<SubjectAccessReview>(body);
      return { ...body, status: evaluateSubjectAccessReview(authorizer, review) };
    },
    "authorization.k8s.io/selfsubjectaccessreviews": async ({ body, options: { user } }) => {
      const review = typed<SelfSubjectAccessReview>(body);
      return { ...body, status: evaluateSelfSubjectAccessReview(authorizer, { ...review, user }) };
    },
    "authorization.k8s.io/localsubjectaccessreviews": async ({ body, namespace = "" }) => {
      const review = typed<LocalSubjectAccessReview>(body);
      return { ...body, status: evaluateLocalSubjectAccessReview(authorizer, { ...review, namespace }) };
    },
    "authorization.k8s.io/selfsubjectrulesreviews": async ({ body, options: { user } }) => {
      if (!rbac) throw ApiError.badRequest("rules are not known to the authorizer");
      const { spec } = typed<SelfSubjectRulesReview>(body);
      const namespace = spec.namespace ?? "";
      return { ...body, status: evaluateSelfSubjectRulesReview(rbac, { user, namespace }) };
    },
    "authentication.k8s.io/tokenreviews": async ({ body }) => {
      const { spec } = typed<TokenReview>(body);
      return { ...body, status: await evaluateTokenReview(options, spec) };
    },
    "authentication.k8s.io/selfsubjectreviews": async ({ body, options: { user } }) => ({
      ...body,
      status: { userInfo: selfSubject(user) },
    }),
  };
  return Object.fromEntries(
    Object.entries(answers).map(([name, handler]) => [name, (request) => handler(asCreated(request))]),
  );
}

/** The review as if it were stored: in the namespace of the request, with its manager. */
function asCreated(request: Parameters<AnswerHandler>[0]): Parameters<AnswerHandler>[0] {
  const { core, served, options, namespace = "" } = request;
  const { namespace: given = "", ...rest } = request.body.metadata;
  if (given !== "" && namespace !== "" && given !== namespace) {
    throw otherNamespace();
  }
  const metadata = (namespace === "" ? rest : { ...rest, namespace }) as AnyObject["metadata"];
  const object = { ...request.body, metadata };
  const now = core.clock.now();
  const body = manageUpdate(served, { object, old: undefined, now, table: core.served, request: options });
  return { ...request, body };
}

const tokens = { group: "authentication.k8s.io", kind: "TokenRequest" } as const;

/** A request for a token need not say whose, but must not say another name than its path. */
function checkTokenName(name: string, { metadata }: AnyObject): void {
  if (!metadata.name || metadata.name === name) return;
  const why = "must match the service account name if specified";
  const path = FieldPath.root("metadata").child("name");
  throw ApiError.invalid(tokens, name, [fieldErrors.invalid(path, metadata.name, why)]);
}

/** Answers `serviceaccounts/token`. */
export function tokenRequests(options: {
  readonly issuer: TokenIssuer;
  readonly reader: ObjectReader;
}): Readonly<Record<string, PostHandler>> {
  const { issuer, reader } = options;
  return {
    "/serviceaccounts/token": async ({ core, key, body }) => {
      checkTokenName(key.name, body);
      const serviceAccount = reader.get(ServiceAccount, key);
      if (!serviceAccount) throw ApiError.notFound({ group: "", resource: "serviceaccounts" }, key.name);
      const { uid } = serviceAccount.metadata;
      const given = body.metadata.uid;
      if (given && given !== uid) {
        const why = `the UID in the token request (${given}) does not match the UID of the service account (${uid})`;
        throw ApiError.conflict({ group: tokens.group, resource: tokens.kind }, key.name, why);
      }
      const { spec } = typed<TokenRequest>(body);
      const creationTimestamp = timestampOf(core.clock.now());
      return {
        ...body,
        metadata: { ...body.metadata, ...key, uid, creationTimestamp },
        ...(await issuer.issue({ serviceAccount, spec })),
      };
    },
  };
}

/** The body as its kind's type: it was decoded as that kind. */
function typed<T>(body: AnyObject): T {
  return body as unknown as T;
}
