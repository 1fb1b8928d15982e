import { Namespace } from "../../api/types/core-v1.ts";
import { ApiError } from "../../apimachinery/index.ts";
import type { ObjectReader } from "../reader.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./plugin.ts";
import { concerns } from "./request.ts";

const immortal = new Set(["default", "kube-system", "kube-public"]);
const namespaces = { group: "", resource: "namespaces" };

/** Objects live only in namespaces that exist, new ones only in those that do not end; some namespaces never end. */
export function namespaceLifecycle(reader: ObjectReader): AdmissionPlugin {
  const check = (request: AdmissionRequest): void => {
    if (request.operation === "DELETE") {
      if (concerns(request, Namespace) && immortal.has(request.name)) {
        throw ApiError.forbidden(namespaces, request.name, "this namespace may not be deleted");
      }
      return;
    }
    if (!request.resource.namespaced || request.namespace === "") return;
    // Reviews ask about namespaces that may not exist.
    if (request.resource.plural === "localsubjectaccessreviews") return;
    const namespace = reader.get(Namespace, { name: request.namespace });
    if (!namespace) throw ApiError.notFound(namespaces, request.namespace);
    const ends =
      namespace.metadata.deletionTimestamp !== undefined || namespace.status?.phase === "Terminating";
    if (request.operation === "CREATE" && ends) throw terminating(request);
  };
  return {
    name: "NamespaceLifecycle",
    operations: ["CREATE", "UPDATE", "DELETE"],
    admit(request) {
      check(request);
      return request.object;
    },
    validate(request) {
      if (request.operation === "DELETE") check(request);
    },
  };
}

function terminating(request: AdmissionRequest): ApiError {
  const { namespace, resource } = request;
  const name = request.name || request.object?.metadata.name || "";
  const refusal = ApiError.forbidden(
    { group: resource.group, resource: resource.plural },
    name,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
  ).status;
  return new ApiError({
    ...refusal,
    details: {
      ...refusal.details,
      causes: [
        {
          reason: "NamespaceTerminating",
          message: `namespace ${namespace} is being terminated`,
          field: "metadata.namespace",
        },
      ],
    },
  });
}
