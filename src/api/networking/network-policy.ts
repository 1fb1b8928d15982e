import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { FieldPath as Path, fieldErrors, isValidCIDR } from "../../apimachinery/index.ts";
import { invalidFor, optionalOneOf, portNumberOrName } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { formatLabelSelector } from "../../apimachinery/index.ts";
import { fill, mapField, mapList } from "../common/fill.ts";
import { validateLabelSelector } from "../common/selectors.ts";
import { defineResource } from "../definition.ts";
import type { NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec } from "../types/networking-v1.ts";
import { NetworkPolicy } from "../types/networking-v1.ts";

/** The rules of network policies. */
export const networkPolicyDefinition = defineResource<NetworkPolicy>({
  resource: NetworkPolicy,
  defaults: (policy) => mapField(policy, "spec", defaultSpec),
  validate,
  columns: [
    nameColumn,
    column("Pod-Selector", "Which pods the policy is for", {
      value: ({ spec }) => formatLabelSelector(spec?.podSelector),
    }),
    ageColumn,
  ],
  tracksGeneration: true,
});

function defaultSpec(spec: NetworkPolicySpec): NetworkPolicySpec {
  const withIngress = mapField(spec, "ingress", (rules) =>
    mapList(rules, (rule) => mapField(rule, "ports", defaultPorts)),
  );
  const result = mapField(withIngress, "egress", (rules) =>
    mapList(rules, (rule) => mapField(rule, "ports", defaultPorts)),
  );
  if ((result.policyTypes ?? []).length > 0) return result;
  return { ...result, policyTypes: (result.egress ?? []).length > 0 ? ["Ingress", "Egress"] : ["Ingress"] };
}

function defaultPorts(ports: readonly NetworkPolicyPort[]): readonly NetworkPolicyPort[] {
  return mapList(ports, (port) => fill(port, { protocol: "TCP" }));
}

function validate({ spec }: NetworkPolicy): readonly FieldError[] {
  const path = Path.root("spec");
  const errors = validateLabelSelector(spec.podSelector, path.child("podSelector"));
  for (const [index, rule] of (spec.ingress ?? []).entries()) {
    const at = path.child("ingress").index(index);
    errors.push(
      ...validatePorts(rule.ports, at.child("ports")),
      ...validatePeers(rule.from, at.child("from")),
    );
  }
  for (const [index, rule] of (spec.egress ?? []).entries()) {
    const at = path.child("egress").index(index);
    errors.push(...validatePorts(rule.ports, at.child("ports")), ...validatePeers(rule.to, at.child("to")));
  }
  const types = spec.policyTypes ?? [];
  if (types.length > 2) {
    errors.push(
      fieldErrors.invalid(path.child("policyTypes"), types, "may not specify more than two policyTypes"),
    );
    return errors;
  }
  for (const [index, type] of types.entries()) {
    errors.push(...optionalOneOf(path.child("policyTypes").index(index), type, ["Egress", "Ingress"]));
  }
  return errors;
}

function validatePorts(ports: readonly NetworkPolicyPort[] | undefined, path: FieldPath): FieldError[] {
  return (ports ?? []).flatMap((port, index) => {
    const at = path.index(index);
    const errors = [
      ...optionalOneOf(at.child("protocol"), port.protocol, ["SCTP", "TCP", "UDP"]),
      ...(port.port === undefined ? [] : portNumberOrName(at.child("port"), port.port)),
    ];
    if (port.endPort === undefined) return errors;
    if (port.port === undefined) {
      errors.push(fieldErrors.required(at.child("port"), "must be specified when `endPort` is set"));
    } else if (typeof port.port === "string") {
      errors.push(
        fieldErrors.invalid(
          at.child("endPort"),
          port.endPort,
          "may not be specified when `port` is non-numeric",
        ),
      );
    } else if (port.endPort < port.port) {
      errors.push(
        fieldErrors.invalid(at.child("endPort"), port.endPort, "must be greater than or equal to `port`"),
      );
    }
    return errors;
  });
}

function validatePeers(peers: readonly NetworkPolicyPeer[] | undefined, path: FieldPath): FieldError[] {
  return (peers ?? []).flatMap((peer, index) => {
    const at = path.index(index);
    const errors = [
      ...validateLabelSelector(peer.podSelector, at.child("podSelector")),
      ...validateLabelSelector(peer.namespaceSelector, at.child("namespaceSelector")),
    ];
    if (peer.ipBlock !== undefined) {
      const block = at.child("ipBlock");
      const { cidr } = peer.ipBlock;
      errors.push(
        ...(cidr
          ? invalidFor(block.child("cidr"), cidr, isValidCIDR(cidr))
          : [fieldErrors.required(block.child("cidr"))]),
      );
      for (const [position, except] of (peer.ipBlock.except ?? []).entries()) {
        errors.push(...invalidFor(block.child("except").index(position), except, isValidCIDR(except)));
      }
    }
    const count = [peer.podSelector ?? peer.namespaceSelector, peer.ipBlock].filter(
      (part) => part !== undefined,
    ).length;
    if (count === 0) errors.push(fieldErrors.required(at, "must specify a peer"));
    else if (count > 1) {
      errors.push(fieldErrors.forbidden(at, "may not specify both ipBlock and another peer"));
    }
    return errors;
  });
}
