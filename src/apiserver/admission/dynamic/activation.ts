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

/** What an activation is made of. */
interface ActivationOptions {
  readonly shown: Shown;
  readonly objects: ShownObjects;
  readonly authorizer: Authorizer;
  readonly namespace?: JsonObject | null;
  /** Absent where there is no such variable. */
  readonly params?: KubernetesObject | null;
}

/** Values for the variables that expressions of admission may name; those that cost something are made when asked for. */
export const activationOf = (attributes: Attributes, options: ActivationOptions): AdmissionActivation =>
  new AdmissionActivation(attributes, options);

/** The variables of expressions of admission, as properties. */
export class AdmissionActivation implements Activation {
  readonly [name: string]: unknown;
  readonly object: KubernetesObject | null;
  readonly oldObject: KubernetesObject | null;
  readonly namespaceObject: JsonObject | null;
  readonly params: KubernetesObject | null | undefined;
  /** Results of a policy's own expressions. */
  variables: object | undefined;
  readonly #attributes: Attributes;
  readonly #options: ActivationOptions;
  #facts: JsonObject | undefined;
  #reviewer: AccessReviewer | undefined;

  constructor(attributes: Attributes, options: ActivationOptions) {
    const { objects, namespace = null, params } = options;
    this.object = objects.object ?? null;
    this.oldObject = objects.old ?? null;
    this.namespaceObject = namespace;
    this.params = params;
    this.variables = undefined;
    this.#attributes = attributes;
    this.#options = options;
  }

  get request(): JsonObject {
    return (this.#facts ??= requestFacts(this.#attributes, this.#options.shown));
  }

  get authorizer(): AuthorizerValue {
    return new AuthorizerValue(this.#review());
  }

  get "authorizer.requestResource"(): ResourceCheck {
    const { request, namespace } = this.#attributes;
    return new ResourceCheck(this.#review(), {
      group: request.resource.group,
      resource: request.resource.plural,
      subresource: request.subresource,
      namespace,
      name: request.name,
      fieldSelector: "",
      labelSelector: "",
    });
  }

  #review(): AccessReviewer {
    return (this.#reviewer ??= reviewerFor(this.#attributes.request.user, this.#options.authorizer));
  }
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
