import type { Clock, Logger, Random } from "../base/index.ts";
import { createInformerFactory } from "../client/index.ts";
import type { InformerFactory } from "../client/index.ts";
import type { Client } from "../api/index.ts";
import {
  approvingController,
  cleanerController,
  signingController,
  trustBundlePublisher,
} from "./certificates/index.ts";
import { clusterRoleAggregationController } from "./clusterroleaggregation/index.ts";
import { cronJobController } from "./cronjob/index.ts";
import { daemonSetController } from "./daemonset/index.ts";
import { deploymentController } from "./deployment/index.ts";
import { disruptionController, stalePodDisruptionController } from "./disruption/index.ts";
import { endpointsController } from "./endpoints/index.ts";
import { endpointSliceController } from "./endpointslice/index.ts";
import { endpointSliceMirroringController } from "./endpointslicemirroring/index.ts";
import { fixedCatalog, managerUser, runEntries } from "./framework/index.ts";
import type { ControllerEntry, ControllerSettings } from "./framework/index.ts";
import { garbageCollector } from "./garbagecollector/index.ts";
import { legacyTokenCleaner, legacyTokensController } from "./legacy-tokens/index.ts";
import { jobController, ttlAfterFinishedController } from "./job/index.ts";
import { namespaceController } from "./namespace/index.ts";
import { claimBinder, volumeBinder } from "./persistentvolume/index.ts";
import { podGarbageCollector } from "./podgc/index.ts";
import { statefulSetController } from "./statefulset/index.ts";
import { nodeLifecycleController, taintEvictionController } from "./nodelifecycle/index.ts";
import { resourceQuotaController } from "./resourcequota/index.ts";
import { replicaSetController, replicationController } from "./replicaset/index.ts";
import {
  rootCertificatePublisher,
  serviceAccountController,
  tokensController,
} from "./serviceaccount/index.ts";
import { addressRepairController, serviceCidrController } from "./servicecidr/index.ts";
import { policyStatusController } from "./validatingadmissionpolicystatus/index.ts";
import { claimProtectionController, volumeProtectionController } from "./volumeprotection/index.ts";

/** Every controller, by the name that upstream's `--controllers` uses. */
export const allControllers: readonly ControllerEntry[] = [
  { name: "deployment-controller", account: "deployment-controller", create: deploymentController },
  { name: "replicaset-controller", account: "replicaset-controller", create: replicaSetController },
  {
    name: "replicationcontroller-controller",
    account: "replication-controller",
    create: replicationController,
  },
  { name: "endpoints-controller", account: "endpoint-controller", create: endpointsController },
  {
    name: "endpointslice-controller",
    account: "endpointslice-controller",
    component: "endpoint-slice-controller",
    create: endpointSliceController,
  },
  {
    name: "endpointslice-mirroring-controller",
    account: "endpointslicemirroring-controller",
    component: "endpoint-slice-mirroring-controller",
    create: endpointSliceMirroringController,
  },
  { name: "garbage-collector-controller", account: "generic-garbage-collector", create: garbageCollector },
  { name: "job-controller", account: "job-controller", create: jobController },
  { name: "cronjob-controller", account: "cronjob-controller", create: cronJobController },
  {
    name: "ttl-after-finished-controller",
    account: "ttl-after-finished-controller",
    create: ttlAfterFinishedController,
  },
  {
    name: "daemonset-controller",
    account: "daemon-set-controller",
    component: "daemonset-controller",
    create: daemonSetController,
  },
  { name: "statefulset-controller", account: "statefulset-controller", create: statefulSetController },
  {
    name: "node-lifecycle-controller",
    account: "node-controller",
    component: "node-controller",
    create: nodeLifecycleController,
  },
  {
    name: "taint-eviction-controller",
    account: "node-controller",
    component: "taint-eviction-controller",
    create: taintEvictionController,
  },
  {
    name: "disruption-controller",
    account: "disruption-controller",
    component: "controllermanager",
    create: disruptionController,
  },
  { name: "disruption-controller", account: "disruption-controller", create: stalePodDisruptionController },
  { name: "namespace-controller", account: "namespace-controller", create: namespaceController },
  {
    name: "serviceaccount-controller",
    account: "service-account-controller",
    create: serviceAccountController,
  },
  { name: "serviceaccount-token-controller", create: tokensController },
  { name: "serviceaccount-token-controller", create: legacyTokensController },
  {
    name: "legacy-serviceaccount-token-cleaner-controller",
    account: "legacy-service-account-token-cleaner",
    create: legacyTokenCleaner,
  },
  {
    name: "certificatesigningrequest-signing-controller",
    account: "certificate-controller",
    create: signingController,
  },
  {
    name: "certificatesigningrequest-approving-controller",
    account: "certificate-controller",
    create: approvingController,
  },
  {
    name: "certificatesigningrequest-cleaner-controller",
    account: "certificate-controller",
    create: cleanerController,
  },
  {
    name: "kube-apiserver-serving-clustertrustbundle-publisher-controller",
    account: "kube-apiserver-serving-clustertrustbundle-publisher",
    create: trustBundlePublisher,
  },
  {
    name: "root-ca-certificate-publisher-controller",
    account: "root-ca-cert-publisher",
    create: rootCertificatePublisher,
  },
  {
    name: "resourcequota-controller",
    account: "resourcequota-controller",
    create: resourceQuotaController,
  },
  {
    name: "clusterrole-aggregation-controller",
    account: "clusterrole-aggregation-controller",
    create: clusterRoleAggregationController,
  },
  {
    name: "persistentvolume-binder-controller",
    account: "persistent-volume-binder",
    component: "persistentvolume-controller",
    create: claimBinder,
  },
  {
    name: "persistentvolume-binder-controller",
    account: "persistent-volume-binder",
    component: "persistentvolume-controller",
    create: volumeBinder,
  },
  {
    name: "persistentvolumeclaim-protection-controller",
    account: "pvc-protection-controller",
    create: claimProtectionController,
  },
  {
    name: "persistentvolume-protection-controller",
    account: "pv-protection-controller",
    create: volumeProtectionController,
  },
  {
    name: "service-cidr-controller",
    account: "service-cidrs-controller",
    component: "service-cidr-controller",
    create: serviceCidrController,
  },
  {
    name: "validatingadmissionpolicy-status-controller",
    account: "validatingadmissionpolicy-status-controller",
    create: policyStatusController,
  },
  { name: "pod-garbage-collector-controller", account: "pod-garbage-collector", create: podGarbageCollector },
];

/** What an API server runs for itself, as itself. */
const serverControllers: readonly ControllerEntry[] = [
  { name: "ipallocator-repair-controller", create: addressRepairController },
];

export interface RunControllersOptions {
  /** A client that acts as the user of this name, e.g. `system:serviceaccount:kube-system:deployment-controller`. */
  readonly clientFor: (user: string) => Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly settings: Pick<ControllerSettings, "rootCertificateAuthority" | "catalog"> &
    Partial<ControllerSettings>;
  /** Names of the controllers to run; default all. */
  readonly controllers?: readonly string[];
  /** Shared with others in the process; default: own ones, as system:kube-controller-manager. */
  readonly informers?: InformerFactory;
}

const defaultSettings = {
  nodeMonitorGracePeriod: 50_000,
  nodeStartupGracePeriod: 60_000,
  terminatedPodThreshold: 12_500,
} as const;

/** Runs the controllers of an API server until the signal aborts; all act as the client's user. */
export async function runServerControllers(
  options: {
    readonly client: Client;
    readonly clock: Clock;
    readonly random: Random;
    readonly logger: Logger;
  },
  signal: AbortSignal,
): Promise<void> {
  const { client, clock, random, logger } = options;
  const informers = createInformerFactory({ client, clock, logger, random });
  const settings = { ...defaultSettings, rootCertificateAuthority: "", catalog: fixedCatalog([]) };
  const shared = { clientFor: () => client, informers, settings, clock, random, logger };
  await Promise.all([runEntries(serverControllers, shared, signal), informers.run(signal)]);
}

/** Runs the controller manager until the signal aborts; settles when all of it has stopped. */
export async function runControllers(options: RunControllersOptions, signal: AbortSignal): Promise<void> {
  const { clientFor, clock, random, logger, controllers } = options;
  const client = clientFor(managerUser);
  const informers = options.informers ?? createInformerFactory({ client, clock, logger, random });
  const entries = allControllers.filter(
    ({ name }) => controllers === undefined || controllers.includes(name),
  );
  const settings = { ...defaultSettings, ...options.settings };
  const shared = { clientFor, informers, settings, clock, random, logger };
  const own = options.informers === undefined ? informers.run(signal) : Promise.resolve();
  await Promise.all([runEntries(entries, shared, signal), own]);
}
