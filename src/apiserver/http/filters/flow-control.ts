import type { FlowClassifier } from "../flow-schemas.ts";
import { keepsSeat } from "../metrics/flow-metrics.ts";
import type { FlowMetrics } from "../metrics/flow-metrics.ts";
import type { Filter } from "./filter.ts";

/** Says in the answer under which flow schema and priority level the request fell, by their UIDs alone. */
export function withFlowSchema(options: {
  readonly classifier: FlowClassifier;
  readonly metrics: FlowMetrics;
}): Filter {
  const { classifier, metrics } = options;
  return (next) => (request) => {
    const { info, headers, user, longRunning } = request;
    if (longRunning && keepsSeat(request)) return next(request);
    const found = classifier.classify(info, user);
    if (!found) return next(request);
    headers["x-kubernetes-pf-flowschema-uid"] = found.schema.metadata.uid ?? "";
    headers["x-kubernetes-pf-prioritylevel-uid"] = found.level.metadata.uid ?? "";
    const done = metrics.dispatch(found);
    if (keepsSeat(request)) request.onEnd(done);
    else done();
    return next(request);
  };
}
