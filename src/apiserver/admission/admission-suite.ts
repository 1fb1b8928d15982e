import { seededRandom, VirtualClock } from "../../base/index.ts";
import type { KubernetesObject, Resource } from "../../apimachinery/index.ts";
import type { Client, UserInfo } from "../../api/index.ts";
import { Namespace, ServiceAccount } from "../../api/types/core-v1.ts";
import type { Pod } from "../../api/types/core-v1.ts";
import { memoryReader } from "../authorization/memory-reader.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import { AdmissionChain } from "./chain.ts";
import { defaultAdmission } from "./default-admission.ts";
import type { AdmissionOptions } from "./default-admission.ts";
import type { AdmissionRequest } from "./plugin.ts";

const ann: UserInfo = { name: "ann", groups: ["system:authenticated"] };
/** Parts of objects as a test writes them. */
export type Json = Readonly<Record<string, unknown>>;

/** An object with what the server sets. */
export const object = <T extends object>(name: string, rest: Json = {}, metadata: Json = {}): T =>
  ({
    metadata: {
      name,
      uid: name,
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
      ...metadata,
    },
    ...rest,
  }) as unknown as T;
/** Metadata of objects in the namespace that the tests use. */
export const shop = { namespace: "shop" };
/** A pod of one container. */
export const pod = (spec: Json = {}, metadata: Json = {}): Pod =>
  object("web", { spec: { containers: [{ name: "c" }], ...spec } }, { ...shop, ...metadata });

/** The default plugins over a reader with the namespaces `shop` and `default`, and what runs a request through them. */
export function setUpAdmission(options: Partial<AdmissionOptions> = {}) {
  const reader = memoryReader();
  for (const name of ["shop", "default", "kube-node-lease"]) reader.put(Namespace, object(name));
  reader.put(ServiceAccount, object("default", {}, shop));
  const client = {
    update: async (resource: Resource, value: KubernetesObject) => {
      reader.put(resource, value);
      return value;
    },
  } as unknown as Client;
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const authorizer: Authorizer = { authorize: () => ({ type: "noOpinion", reason: "" }) };
  const plugins = defaultAdmission({
    reader,
    random: seededRandom(1),
    clock,
    client,
    authorizer,
    ...options,
  });
  const chain = new AdmissionChain(plugins);
  const warnings: string[] = [];
  const annotations: Record<string, string> = {};
  const run = async <T extends object>(
    resource: Resource<T>,
    request: Partial<Omit<AdmissionRequest, "resource">> & { readonly object?: object },
  ): Promise<T> => {
    let current = request.object;
    const full = {
      operation: "CREATE",
      subresource: "",
      namespace: resource.namespaced ? "shop" : "",
      name: current?.metadata.name ?? "",
      user: ann,
      dryRun: false,
      warn: (message: string) => void warnings.push(message),
      annotate: (key: string, value: string) => void (annotations[key] = value),
      ...request,
      resource: resource as Resource,
    } as AdmissionRequest;
    const { admitting, validating } = chain.stepsFor(full.operation, full.resource);
    if (current) {
      for (const plugin of admitting) current = await plugin.admit({ ...full, object: current });
    }
    const final = { ...full, ...(current ? { object: current } : {}) };
    for (const plugin of validating) await plugin.validate(final);
    return current as unknown as T;
  };
  return { reader, clock, run, plugins, warnings, annotations };
}
