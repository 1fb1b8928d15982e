import type { Client } from "../../api/index.ts";
import type { Clock, Random } from "../../base/index.ts";
import type { ObjectReader } from "../reader.ts";
import { defaultTolerationSeconds } from "./default-tolerations.ts";
import { limitRanger } from "./limit-ranger.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import { nodeRestriction } from "./node-restriction.ts";
import type { AdmissionPlugin } from "./plugin.ts";
import { priorityAdmission } from "./priority.ts";
import { resourceQuota } from "./resource-quota.ts";
import { runtimeClassAdmission } from "./runtime-class.ts";
import { serviceAccountAdmission } from "./service-account.ts";
import {
  defaultIngressClass,
  defaultStorageClass,
  persistentVolumeClaimResize,
  storageObjectInUseProtection,
} from "./storage.ts";
import { taintNodesByCondition } from "./taint-nodes.ts";

/** Upstream's default plugins in upstream's order; policies and webhooks come before quotas, which must see the end result. */
export function defaultAdmission(options: {
  readonly reader: ObjectReader;
  readonly random: Random;
  readonly clock: Clock;
  /** Books what quotas count; it must not be subject to quotas itself. */
  readonly client?: Client | undefined;
  /** Admission policies and webhooks. */
  readonly dynamic?: readonly AdmissionPlugin[];
  /** Names of plugins to leave out. */
  readonly disabled?: readonly string[];
}): readonly AdmissionPlugin[] {
  const { reader, random, clock, client, dynamic = [], disabled = [] } = options;
  const plugins = [
    namespaceLifecycle(reader),
    limitRanger(reader),
    serviceAccountAdmission({ reader, random, clock }),
    nodeRestriction(reader),
    taintNodesByCondition,
    priorityAdmission(reader),
    defaultTolerationSeconds,
    defaultStorageClass(reader),
    storageObjectInUseProtection,
    persistentVolumeClaimResize(reader),
    runtimeClassAdmission(reader),
    defaultIngressClass(reader),
    ...dynamic,
    resourceQuota({ reader, client }),
  ];
  return plugins.filter((plugin) => !disabled.includes(plugin.name));
}
