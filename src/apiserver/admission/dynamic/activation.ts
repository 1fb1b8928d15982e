import type { JsonObject, KubernetesObject } from "../../../apimachinery/index.ts";
import { AuthorizerValue, ResourceCheck } from "../../../cel/index.ts";
import type { AccessAnswer, AccessQuestion, AccessReviewer, Activation } from "../../../cel/index.ts";
import type { UserInfo } from "../../../api/index.ts";
import { serviceAccountUser } from "../../authentication/service-account-claims.ts";
import type { Authorizer } from "../../authorization/authorizer.ts";
import { requestFacts } from "./request-facts.ts";
import type { Attributes, Shown } from "./attributes.ts";

/** The objects of a request in the version in which expressions see them. */
export interface ShownObjects {
  readonly object: KubernetesObject | undefined;
  readonly old: KubernetesObject | undefined;
}

/** Values for the variables that expressions of admission may name; those that cost something are made when asked for. */
export function activationOf(
  attributes: Attributes,
  {
    shown,
    objects,
    authorizer,
    namespace = null,
    params,
  }: {
    readonly shown: Shown;
    readonly objects: ShownObjects;
    readonly authorizer: Authorizer;
    readonly namespace?: JsonObject | null;
    /** Absent where there is no such variable. */
    readonly params?: KubernetesObject | null;
  },
): Activation {
  const { request } = attributes;
  let facts: JsonObject | undefined;
  let reviewer: AccessReviewer | undefined;
  const review = () => (reviewer ??= reviewerFor(request.user, authorizer));
  return {
    object: objects.object ?? null,
    oldObject: objects.old ?? null,
    namespaceObject: namespace,
    ...(params === undefined ? {} : { params }),
    get request() {
      return (facts ??= requestFacts(attributes, shown));
    },
    get authorizer() {
      return new AuthorizerValue(review());
    },
    get "authorizer.requestResource"() {
      return new ResourceCheck(review(), {
        group: request.resource.group,
        resource: request.resource.plural,
        subresource: request.subresource,
        namespace: attributes.namespace,
        name: request.name,
        fieldSelector: "",
        labelSelector: "",
      });
    },
  };
}

function reviewerFor(user: UserInfo, authorizer: Authorizer): AccessReviewer {
  return {
    check: (question) => answerOf(question, { user, authorizer }),
    asServiceAccount: (namespace, name) =>
      reviewerFor(serviceAccountUser({ namespace, name, uid: "" }), authorizer),
  };
}

function answerOf(
  question: AccessQuestion,
  { user, authorizer }: { readonly user: UserInfo; readonly authorizer: Authorizer },
): AccessAnswer {
  const { verb } = question;
  const decision =
    question.type === "path"
      ? authorizer.authorize({ type: "path", user, verb, path: question.path })
      : authorizer.authorize({
          type: "resource",
          user,
          verb,
          group: question.group,
          version: "*",
          resource: question.resource,
          subresource: question.subresource,
          namespace: question.namespace,
          name: question.name,
        });
  return { allowed: decision.type === "allow", reason: decision.reason };
}
