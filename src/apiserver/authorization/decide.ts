import { ApiError } from "../../apimachinery/index.ts";
import type { Attributes, Authorizer, Decision } from "./authorizer.ts";

const administrators = "system:masters";

/** Members of `system:masters` may do everything, whatever the roles say. */
export const administratorAuthorizer: Authorizer = {
  authorize: ({ user }) =>
    user.groups.includes(administrators) ? { type: "allow", reason: "" } : { type: "noOpinion", reason: "" },
};

/** Asks each in turn until one allows or denies. */
export function unionAuthorizer(authorizers: readonly Authorizer[]): Authorizer {
  return {
    authorize(attributes): Decision {
      const reasons: string[] = [];
      for (const authorizer of authorizers) {
        const decision = authorizer.authorize(attributes);
        if (decision.type !== "noOpinion") return decision;
        if (decision.reason !== "") reasons.push(decision.reason);
      }
      return { type: "noOpinion", reason: reasons.join("\n") };
    },
  };
}

/** The error of a request that was not allowed. */
export function forbiddenError(attributes: Attributes, decision: Decision): ApiError {
  const why = forbiddenMessage(attributes);
  const message = decision.reason === "" ? why : `${why}: ${decision.reason}`;
  if (attributes.type === "path") return ApiError.forbidden({ group: "", resource: "" }, "", message);
  const { group, resource, name } = attributes;
  return ApiError.forbidden({ group, resource }, name, message);
}

/** `User "x" cannot list resource "pods" in API group "" at the cluster scope`. */
export function forbiddenMessage(attributes: Attributes): string {
  const head = `User ${JSON.stringify(attributes.user.name)} cannot ${attributes.verb}`;
  if (attributes.type === "path") return `${head} path ${JSON.stringify(attributes.path)}`;
  const { group, resource, subresource, namespace } = attributes;
  const full = subresource === "" ? resource : `${resource}/${subresource}`;
  const where = namespace === "" ? "at the cluster scope" : `in the namespace ${JSON.stringify(namespace)}`;
  return `${head} resource ${JSON.stringify(full)} in API group ${JSON.stringify(group)} ${where}`;
}
