/** Second octets tried for 10.X.0.0/16, first those that users know. */
const podOctets = [244, ...Array.from({ length: 50 }, (_, index) => 150 + index)];
const serviceOctets = [96, ...Array.from({ length: 50 }, (_, index) => 97 + index)];

function isTaken(octet: number, addresses: readonly string[]): boolean {
  return addresses.some((address) => address.startsWith(`10.${octet}.`));
}

/**
 * Networks for pods and services that none of the addresses is in: those of the machine's interfaces and of other
 * clusters. Both networks take the same place in their lists.
 */
export function freeSubnets(addresses: readonly string[]): { pods: string; services: string } {
  const position = podOctets.findIndex(
    (octet, index) => !isTaken(octet, addresses) && !isTaken(serviceOctets[index] ?? 0, addresses),
  );
  const pods = podOctets[Math.max(position, 0)];
  const services = serviceOctets[Math.max(position, 0)];
  return { pods: `10.${pods}.0.0/16`, services: `10.${services}.0.0/16` };
}
