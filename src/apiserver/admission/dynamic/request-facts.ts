import type { JsonObject, JsonValue } from "../../../apimachinery/index.ts";
import type { ServedResource } from "../../registry/served.ts";
import type { Attributes, ObjectKind, Shown } from "./attributes.ts";

/** The fields of an AdmissionRequest but for its uid and its objects; empty ones are left out, as upstream does. */
export function requestFacts(attributes: Attributes, shown: Shown): JsonObject {
  const { request, served, kind, namespace } = attributes;
  const { subresource, name, operation, dryRun } = request;
  return {
    kind: kindFacts(shown.kind),
    resource: resourceFacts(shown.served),
    ...(subresource ? { subResource: subresource } : {}),
    requestKind: kindFacts(kind),
    requestResource: resourceFacts(served),
    ...(subresource ? { requestSubResource: subresource } : {}),
    ...(name ? { name } : {}),
    ...(namespace ? { namespace } : {}),
    operation,
    userInfo: userFacts(attributes),
    dryRun,
    options: optionsOf(attributes),
  };
}

const kindFacts = ({ group, version, kind }: ObjectKind): JsonObject => ({ group, version, kind });

const resourceFacts = ({ resource: { group, version, plural } }: ServedResource): JsonObject => ({
  group,
  version,
  resource: plural,
});

function userFacts({ request: { user } }: Attributes): JsonObject {
  const { name, uid, groups, extra = {} } = user;
  const hasExtra = Object.keys(extra).length > 0;
  return {
    ...(name ? { username: name } : {}),
    ...(uid ? { uid } : {}),
    ...(groups.length > 0 ? { groups: [...groups] } : {}),
    ...(hasExtra ? { extra } : {}),
  };
}

const kinds = { CREATE: "CreateOptions", UPDATE: "UpdateOptions", DELETE: "DeleteOptions" };

/** The options as an object; a connection has none. */
function optionsOf({ request }: Attributes): JsonValue {
  const { operation, dryRun, given = {} } = request;
  if (operation === "CONNECT") return null;
  const base = {
    kind: kinds[operation],
    apiVersion: "meta.k8s.io/v1",
    ...(dryRun ? { dryRun: ["All"] } : {}),
  };
  if (operation !== "DELETE") {
    const { fieldManager, fieldValidation } = given.asked ?? given;
    return {
      ...base,
      ...(fieldManager ? { fieldManager } : {}),
      ...(fieldValidation ? { fieldValidation } : {}),
    };
  }
  const { gracePeriodSeconds, preconditions, propagationPolicy } = given.delete ?? {};
  return {
    ...base,
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(preconditions ? { preconditions: preconditions as JsonObject } : {}),
    ...(propagationPolicy ? { propagationPolicy } : {}),
  };
}
