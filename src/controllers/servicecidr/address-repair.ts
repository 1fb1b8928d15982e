import { ignoreMissing, unlessMissing } from "../../api/index.ts";
import { cidrContains, formatIP, ipFamilyOf, parseCIDR, parseIP } from "../../apimachinery/index.ts";
import type { ObjectKey } from "../../apimachinery/index.ts";
import { allocatedAddress, isAllocatedAddress, isHeadless, isLabelledAddress } from "../../api/index.ts";
import { Service } from "../../api/types/core-v1.ts";
import { IPAddress, ServiceCIDR } from "../../api/types/networking-v1.ts";
import { again, settled, watch, watchItself, watchOnlyUntilSynced } from "../framework/index.ts";
import type { Controller, ControllerContext, Outcome } from "../framework/index.ts";

/** A service that is being made has its addresses first: for as long as a request may last they may belong to nobody. */
const grace = 60_000;

/** What is wrong with an address of a service, and whether its object is to be made anew. */
export type Finding = {
  readonly reason: string;
  readonly message: string;
  readonly repair: boolean;
} | null;

/** Keeps services' addresses and the IPAddress objects that stand for them in step. */
export function addressRepairController(context: ControllerContext): Controller {
  const { informers } = context;
  const services = informers.informer(Service);
  const addresses = informers.informer(IPAddress);
  const repair = new AddressRepair(context);
  return {
    name: "ipallocator-repair",
    watches: [
      watchItself(services),
      watchItself(addresses),
      // Whoever removes the object of an address does not take it from the service.
      watch(addresses, ({ type, object }, wake) => {
        const { namespace, name } = object.spec?.parentRef ?? {};
        if (type === "deleted" && namespace && name) wake({ namespace, name });
      }),
      watchOnlyUntilSynced(informers.informer(ServiceCIDR)),
    ],
    async reconcile(key) {
      const service = key.namespace === undefined ? undefined : services.get(key);
      if (service !== undefined) return repair.service(service);
      const address = key.namespace === undefined ? addresses.get(key) : undefined;
      return address === undefined ? settled : repair.address(address);
    },
  };
}

class AddressRepair {
  private readonly context: ControllerContext;

  constructor(context: ControllerContext) {
    this.context = context;
  }

  /** Sees that each address of the service has its object. */
  async service(service: Service): Promise<Outcome> {
    if (service.spec.type === "ExternalName" || isHeadless(service.spec)) return settled;
    for (const text of service.spec.clusterIPs ?? []) await this.serviceAddress(service, text);
    return settled;
  }

  private async serviceAddress(service: Service, text: string): Promise<void> {
    const { client, informers, events } = this.context;
    const bytes = parseIP(text);
    const name = bytes === undefined ? text : formatIP(bytes);
    const ranges = informers.informer(ServiceCIDR).list();
    const services = (key: ObjectKey) => informers.informer(Service).get(key);
    const look = (address: IPAddress | undefined) =>
      examine(service, { text: name, address, ranges, services });
    if (look(informers.informer(IPAddress).get({ name })) === null) return;
    // Informers lag behind each other: the server knows what is true.
    const { namespace = "", name: owner } = service.metadata;
    const current = await unlessMissing(client.get(Service, { namespace, name: owner }));
    if (!current?.spec.clusterIPs?.includes(text)) return;
    const address = await unlessMissing(client.get(IPAddress, { name }));
    const finding = look(address);
    if (finding === null) return;
    const { reason, message } = finding;
    if (reason !== "") {
      events.event({ resource: Service, object: service }, { type: "Warning", reason, message });
    }
    if (!finding.repair) return;
    if (address !== undefined) await ignoreMissing(client.delete(IPAddress, { name }));
    await client.create(IPAddress, allocatedAddress(name, { namespace, name: owner }));
  }

  /** Removes the object of an address that no service has. */
  async address(address: IPAddress): Promise<Outcome> {
    if (!isAllocatedAddress(address)) return settled;
    const { client, informers, clock } = this.context;
    const name = address.metadata.name;
    const { group, resource, namespace = "", name: owner = "" } = address.spec?.parentRef ?? {};
    if (group || resource !== "services") {
      const parent = `&ParentReference{Group:${group ?? ""},Resource:${resource ?? ""},Namespace:${namespace},Name:${owner},}`;
      return this.remove(address, {
        reason: "IPAddressNotAllocated",
        message: `IPAddress ${name} appears to have been modified, not referencing a Service ${parent}: cleaning up`,
      });
    }
    const names = (service: Service | undefined) => service?.spec.clusterIPs?.includes(name) === true;
    const key = { namespace, name: owner };
    if (names(informers.informer(Service).get(key))) return settled;
    const age = clock.now() - Date.parse(address.metadata.creationTimestamp ?? "");
    if (age <= grace) return again(grace - age + 1);
    const service = await unlessMissing(client.get(Service, key));
    if (names(service)) return settled;
    const about = `IPAddress: ${name} for Service ${namespace}/${owner}`;
    return this.remove(
      address,
      service === undefined
        ? { reason: "IPAddressNotAllocated", message: `${about} appears to have leaked: cleaning up` }
        : { reason: "IPAddressWrongReference", message: `${about} has a wrong reference; cleaning up` },
    );
  }

  private async remove(
    address: IPAddress,
    told: { readonly reason: string; readonly message: string },
  ): Promise<Outcome> {
    const { client, events } = this.context;
    events.event({ resource: IPAddress, object: address }, { type: "Warning", ...told });
    const { name, uid } = address.metadata;
    await ignoreMissing(client.delete(IPAddress, { name }, { preconditions: { uid } }));
    return settled;
  }
}

/** Compares an address of a service with the object that stands for it; null when they fit. */
export function examine(
  { metadata }: Service,
  of: {
    readonly text: string;
    readonly address: IPAddress | undefined;
    readonly ranges: readonly ServiceCIDR[];
    readonly services: (key: ObjectKey) => Service | undefined;
  },
): Finding {
  const { text, address } = of;
  const bytes = parseIP(text);
  if (bytes === undefined) {
    const message = `Cluster IP ${text} is not a valid IP; please recreate Service`;
    return { reason: "ClusterIPNotValid", message, repair: false };
  }
  const family = ipFamilyOf(text) ?? "";
  const cidrs = of.ranges.flatMap(({ spec }) => (spec?.cidrs ?? []).flatMap((one) => parseCIDR(one) ?? []));
  if (!cidrs.some((cidr) => cidrContains(cidr, bytes))) {
    const message = `Cluster IP [${family}]: ${text} is not within any configured Service CIDR; please recreate service`;
    return { reason: "ClusterIPOutOfRange", message, repair: false };
  }
  const notAllocated = (message: string): Finding => ({
    reason: "ClusterIPNotAllocated",
    message,
    repair: true,
  });
  if (address === undefined) {
    return notAllocated(`Cluster IP [${family}]: ${text} is not allocated; repairing`);
  }
  const own = `${metadata.namespace}/${metadata.name}`;
  const wrong = `the ClusterIP [${family}]: ${text} for Service ${own} has a wrong reference; repairing`;
  const { group, resource, namespace = "", name = "" } = address.spec?.parentRef ?? {};
  if (group || resource !== "services") return notAllocated(wrong);
  if (`${namespace}/${name}` !== own) {
    const other = of.services({ namespace, name });
    if (!other?.spec.clusterIPs?.includes(text)) return notAllocated(wrong);
    const message = `Cluster IP [${family}]:${text} was assigned to multiple services; please recreate service`;
    return { reason: "ClusterIPAlreadyAllocated", message, repair: false };
  }
  return isLabelledAddress(address) ? null : { reason: "", message: "", repair: true };
}
