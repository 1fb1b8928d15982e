import type { New } from "../../apimachinery/index.ts";
import { ipFamilyOf } from "../../apimachinery/index.ts";
import type { IPAddress } from "../types/networking-v1.ts";

const familyLabel = "ipaddress.kubernetes.io/ip-family";
const managedByLabel = "ipaddress.kubernetes.io/managed-by";
const manager = "ipallocator.k8s.io";

/** The object that says which service has an address; its name is the address in canonical form. */
export function allocatedAddress(
  name: string,
  { namespace, name: service }: { readonly namespace: string; readonly name: string },
): New<IPAddress> {
  return {
    metadata: { name, labels: { [familyLabel]: ipFamilyOf(name) ?? "", [managedByLabel]: manager } },
    spec: { parentRef: { group: "", resource: "services", namespace, name: service } },
  };
}

/** Whether the address was handed out by the API server, not by someone else. */
export const isAllocatedAddress = ({ metadata }: IPAddress): boolean =>
  metadata.labels?.[managedByLabel] === manager;

/** Whether the labels say what the address is and that the API server handed it out. */
export const isLabelledAddress = (address: IPAddress): boolean =>
  isAllocatedAddress(address) && address.metadata.labels?.[familyLabel] === ipFamilyOf(address.metadata.name);
