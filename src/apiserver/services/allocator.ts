import type { Logger, Random } from "../../base/index.ts";
import { silentLogger } from "../../base/index.ts";
import { ApiError, fieldErrors, FieldPath, isPathSegmentName } from "../../apimachinery/index.ts";
import type { FieldError, ObjectMeta } from "../../apimachinery/index.ts";
import { isHeadless } from "../../api/index.ts";
import type { Client } from "../../api/index.ts";
import { Service } from "../../api/types/core-v1.ts";
import type { ServiceSpec } from "../../api/types/core-v1.ts";
import type { Store } from "../../store/index.ts";
import type { ObjectReader } from "../reader.ts";
import type { PendingWrite, Reservation, WriteHook } from "../registry/context.ts";
import type { AnyObject } from "../registry/entry.ts";
import { createAddresses } from "./addresses.ts";
import type { Addresses, AddressOwner } from "./addresses.ts";
import { planFamilies } from "./families.ts";
import type { ClusterFamilies } from "./families.ts";
import { allocatePorts, dryPortOperation, heldPorts, NodePorts, portOperation } from "./node-ports.ts";
import type { PortOperation, PortRange, PortWrite, Refuse } from "./node-ports.ts";
import { PortRecord } from "./port-record.ts";
import type { Family } from "./ranges.ts";

export interface ServiceAllocatorOptions {
  /** The objects that are there already: what they hold is taken. */
  readonly reader: ObjectReader;
  /** Makes and removes the objects of addresses. */
  readonly client: Client;
  readonly random: Random;
  readonly logger?: Logger;
  /** Of which families services get addresses, the default one first. */
  readonly families: ClusterFamilies;
  /** Default: 30000 to 32767. */
  readonly nodePorts?: PortRange | undefined;
  /** A store that other servers allocate in as well: the ports that are taken are recorded there. */
  readonly sharedStore?: Store | undefined;
}

/** The ports that services have on nodes when nothing else is said. */
const defaultNodePorts: PortRange = { first: 30_000, last: 32_767 };

/** Hands out what services need, with the ports of nodes as they are known to be taken. */
export interface ServiceAllocator extends WriteHook {
  readonly ports: NodePorts;
  /** Which ports are recorded for all servers of a shared store. */
  readonly record: PortRecord | undefined;
}

interface Parts {
  readonly families: ClusterFamilies;
  readonly real: Addresses;
  readonly dry: Addresses;
  readonly ports: NodePorts;
  readonly record: PortRecord | undefined;
}

/** Hands out cluster addresses and node ports to services that are about to be written. */
export function createServiceAllocator(options: ServiceAllocatorOptions): ServiceAllocator {
  const { reader, client, random, logger = silentLogger, families, sharedStore } = options;
  const range = options.nodePorts ?? defaultNodePorts;
  const ports = new NodePorts(range, random);
  const record = sharedStore && new PortRecord(sharedStore, range);
  for (const { spec } of reader.list(Service)) for (const port of heldPorts(spec)) ports.take(port);
  if (record) followOthers(reader, ports);
  const parts: Parts = { families, ports, record, ...createAddresses({ reader, client, random, logger }) };
  return {
    ports,
    record,
    prepare: (write) =>
      write.object
        ? allocate(parts, { ...write, object: write.object })
        : Promise.resolve(giveBack(parts, write)),
  };
}

/** What others take and give back is known at once. */
function followOthers(reader: ObjectReader, ports: NodePorts): void {
  reader.subscribe(Service, ({ object, old }) => {
    if (old) for (const port of heldPorts(old.spec)) ports.release(port);
    if (object) for (const port of heldPorts(object.spec)) ports.take(port);
  });
}

/** The hook is only called for services. */
function specOf(object: AnyObject): ServiceSpec {
  return (object as unknown as Service).spec;
}

/** The addresses that a service has of the cluster's ranges. */
function heldAddresses(spec: ServiceSpec): readonly string[] {
  if (spec.type === "ExternalName" || isHeadless(spec)) return [];
  return spec.clusterIPs?.length ? spec.clusterIPs : spec.clusterIP ? [spec.clusterIP] : [];
}

function giveBack({ real, ports, record }: Parts, { old, dryRun }: PendingWrite): Reservation {
  return {
    object: undefined,
    async settle(written) {
      if (!written || dryRun || !old) return;
      const spec = specOf(old);
      const held = [...heldPorts(spec)];
      for (const port of held) ports.release(port);
      await record?.release(held);
      await Promise.all(heldAddresses(spec).map((address) => real.release(address)));
    },
  };
}

async function allocate(
  { families, real, dry, ports, record }: Parts,
  write: PendingWrite & { readonly object: AnyObject },
): Promise<Reservation> {
  const { object, dryRun } = write;
  const old = write.old && specOf(write.old);
  const { name = "", namespace = "" } = object.metadata as Partial<ObjectMeta>;
  // An object that stands for an address must name the service: what is wrong with the name is found later.
  if (name === "" || isPathSegmentName(name).length > 0) return { object, settle: () => Promise.resolve() };
  const refuse = (errors: readonly FieldError[]) =>
    ApiError.invalid({ group: "", kind: "Service" }, name, errors);
  const refuseOne: Refuse = (error) => refuse([error]);
  const plan = planFamilies(specOf(object), { old, cluster: families });
  if ("errors" in plan) throw refuse(plan.errors);
  const portsOf = new PortAllocation({ ports, record, dryRun });
  const addresses = new AddressOperation(dryRun ? dry : real, {
    owner: { namespace, name },
    refuse: refuseOne,
  });
  try {
    const addressed = await addresses.allocate(plan.spec, old);
    const spec = await portsOf.allocate({ spec: addressed, old, refuse: refuseOne });
    return {
      object: { ...object, spec },
      async settle(written) {
        await portsOf.settle(written);
        await addresses.settle(written);
      },
    };
  } catch (error) {
    await portsOf.settle(false);
    await addresses.settle(false);
    throw error;
  }
}

/** How often other servers may have had the ports that were chosen. */
const portAttempts = 20;

/** The ports of one write, as this server knows them and as they are recorded for all. */
class PortAllocation {
  private readonly ports: NodePorts;
  private readonly record: PortRecord | undefined;
  private operation: PortOperation;

  constructor(options: Pick<Parts, "ports" | "record"> & { readonly dryRun: boolean }) {
    this.ports = options.ports;
    this.record = options.record;
    this.operation = options.dryRun ? dryPortOperation(options.ports) : portOperation(options.ports);
  }

  /** The spec with its ports; those that another server was given meanwhile are not chosen again, or refused. */
  async allocate(write: Omit<PortWrite, "operation">): Promise<ServiceSpec> {
    for (let attempt = 0; attempt < portAttempts; attempt++) {
      const { operation, ports, record } = this;
      const spec = allocatePorts({ ...write, operation });
      const foreign = (await record?.claim(operation.own)) ?? [];
      if (foreign.length === 0) return spec;
      operation.settle(false);
      for (const port of foreign) ports.take(port);
      this.operation = portOperation(ports);
    }
    throw ApiError.internal("failed to allocate a nodePort: other servers take all that are chosen");
  }

  async settle(written: boolean): Promise<void> {
    const free = this.operation.settle(written);
    await this.record?.release(free);
  }
}

/** The addresses of one write: given back together, or only once the write has succeeded. */
class AddressOperation {
  private readonly addresses: Addresses;
  private readonly owner: AddressOwner;
  private readonly refuse: Refuse;
  private readonly taken: string[] = [];
  private released: readonly string[] = [];

  constructor(addresses: Addresses, options: { readonly owner: AddressOwner; readonly refuse: Refuse }) {
    this.addresses = addresses;
    this.owner = options.owner;
    this.refuse = options.refuse;
  }

  /** The spec with an address of each of its families. */
  async allocate(spec: ServiceSpec, old: ServiceSpec | undefined): Promise<ServiceSpec> {
    if (old === undefined || old.type === "ExternalName") return this.fill(spec, 0);
    if (isHeadless(old)) return spec;
    if (spec.type === "ExternalName") {
      this.released = heldAddresses(old);
      return spec;
    }
    const [before, now] = [old.ipFamilies?.length ?? 0, spec.ipFamilies?.length ?? 0];
    if (before === 1 && now === 2) return this.fill(spec, 1);
    if (before === 2 && now === 1) this.released = heldAddresses(old).slice(1);
    return spec;
  }

  async settle(written: boolean): Promise<void> {
    await Promise.all(
      (written ? this.released : this.taken).map((address) => this.addresses.release(address)),
    );
  }

  /** Takes the addresses from this place of the list on. */
  private async fill(spec: ServiceSpec, from: number): Promise<ServiceSpec> {
    if (spec.type === "ExternalName" || spec.clusterIPs?.[0] === "None") return spec;
    const clusterIPs = [...(spec.clusterIPs ?? [])];
    for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
      if (index < from) continue;
      clusterIPs[index] = await this.one(family as Family, { spec, address: clusterIPs[index] });
    }
    return { ...spec, clusterIP: clusterIPs[0] ?? "", clusterIPs };
  }

  private async one(
    family: Family,
    { spec, address }: { readonly spec: ServiceSpec; readonly address: string | undefined },
  ): Promise<string> {
    const result = address
      ? await this.addresses.take(address, this.owner)
      : await this.addresses.any(family, this.owner);
    if ("address" in result) {
      this.taken.push(result.address);
      return result.address;
    }
    if (!address) throw ApiError.internal(`failed to allocate a serviceIP: ${result.problem}`);
    const why = `failed to allocate IP ${address}: ${result.problem}`;
    const shown = [...(spec.clusterIPs ?? [])];
    throw this.refuse(fieldErrors.invalid(FieldPath.root("spec").child("clusterIPs"), shown, why));
  }
}
