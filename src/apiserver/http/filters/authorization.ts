import { forbiddenError } from "../../authorization/index.ts";
import type { Attributes, Authorizer } from "../../authorization/authorizer.ts";
import type { Clock } from "../../../base/index.ts";
import type { IdentityMetrics } from "../metrics/identity-metrics.ts";
import type { Filter, Incoming } from "./filter.ts";

/** Lets through what its user may do; throws `Forbidden` otherwise. */
export function withAuthorization(options: {
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly metrics: IdentityMetrics;
}): Filter {
  const { authorizer, clock, metrics } = options;
  return (next) => (request) => {
    const attributes = attributesOf(request);
    const started = clock.now();
    const decision = authorizer.authorize(attributes);
    metrics.authorized(decision.type, clock.now() - started);
    request.audit?.annotate("authorization.k8s.io/decision", decision.type === "allow" ? "allow" : "forbid");
    request.audit?.annotate("authorization.k8s.io/reason", decision.reason);
    if (decision.type === "allow") return next(request);
    request.headers["x-content-type-options"] = "nosniff";
    throw forbiddenError(attributes, decision);
  };
}

/** What a request is for, as rights are put. */
export function attributesOf({ info, user }: Pick<Incoming, "info" | "user">): Attributes {
  if (info.type === "path") return { type: "path", user, verb: info.verb, path: info.path };
  const { verb, group, version, resource, subresource, namespace, name } = info;
  return { type: "resource", user, verb, group, version, resource, subresource, namespace, name };
}
