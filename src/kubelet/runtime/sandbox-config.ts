import { portProtocol, profileType } from "../../cri/index.ts";
import type { PodSandboxConfig } from "../../cri/index.ts";
import type { Pod } from "../../api/types/core-v1.ts";
import { podDns } from "./dns.ts";
import type { DnsSettings } from "./dns.ts";
import { annotationKeys, labelKeys } from "./labels.ts";
import { namespaceOptions, seccompProfile, supplementalGroups } from "./security-context.ts";

export interface SandboxSettings {
  readonly attempt: number;
  readonly logDirectory: string;
  readonly cgroupParent: string;
  readonly seccompDirectory: string;
  readonly dns: DnsSettings;
}

const longestHostname = 63;

/** A pod's host name and, where it has a subdomain, its domain. */
export function podHostname(pod: Pod, clusterDomain: string): { hostname: string; domain: string } {
  if (pod.spec.hostnameOverride) return { hostname: pod.spec.hostnameOverride, domain: "" };
  const name = pod.spec.hostname || pod.metadata.name;
  const hostname = pod.spec.hostname ? name : name.slice(0, longestHostname).replace(/[-.]+$/, "");
  const domain = pod.spec.subdomain
    ? `${pod.spec.subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}`
    : "";
  return { hostname, domain };
}

/** What the runtime needs to make a pod's sandbox. */
export function sandboxConfig(pod: Pod, settings: SandboxSettings): PodSandboxConfig {
  const { name, uid, namespace = "" } = pod.metadata;
  const { hostname, domain } = podHostname(pod, settings.dns.clusterDomain);
  const fullName = pod.spec.setHostnameAsFQDN && domain !== "" ? `${hostname}.${domain}` : hostname;
  return {
    metadata: { name, uid, namespace, attempt: settings.attempt },
    // Runtimes refuse a host name together with the node's network.
    hostname: pod.spec.hostNetwork ? "" : fullName,
    logDirectory: settings.logDirectory,
    dnsConfig: podDns(pod, settings.dns),
    portMappings: portMappings(pod),
    labels: {
      ...pod.metadata.labels,
      [labelKeys.podName]: name,
      [labelKeys.podNamespace]: namespace,
      [labelKeys.podUid]: uid,
    },
    annotations: { ...pod.metadata.annotations, [annotationKeys.configSource]: "api" },
    linux: {
      cgroupParent: settings.cgroupParent,
      sysctls: Object.fromEntries(
        (pod.spec.securityContext?.sysctls ?? []).map((sysctl) => [sysctl.name, sysctl.value]),
      ),
      securityContext: {
        privileged: pod.spec.containers.some(({ securityContext }) => securityContext?.privileged),
        namespaceOptions: namespaceOptions(pod),
        supplementalGroups: supplementalGroups(pod),
        seccomp: seccompProfile({ type: "RuntimeDefault" }, settings.seccompDirectory),
        apparmor: { profileType: profileType.unconfined },
      },
    },
  };
}

function portMappings(pod: Pod) {
  if (pod.spec.hostNetwork) return [];
  return [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)]
    .flatMap((container) => container.ports ?? [])
    .map((port) => ({
      protocol: portProtocol[port.protocol ?? "TCP"],
      containerPort: port.containerPort,
      hostPort: port.hostPort ?? 0,
      hostIp: port.hostIP ?? "",
    }));
}

const isSidecar = (container: { readonly restartPolicy?: string }) => container.restartPolicy === "Always";
