import type { Client, UserInfo } from "../../../api/index.ts";
import { silentLogger, systemRandom, VirtualClock } from "../../../base/index.ts";
import type { Clock, Logger, Random } from "../../../base/index.ts";
import { ApiError } from "../../../apimachinery/index.ts";
import type { Resource } from "../../../apimachinery/index.ts";
import {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "../../../api/types/admissionregistration-v1.ts";
import type { NamedRuleWithOperations } from "../../../api/types/admissionregistration-v1.ts";
import { ConfigMap, Namespace } from "../../../api/types/core-v1.ts";
import { createMemoryStore } from "../../../store/index.ts";
import type { Store } from "../../../store/index.ts";
import { generateServiceAccountKey } from "../../authentication/index.ts";
import type { ServiceAccountKey } from "../../authentication/index.ts";
import type { RuntimeConfig } from "../../server/runtime-config.ts";
import type { ApiServer } from "../../server/server.ts";
import { create } from "../../registry/create.ts";
import type { AnyObject } from "../../registry/entry.ts";

const user = { name: "ann", groups: ["system:masters"] };

/** Requests for config maps, or for what a test names. */
export const ruleFor = (
  resource = "configmaps",
  { group = "", version = "v1" } = {},
): NamedRuleWithOperations => ({
  operations: ["CREATE", "UPDATE"],
  apiGroups: [group],
  apiVersions: [version],
  resources: [resource],
});

const digits = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";

/** An expression that costs half of what one may: twenty of them are too much for a policy, five for its conditions. */
export const costly = ["a", "b", "c", "d"].reduceRight(
  (inner, name) => `${digits}.all(${name}, ${inner})`,
  `${digits}.all(e, e >= 0)`,
);

/** What is said where expressions together cost too much. */
export const outOfBudget =
  "validation failed due to running out of cost budget, no further validation rules will be run";

/** What a control plane is made of, and what tests need of it: this folder may not import the one that makes it. */
type CreatePlane = (options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly serviceAccountKey: ServiceAccountKey;
  readonly issuer: string;
  readonly rootCertificateAuthority: string;
  readonly serviceCIDR: string;
  readonly runtimeConfig?: RuntimeConfig;
}) => Promise<{
  readonly server: ApiServer;
  clientFor(user: UserInfo): Client;
  close(): Promise<void>;
}>;

/** A control plane with the namespace `shop`, and what tests of policies do with it. */
export async function startPolicyPlane(createControlPlane: CreatePlane, runtimeConfig: RuntimeConfig = {}) {
  const clock = new VirtualClock();
  const plane = await createControlPlane({
    store: createMemoryStore({ clock }),
    clock,
    random: systemRandom,
    logger: silentLogger,
    serviceAccountKey: await generateServiceAccountKey(),
    issuer: "https://kubernetes.default.svc",
    rootCertificateAuthority: "",
    serviceCIDR: "10.96.0.0/16",
    runtimeConfig,
  });
  const client = plane.clientFor(user);
  await client.create(Namespace, { metadata: { name: "shop", labels: { team: "shop" } } });
  return {
    plane,
    client,
    close: () => plane.close(),
    /** Removes all policies, and all config maps. */
    async clean(): Promise<void> {
      await client.deleteCollection(ValidatingAdmissionPolicy, {});
      await client.deleteCollection(ValidatingAdmissionPolicyBinding, {});
      await client.deleteCollection(MutatingAdmissionPolicy, {});
      await client.deleteCollection(MutatingAdmissionPolicyBinding, {});
      await client.deleteCollection(ConfigMap, { namespace: "shop" });
    },
    /** What comes of a create in dry run: the object or the error, and what was heard. */
    async attempt(
      { group, version, plural, kind }: Resource<object>,
      fields: Readonly<Record<string, unknown>> = {},
    ): Promise<{ heard: readonly unknown[]; object?: AnyObject; error?: ApiError }> {
      const heard: unknown[] = [];
      const served = plane.server.core.served.find(group, version, plural)!;
      const apiVersion = group === "" ? version : `${group}/${version}`;
      const object = { kind, apiVersion, metadata: { name: "c", namespace: "shop" }, ...fields };
      try {
        const written = await create(plane.server.core, served, {
          object: object as unknown as AnyObject,
          namespace: "shop",
          user,
          dryRun: true,
          warn: (text) => void heard.push(text),
          annotate: (key, value) => void heard.push([key, value]),
        });
        return { heard, object: written.object };
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        return { heard, error };
      }
    },
  };
}

/** What tests of policies work with. */
export type PolicyPlane = Awaited<ReturnType<typeof startPolicyPlane>>;
