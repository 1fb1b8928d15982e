import type { FlowClassifier } from "../flow-schemas.ts";
import type { Filter } from "./filter.ts";

/** Says in the answer under which flow schema and priority level the request fell, by their UIDs alone. */
export function withFlowSchema(classifier: FlowClassifier): Filter {
  return (next) => (request) => {
    const { info, headers, user, longRunning } = request;
    if (longRunning && info.verb !== "watch") return next(request);
    const found = classifier.classify(info, user);
    if (found) {
      headers["x-kubernetes-pf-flowschema-uid"] = found.schema.metadata.uid ?? "";
      headers["x-kubernetes-pf-prioritylevel-uid"] = found.level.metadata.uid ?? "";
    }
    return next(request);
  };
}
