import type { Container, Pod, ResourceFieldSelector, ResourceList } from "../../api/types/core-v1.ts";
import { milliValue, quantityValue, wholeValue } from "../quantity.ts";

/** What of a pod and its node the downward API shows. */
export interface DownwardContext {
  readonly pod: Pod;
  readonly nodeName: string;
  readonly hostIPs: readonly string[];
  readonly podIPs: readonly string[];
  readonly allocatable: ResourceList;
}

/** The value of a field of the pod, as environment variables and downward API volumes have it. */
export function fieldValue(path: string, context: DownwardContext): string {
  const { pod } = context;
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (subscript) {
    const values = subscript[1] === "labels" ? pod.metadata.labels : pod.metadata.annotations;
    return values?.[subscript[2] ?? ""] ?? "";
  }
  const reader = fields[path];
  if (reader === undefined) throw new Error(`unsupported fieldPath: ${path}`);
  return reader(context);
}

const fields: Readonly<Record<string, (context: DownwardContext) => string>> = {
  "metadata.name": ({ pod }) => pod.metadata.name,
  "metadata.namespace": ({ pod }) => pod.metadata.namespace ?? "",
  "metadata.uid": ({ pod }) => pod.metadata.uid ?? "",
  "metadata.labels": ({ pod }) => pairs(pod.metadata.labels),
  "metadata.annotations": ({ pod }) => pairs(pod.metadata.annotations),
  "spec.nodeName": ({ pod, nodeName }) => pod.spec.nodeName ?? nodeName,
  "spec.serviceAccountName": ({ pod }) => pod.spec.serviceAccountName ?? "",
  "status.hostIP": ({ hostIPs }) => hostIPs[0] ?? "",
  "status.hostIPs": ({ hostIPs }) => hostIPs.join(","),
  "status.podIP": ({ podIPs }) => podIPs[0] ?? "",
  "status.podIPs": ({ podIPs }) => podIPs.join(","),
};

function pairs(values: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(values ?? {})
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join("\n");
}

/** The value of a container's request or limit in units of the divisor; without a limit the node's allocatable counts. */
export function resourceFieldValue(
  selector: ResourceFieldSelector,
  options: { readonly container: Container; readonly allocatable: ResourceList },
): string {
  const [list, ...rest] = selector.resource.split(".");
  const name = rest.join(".");
  const { limits, requests } = options.container.resources ?? {};
  const quantity =
    list === "limits" ? (limits?.[name] ?? options.allocatable[name]) : (requests?.[name] ?? limits?.[name]);
  const divisor =
    selector.divisor === undefined || quantityValue(selector.divisor) === 0 ? "1" : selector.divisor;
  if (name === "cpu") return String(Math.ceil(milliValue(quantity ?? "0") / milliValue(divisor)));
  return String(Math.ceil(wholeValue(quantity ?? "0") / wholeValue(divisor)));
}
