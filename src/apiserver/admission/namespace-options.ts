import type { Client } from "../../api/index.ts";
import { Namespace, Pod, Service } from "../../api/types/core-v1.ts";
import type { Toleration } from "../../api/types/core-v1.ts";
import { ApiError } from "../../apimachinery/index.ts";
import type { ObjectReader } from "../reader.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./plugin.ts";
import { concerns, objectAs, plainError, podOf, refused } from "./request.ts";

const needsNamespace = (request: AdmissionRequest): boolean =>
  request.namespace !== "" && !concerns(request, Namespace);

/** Nothing is done in namespaces that do not exist. */
export const namespaceExists = (reader: ObjectReader): AdmissionPlugin => ({
  name: "NamespaceExists",
  operations: ["CREATE", "UPDATE", "DELETE"],
  validate(request) {
    if (!needsNamespace(request) || reader.get(Namespace, { name: request.namespace })) return;
    throw ApiError.notFound({ group: "", resource: "namespaces" }, request.namespace);
  },
});

/** Namespaces come into being with the first object in them. */
export const namespaceAutoProvision = (options: {
  readonly reader: ObjectReader;
  readonly client: Client | undefined;
}): AdmissionPlugin => ({
  name: "NamespaceAutoProvision",
  operations: ["CREATE"],
  async admit(request) {
    const { reader, client } = options;
    const { namespace: name, object } = request;
    if (request.dryRun || !client || !needsNamespace(request) || reader.get(Namespace, { name }))
      return object;
    try {
      await client.create<Namespace>(Namespace, { metadata: { name } });
    } catch (error) {
      if (!ApiError.is(error, "AlreadyExists")) throw refused(request, (error as Error).message);
    }
    return object;
  },
});

/** Services take over no addresses from outside. */
export const denyServiceExternalIPs: AdmissionPlugin = {
  name: "DenyServiceExternalIPs",
  operations: ["CREATE", "UPDATE"],
  resources: [Service],
  validate(request) {
    const service = objectAs(request, Service);
    const known = new Set((request.old as Service | undefined)?.spec?.externalIPs);
    if ((service?.spec?.externalIPs ?? []).every((address) => known.has(address))) return;
    throw refused(request, "Use of external IPs is denied by admission control");
  },
};

const selectorAnnotation = "scheduler.alpha.kubernetes.io/node-selector";

/** Pods run on the nodes that their namespace's annotation selects. */
export const podNodeSelector = (reader: ObjectReader): AdmissionPlugin => ({
  name: "PodNodeSelector",
  operations: ["CREATE"],
  resources: [Pod],
  admit(request) {
    const pod = podOf(request);
    if (!pod) return request.object;
    const text = reader.get(Namespace, { name: request.namespace })?.metadata.annotations?.[
      selectorAnnotation
    ];
    const wanted = selectorLabels(text ?? "");
    const own = pod.spec.nodeSelector ?? {};
    if (Object.keys(wanted).some((key) => own[key] !== undefined && own[key] !== wanted[key])) {
      throw refused(request, "pod node label selector conflicts with its namespace node label selector");
    }
    if (Object.keys(wanted).length === 0) return request.object;
    return { ...pod, spec: { ...pod.spec, nodeSelector: { ...wanted, ...own } } };
  },
});

/** `a=b,c=d` */
function selectorLabels(text: string): Readonly<Record<string, string>> {
  if (text === "") return {};
  return Object.fromEntries(
    text.split(",").map((part) => {
      const [key = "", value, ...rest] = part.split("=");
      if (value === undefined || rest.length > 0) {
        throw plainError(`invalid selector: ${part}`);
      }
      return [key.trim(), value.trim()];
    }),
  );
}

const tolerationAnnotations = {
  defaults: "scheduler.alpha.kubernetes.io/defaultTolerations",
  allowed: "scheduler.alpha.kubernetes.io/tolerationsWhitelist",
};

/** Pods tolerate what their namespace says they do, and no more than it allows. */
export const podTolerationRestriction = (reader: ObjectReader): AdmissionPlugin => ({
  name: "PodTolerationRestriction",
  operations: ["CREATE", "UPDATE"],
  resources: [Pod],
  admit(request) {
    const pod = podOf(request);
    if (!pod) return request.object;
    const annotations = reader.get(Namespace, { name: request.namespace })?.metadata.annotations ?? {};
    const read = (name: string) => JSON.parse(annotations[name] || "[]") as readonly Toleration[];
    const own = pod.spec.tolerations ?? [];
    const defaults = request.operation === "CREATE" ? read(tolerationAnnotations.defaults) : [];
    const conflict = defaults.some((one) => own.some((other) => overlap(one, other)));
    if (conflict) throw plainError("namespace tolerations and pod tolerations conflict");
    const tolerations = [...defaults, ...own];
    const allowed = read(tolerationAnnotations.allowed);
    if (allowed.length > 0 && !tolerations.every((one) => allowed.some((wider) => covers(wider, one)))) {
      throw plainError(
        "pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist",
      );
    }
    return defaults.length === 0 ? request.object : { ...pod, spec: { ...pod.spec, tolerations } };
  },
});

const operatorOf = ({ operator }: Toleration): string => operator || "Equal";

/** Whether two tolerations are about the same taint and say different things of it. */
function overlap(one: Toleration, other: Toleration): boolean {
  if ((one.key ?? "") !== (other.key ?? "") || (one.effect ?? "") !== (other.effect ?? "")) return false;
  return (
    operatorOf(one) !== operatorOf(other) ||
    (one.value ?? "") !== (other.value ?? "") ||
    one.tolerationSeconds !== other.tolerationSeconds
  );
}

/** Whether the one tolerates all that the other does. */
function covers(wider: Toleration, one: Toleration): boolean {
  if (wider.key && wider.key !== one.key) return false;
  if (wider.effect && wider.effect !== one.effect) return false;
  if (operatorOf(wider) === "Exists") {
    return (
      wider.tolerationSeconds === undefined || (one.tolerationSeconds ?? Infinity) <= wider.tolerationSeconds
    );
  }
  return operatorOf(one) === "Equal" && (wider.value ?? "") === (one.value ?? "");
}
