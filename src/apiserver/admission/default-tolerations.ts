import { Pod } from "../../api/types/core-v1.ts";
import type { Toleration } from "../../api/types/core-v1.ts";
import type { AdmissionPlugin } from "./plugin.ts";
import { podOf } from "./request.ts";

const tolerationSeconds = 300;

const tolerates = (toleration: Toleration, key: string): boolean =>
  (!toleration.key || toleration.key === key) && (!toleration.effect || toleration.effect === "NoExecute");

/** Lets pods stay five minutes on nodes that are not ready or not reachable, unless they say otherwise. */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: "DefaultTolerationSeconds",
  operations: ["CREATE", "UPDATE"],
  resources: [Pod],
  admit(request) {
    const pod = podOf(request);
    if (!pod) return request.object;
    const tolerations = pod.spec.tolerations ?? [];
    const missing = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"].filter(
      (key) => !tolerations.some((toleration) => tolerates(toleration, key)),
    );
    if (missing.length === 0) return request.object;
    const added = missing.map((key): Toleration => ({
      key,
      operator: "Exists",
      effect: "NoExecute",
      tolerationSeconds,
    }));
    return { ...pod, spec: { ...pod.spec, tolerations: [...tolerations, ...added] } };
  },
};
