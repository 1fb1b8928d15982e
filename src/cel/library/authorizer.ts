import { isDNS1123Label, isDNS1123Subdomain } from "../../apimachinery/index.ts";
import { boolType, objectType, stringType } from "../check/types.ts";
import { text } from "../values/arguments.ts";
import { EvaluationError, noSuchOverload } from "../values/errors.ts";
import { OpaqueValue, type Value } from "../values/value.ts";
import { fn, method, type Library } from "./library.ts";

/** What an expression asks to be allowed: a path, or a verb on a resource. */
export type AccessQuestion =
  | { readonly type: "path"; readonly path: string; readonly verb: string }
  | {
      readonly type: "resource";
      readonly group: string;
      readonly resource: string;
      readonly subresource: string;
      readonly namespace: string;
      readonly name: string;
      readonly fieldSelector: string;
      readonly labelSelector: string;
      readonly verb: string;
    };

/** What the authorizer says. */
export interface AccessAnswer {
  readonly allowed: boolean;
  readonly reason: string;
  readonly error?: string;
}

/** Answers for the user of a request, or for a service account in its place. */
export interface AccessReviewer {
  check(question: AccessQuestion): AccessAnswer;
  asServiceAccount(namespace: string, name: string): AccessReviewer;
}

/** Types of what leads to a decision. */
export const authorizerType = objectType("kubernetes.authorization.Authorizer");
const pathCheckType = objectType("kubernetes.authorization.PathCheck");
const groupCheckType = objectType("kubernetes.authorization.GroupCheck");
/** Type of the variable `authorizer.requestResource`. */
export const resourceCheckType = objectType("kubernetes.authorization.ResourceCheck");
const decisionType = objectType("kubernetes.authorization.Decision");

abstract class Receiver extends OpaqueValue {
  equals(other: OpaqueValue): boolean {
    return other === this;
  }
}

/** The variable `authorizer`. */
export class AuthorizerValue extends Receiver {
  readonly typeName = authorizerType.name;
  readonly reviewer: AccessReviewer;

  constructor(reviewer: AccessReviewer) {
    super();
    this.reviewer = reviewer;
  }
}

class PathCheck extends Receiver {
  readonly typeName = pathCheckType.name;
  readonly reviewer: AccessReviewer;
  readonly path: string;

  constructor(reviewer: AccessReviewer, path: string) {
    super();
    this.reviewer = reviewer;
    this.path = path;
  }
}

class GroupCheck extends Receiver {
  readonly typeName = groupCheckType.name;
  readonly reviewer: AccessReviewer;
  readonly group: string;

  constructor(reviewer: AccessReviewer, group: string) {
    super();
    this.reviewer = reviewer;
    this.group = group;
  }
}

/** A resource on which a verb may be asked for. */
export type ResourceQuestion = Omit<Extract<AccessQuestion, { type: "resource" }>, "type" | "verb">;

/** The variable `authorizer.requestResource`. */
export class ResourceCheck extends Receiver {
  readonly typeName = resourceCheckType.name;
  readonly reviewer: AccessReviewer;
  readonly question: ResourceQuestion;

  constructor(reviewer: AccessReviewer, question: ResourceQuestion) {
    super();
    this.reviewer = reviewer;
    this.question = question;
  }
}

class Decision extends Receiver {
  readonly typeName = decisionType.name;
  readonly answer: AccessAnswer;

  constructor(answer: AccessAnswer) {
    super();
    this.answer = answer;
  }
}

function as<Wanted>(type: abstract new (...args: never[]) => Wanted, value: Value): Wanted {
  if (!(value instanceof type)) throw noSuchOverload();
  return value;
}

function serviceAccount(value: Value, namespace: Value, name: Value): Value {
  if (isDNS1123Subdomain(text(name)).length > 0) throw new EvaluationError("Invalid service account name");
  if (isDNS1123Label(text(namespace)).length > 0)
    throw new EvaluationError("Invalid service account namespace");
  const { reviewer } = as(AuthorizerValue, value);
  return new AuthorizerValue(reviewer.asServiceAccount(text(namespace), text(name)));
}

const narrowed = (field: keyof ResourceQuestion) => (value: Value, to: Value) => {
  const { reviewer, question } = as(ResourceCheck, value);
  return new ResourceCheck(reviewer, { ...question, [field]: text(to) });
};

const narrowing = (name: keyof ResourceQuestion, id: string) =>
  fn(name, method(id, [resourceCheckType, stringType, resourceCheckType], narrowed(name)));

const answered = (name: string, type: typeof boolType, read: (answer: AccessAnswer) => Value) =>
  fn(
    name,
    method(`decision_${name}`, [decisionType, type], (value) => read(as(Decision, value).answer)),
  );

const emptyQuestion = {
  subresource: "",
  namespace: "",
  name: "",
  fieldSelector: "",
  labelSelector: "",
};

const required = (value: Value, name: string): string => {
  if (text(value).trim() === "") throw new EvaluationError(`${name} must not be empty`);
  return text(value);
};

/** `authorizer.group("").resource("pods").check("list").allowed()` and its like. */
export const authorizerLibrary: Library = {
  name: "kubernetes.authz",
  types: [authorizerType, pathCheckType, groupCheckType, resourceCheckType, decisionType],
  functions: [
    fn(
      "path",
      method("authorizer_path", [authorizerType, stringType, pathCheckType], (value, path) => {
        const { reviewer } = as(AuthorizerValue, value);
        return new PathCheck(reviewer, required(path, "path"));
      }),
    ),
    fn(
      "group",
      method("authorizer_group", [authorizerType, stringType, groupCheckType], (value, group) => {
        const { reviewer } = as(AuthorizerValue, value);
        return new GroupCheck(reviewer, text(group));
      }),
    ),
    fn(
      "serviceAccount",
      method(
        "authorizer_serviceaccount",
        [authorizerType, stringType, stringType, authorizerType],
        serviceAccount,
      ),
    ),
    fn(
      "resource",
      method("groupcheck_resource", [groupCheckType, stringType, resourceCheckType], (value, resource) => {
        const { reviewer, group } = as(GroupCheck, value);
        const question = { ...emptyQuestion, group, resource: required(resource, "resource") };
        return new ResourceCheck(reviewer, question);
      }),
    ),
    narrowing("subresource", "resourcecheck_subresource"),
    narrowing("namespace", "resourcecheck_namespace"),
    narrowing("name", "resourcecheck_name"),
    fn(
      "check",
      method("pathcheck_check", [pathCheckType, stringType, decisionType], (value, verb) => {
        const { reviewer, path } = as(PathCheck, value);
        return new Decision(reviewer.check({ type: "path", path, verb: text(verb) }));
      }),
      method("resourcecheck_check", [resourceCheckType, stringType, decisionType], (value, verb) => {
        const { reviewer, question } = as(ResourceCheck, value);
        return new Decision(reviewer.check({ type: "resource", ...question, verb: text(verb) }));
      }),
    ),
    answered("allowed", boolType, ({ allowed }) => allowed),
    answered("reason", stringType, ({ reason }) => reason),
    answered("errored", boolType, ({ error }) => error !== undefined),
    answered("error", stringType, ({ error }) => error ?? ""),
  ],
};

/** `fieldSelector` and `labelSelector` of a resource that is asked for. */
export const authorizerSelectorsLibrary: Library = {
  name: "kubernetes.authzSelectors",
  functions: [
    narrowing("fieldSelector", "authorizer_fieldselector"),
    narrowing("labelSelector", "authorizer_labelselector"),
  ],
};
