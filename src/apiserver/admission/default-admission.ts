import type { Client } from "../../api/index.ts";
import type { Clock, Random } from "../../base/index.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import type { ObjectReader } from "../reader.ts";
import { alwaysAdmit, alwaysDeny } from "./always.ts";
import {
  certificateApproval,
  certificateSigning,
  certificateSubjectRestriction,
  clusterTrustBundleAttest,
} from "./certificates.ts";
import { defaultTolerationSeconds } from "./default-tolerations.ts";
import { eventRateLimit } from "./event-rate-limit.ts";
import { limitRanger } from "./limit-ranger.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import {
  denyServiceExternalIPs,
  namespaceAutoProvision,
  namespaceExists,
  podNodeSelector,
  podTolerationRestriction,
} from "./namespace-options.ts";
import { nodeRestriction } from "./node-restriction.ts";
import { ownerReferencesPermissionEnforcement } from "./owner-references.ts";
import type { FindKinds } from "./owner-references.ts";
import type { AdmissionPlugin } from "./plugin.ts";
import {
  alwaysPullImages,
  extendedResourceToleration,
  limitPodHardAntiAffinityTopology,
} from "./pod-options.ts";
import { podResizeValidator } from "./pod-resize.ts";
import { podSecurity } from "./pod-security/index.ts";
import type { PodSecurityOptions } from "./pod-security/index.ts";
import { podTopologyLabels } from "./pod-topology-labels.ts";
import { priorityAdmission } from "./priority.ts";
import { resourceQuota } from "./resource-quota.ts";
import type { LimitedResource } from "./resource-quota.ts";
import { runtimeClassAdmission } from "./runtime-class.ts";
import { serviceAccountAdmission } from "./service-account.ts";
import {
  defaultIngressClass,
  defaultStorageClass,
  persistentVolumeClaimResize,
  storageObjectInUseProtection,
} from "./storage.ts";
import { taintNodesByCondition } from "./taint-nodes.ts";

/** Which plugins run besides, or instead of, the usual ones; named as upstream's flags. */
export interface AdmissionSelection {
  readonly enableAdmissionPlugins?: readonly string[] | undefined;
  readonly disableAdmissionPlugins?: readonly string[] | undefined;
}

/** What plugins are made with. */
export interface AdmissionOptions extends AdmissionSelection {
  readonly reader: ObjectReader;
  readonly random: Random;
  readonly clock: Clock;
  readonly authorizer: Authorizer;
  /** Books what quotas count, and makes namespaces; it must not be subject to quotas itself. */
  readonly client?: Client | undefined;
  /** Admission policies and webhooks. */
  readonly dynamic?: readonly AdmissionPlugin[];
  readonly podSecurity?: Pick<PodSecurityOptions, "defaults" | "exemptions">;
  /** What may be used only where a quota says so. */
  readonly limitedResources?: readonly LimitedResource[];
  /** The resources of a kind; absent: none is known. */
  readonly findKinds?: FindKinds;
}

interface PluginRow {
  readonly name: string;
  /** Runs only where it is asked for. */
  readonly optional?: true;
  readonly create: (options: AdmissionOptions) => AdmissionPlugin | undefined;
}

const dynamicRow = (name: string): PluginRow => ({
  name,
  create: ({ dynamic = [] }) => dynamic.find((plugin) => plugin.name === name),
});

/** All plugins in upstream's order; policies and webhooks come before quotas, which must see the end result. */
const pluginRows: readonly PluginRow[] = [
  { name: "AlwaysAdmit", optional: true, create: () => alwaysAdmit },
  {
    name: "NamespaceAutoProvision",
    optional: true,
    create: ({ reader, client }) => namespaceAutoProvision({ reader, client }),
  },
  { name: "NamespaceLifecycle", create: ({ reader }) => namespaceLifecycle(reader) },
  { name: "NamespaceExists", optional: true, create: ({ reader }) => namespaceExists(reader) },
  {
    name: "LimitPodHardAntiAffinityTopology",
    optional: true,
    create: () => limitPodHardAntiAffinityTopology,
  },
  { name: "LimitRanger", create: ({ reader }) => limitRanger(reader) },
  { name: "ServiceAccount", create: serviceAccountAdmission },
  // Off by default upstream; every usual way to set up a cluster turns it on, and nodes have their own identities here.
  { name: "NodeRestriction", create: nodeRestriction },
  { name: "TaintNodesByCondition", create: () => taintNodesByCondition },
  { name: "AlwaysPullImages", optional: true, create: () => alwaysPullImages },
  {
    name: "PodSecurity",
    create: ({ reader, clock, podSecurity: settings }) => podSecurity({ reader, clock, ...settings }),
  },
  { name: "PodNodeSelector", optional: true, create: ({ reader }) => podNodeSelector(reader) },
  { name: "Priority", create: ({ reader }) => priorityAdmission(reader) },
  { name: "DefaultTolerationSeconds", create: () => defaultTolerationSeconds },
  {
    name: "PodTolerationRestriction",
    optional: true,
    create: ({ reader }) => podTolerationRestriction(reader),
  },
  { name: "EventRateLimit", optional: true, create: ({ clock }) => eventRateLimit(clock) },
  { name: "ExtendedResourceToleration", optional: true, create: () => extendedResourceToleration },
  { name: "DefaultStorageClass", create: ({ reader }) => defaultStorageClass(reader) },
  { name: "StorageObjectInUseProtection", create: () => storageObjectInUseProtection },
  {
    name: "OwnerReferencesPermissionEnforcement",
    optional: true,
    create: ({ authorizer, findKinds = () => [] }) =>
      ownerReferencesPermissionEnforcement({ authorizer, findKinds }),
  },
  { name: "PersistentVolumeClaimResize", create: ({ reader }) => persistentVolumeClaimResize(reader) },
  { name: "RuntimeClass", create: ({ reader }) => runtimeClassAdmission(reader) },
  { name: "CertificateApproval", create: ({ authorizer }) => certificateApproval(authorizer) },
  { name: "CertificateSigning", create: ({ authorizer }) => certificateSigning(authorizer) },
  { name: "ClusterTrustBundleAttest", create: ({ authorizer }) => clusterTrustBundleAttest(authorizer) },
  { name: "CertificateSubjectRestriction", create: () => certificateSubjectRestriction },
  { name: "DefaultIngressClass", create: ({ reader }) => defaultIngressClass(reader) },
  { name: "DenyServiceExternalIPs", optional: true, create: () => denyServiceExternalIPs },
  { name: "PodTopologyLabels", create: ({ reader }) => podTopologyLabels(reader) },
  { name: "PodResizeValidator", create: ({ reader }) => podResizeValidator(reader) },
  dynamicRow("MutatingAdmissionPolicy"),
  dynamicRow("MutatingAdmissionWebhook"),
  dynamicRow("ValidatingAdmissionPolicy"),
  dynamicRow("ValidatingAdmissionWebhook"),
  { name: "ResourceQuota", create: resourceQuota },
  { name: "AlwaysDeny", optional: true, create: () => alwaysDeny },
];

/** The plugins that run by default or are asked for, in upstream's order. */
export function defaultAdmission(options: AdmissionOptions): readonly AdmissionPlugin[] {
  const { enableAdmissionPlugins = [], disableAdmissionPlugins = [] } = options;
  return pluginRows.flatMap(({ name, optional, create }) => {
    const wanted = optional ? enableAdmissionPlugins.includes(name) : !disableAdmissionPlugins.includes(name);
    return (wanted && create(options)) || [];
  });
}

/** What is wrong with a selection, in the words of upstream's flags; undefined when nothing is. */
export function admissionSelectionProblem(selection: AdmissionSelection): string | undefined {
  const { enableAdmissionPlugins: enabled = [], disableAdmissionPlugins: disabled = [] } = selection;
  const known = new Set(pluginRows.map(({ name }) => name));
  const unknown = (flag: string, names: readonly string[]) =>
    names
      .filter((name) => !known.has(name))
      .map((name) => `${flag} plugin ${JSON.stringify(name)} is unknown`);
  const both = enabled.filter((name) => disabled.includes(name)).sort();
  const [problem] = [
    ...unknown("enable-admission-plugins", enabled),
    ...unknown("disable-admission-plugins", disabled),
    ...(both.length > 0
      ? [`[${both.join(" ")}] in enable-admission-plugins and disable-admission-plugins overlapped`]
      : []),
  ];
  return problem;
}
