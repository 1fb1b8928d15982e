import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { invalidFor, oneOf } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { fill, mapField, mapList } from "../common/fill.ts";
import { isDNS1123Label, isValidIP, isValidPortNum } from "../../apimachinery/index.ts";
import { defineResource } from "../definition.ts";
import type { EndpointAddress, EndpointPort } from "../types/core-v1.ts";
import { Endpoints } from "../types/core-v1.ts";

/** How many addresses the table shows. */
const shownAddresses = 3;

/** The rules of endpoints. */
export const endpointsDefinition = defineResource<Endpoints>({
  resource: Endpoints,
  repeatedMetadataChecks: ["change", "whole"],
  createsOnUpdate: true,
  defaults: (endpoints) =>
    mapField(endpoints, "subsets", (subsets) =>
      mapList(subsets, (subset) =>
        mapField(subset, "ports", (ports) => mapList(ports, (port) => fill(port, { protocol: "TCP" }))),
      ),
    ),
  validate,
  warnings: () => ["v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"],
  columns: [
    nameColumn,
    column("Endpoints", "Ready addresses with their ports", { value: endpointsText }),
    ageColumn,
  ],
});

function validate(endpoints: Endpoints): readonly FieldError[] {
  const path = FieldPath.root("subsets");
  return (endpoints.subsets ?? []).flatMap((subset, index) => {
    const at = path.index(index);
    const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
    const errors: FieldError[] = [];
    if (addresses.length + notReadyAddresses.length === 0) {
      errors.push(fieldErrors.required(at, "must specify `addresses` or `notReadyAddresses`"));
    }
    return [
      ...errors,
      ...validateAddresses(addresses, at.child("addresses")),
      ...validateAddresses(notReadyAddresses, at.child("notReadyAddresses")),
      ...validatePorts(ports, at.child("ports")),
    ];
  });
}

function validateAddresses(addresses: readonly EndpointAddress[], path: FieldPath): FieldError[] {
  return addresses.flatMap((address, index) => {
    const at = path.index(index);
    const why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
    return [
      ...(isValidIP(address.ip ?? "").length > 0
        ? [fieldErrors.invalid(at.child("ip"), address.ip ?? "", why)]
        : []),
      ...(address.hostname
        ? invalidFor(at.child("hostname"), address.hostname, isDNS1123Label(address.hostname))
        : []),
    ];
  });
}

function validatePorts(ports: readonly EndpointPort[], path: FieldPath): FieldError[] {
  return ports.flatMap((port, index) => {
    const at = path.index(index);
    const name = port.name
      ? invalidFor(at.child("name"), port.name, isDNS1123Label(port.name))
      : ports.length > 1
        ? [fieldErrors.required(at.child("name"))]
        : [];
    return [
      ...name,
      ...invalidFor(at.child("port"), port.port, isValidPortNum(port.port)),
      ...oneOf(at.child("protocol"), port.protocol, ["SCTP", "TCP", "UDP"]),
    ];
  });
}

function endpointsText(endpoints: Endpoints): string {
  if (!endpoints.subsets?.length) return "<none>";
  const all: string[] = [];
  for (const { addresses = [], ports = [] } of endpoints.subsets) {
    if (ports.length === 0) all.push(...addresses.map((address) => address.ip));
    for (const port of ports) all.push(...addresses.map((address) => hostAndPort(address.ip, port.port)));
  }
  const text = all.slice(0, shownAddresses).join(",");
  return all.length > shownAddresses ? `${text} + ${all.length - shownAddresses} more...` : text;
}

function hostAndPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
