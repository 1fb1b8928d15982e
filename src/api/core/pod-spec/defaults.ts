import type { ObjectMeta } from "../../../apimachinery/index.ts";
import { fill, mapField, mapList } from "../../common/fill.ts";
import type { Container, PodSpec, PodTemplateSpec, ResourceList } from "../../types/core-v1.ts";
import { defaultContainer } from "./container-defaults.ts";
import { defaultVolume } from "./volume-defaults.ts";

/** Fills in what the spec of a pod or a template leaves open. */
export function defaultPodSpec(spec: PodSpec): PodSpec {
  let result = fill<PodSpec>(spec, {
    restartPolicy: "Always",
    dnsPolicy: "ClusterFirst",
    securityContext: {},
    terminationGracePeriodSeconds: 30,
    schedulerName: "default-scheduler",
  });
  result = mapField(result, "containers", (containers) => mapList(containers, defaultContainer));
  result = mapField(result, "initContainers", (containers) => mapList(containers, defaultContainer));
  result = mapField(result, "ephemeralContainers", (containers) => mapList(containers, defaultContainer));
  result = mapField(result, "volumes", (volumes) => mapList(volumes, defaultVolume));
  return withServiceAccount(result);
}

/** Fills in a pod template. */
export function defaultPodTemplate(template: PodTemplateSpec | undefined): PodTemplateSpec {
  return {
    ...template,
    metadata: template?.metadata ?? ({} as ObjectMeta),
    spec: defaultPodSpec(template?.spec ?? { containers: [] }),
  };
}

/** What only pods get, not templates: requests from limits, service links, ports of the host's network. */
export function defaultPodOnly(spec: PodSpec): PodSpec {
  const forContainer = (container: Container): Container => {
    const withRequests = requestsFromLimits(container);
    return spec.hostNetwork === true ? withHostPorts(withRequests) : withRequests;
  };
  let result = fill(spec, { enableServiceLinks: true });
  result = mapField(result, "containers", (containers) => mapList(containers, forContainer));
  result = mapField(result, "initContainers", (containers) => mapList(containers, forContainer));
  return mapField(result, "resources", (resources) => ({
    ...resources,
    ...missingRequests(resources.requests, resources.limits),
  }));
}

/** Keeps the deprecated `serviceAccount` equal to `serviceAccountName`. */
export function withServiceAccount(spec: PodSpec): PodSpec {
  const name = spec.serviceAccountName || spec.serviceAccount;
  if (!name || (spec.serviceAccountName === name && spec.serviceAccount === name)) return spec;
  return { ...spec, serviceAccountName: name, serviceAccount: name };
}

function requestsFromLimits(container: Container): Container {
  const { limits, requests } = container.resources ?? {};
  const missing = missingRequests(requests, limits);
  return missing.requests === undefined || missing.requests === requests
    ? container
    : { ...container, resources: { ...container.resources, ...missing } };
}

function missingRequests(
  requests: ResourceList | undefined,
  limits: ResourceList | undefined,
): { requests?: ResourceList } {
  const absent = Object.entries(limits ?? {}).filter(([name]) => requests?.[name] === undefined);
  if (absent.length === 0) return requests === undefined ? {} : { requests };
  return { requests: { ...requests, ...Object.fromEntries(absent) } };
}

function withHostPorts(container: Container): Container {
  return mapField(container, "ports", (ports) =>
    mapList(ports, (port) => (port.hostPort ? port : { ...port, hostPort: port.containerPort })),
  );
}
