import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import {
  cidrContains,
  FieldPath as Path,
  fieldErrors,
  formatLabelSelector,
  isValidCIDR,
  isValidPortNum,
  parseCIDR,
} from "../../apimachinery/index.ts";
import { cidrWarnings } from "../common/address-warnings.ts";
import { invalidFor, optionalOneOf, portNumberOrName } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { fillMissing, mapField, mapList } from "../common/fill.ts";
import { validateLabelSelector } from "../common/selectors.ts";
import { defineResource } from "../definition.ts";
import type {
  IPBlock,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  NetworkPolicySpec,
} from "../types/networking-v1.ts";
import { NetworkPolicy } from "../types/networking-v1.ts";

const protocols = ["TCP", "UDP", "SCTP"];
const directions = ["Ingress", "Egress"];

/** The rules of network policies. */
export const networkPolicyDefinition = defineResource<NetworkPolicy>({
  resource: NetworkPolicy,
  defaults: (policy) => mapField(policy, "spec", defaultSpec),
  validateCreate: ({ spec }) => validateSpec(spec, new Set()),
  repeatedMetadataChecks: ["whole", "change"],
  // Ranges that are there already may stay as they are written. Upstream looks at an update twice.
  validateUpdate: ({ spec }, { spec: old }) => {
    const errors = validateSpec(spec, rangesOf(old));
    return [...errors, ...errors];
  },
  warnings: ({ spec }) =>
    blocksOf(spec).flatMap(({ block, path }) => [
      ...cidrWarnings(block.cidr, path.child("cidr")),
      ...(block.except ?? []).flatMap((range, index) =>
        cidrWarnings(range, path.child("except").index(index)),
      ),
    ]),
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
  return mapList(ports, (port) => fillMissing(port, { protocol: "TCP" }));
}

/** The ranges of addresses that a policy names, and where. */
function blocksOf(spec: NetworkPolicySpec): readonly { block: IPBlock; path: FieldPath }[] {
  const path = Path.root("spec");
  const within = (peers: readonly NetworkPolicyPeer[] | undefined, at: FieldPath) =>
    (peers ?? []).flatMap(({ ipBlock: block }, index) =>
      block === undefined ? [] : [{ block, path: at.index(index).child("ipBlock") }],
    );
  return [
    ...(spec.ingress ?? []).flatMap(({ from }, index) =>
      within(from, path.child("ingress").index(index).child("from")),
    ),
    ...(spec.egress ?? []).flatMap(({ to }, index) =>
      within(to, path.child("egress").index(index).child("to")),
    ),
  ];
}

const rangesOf = (spec: NetworkPolicySpec): ReadonlySet<string> =>
  new Set(blocksOf(spec).flatMap(({ block }) => [block.cidr, ...(block.except ?? [])]));

function validateSpec(spec: NetworkPolicySpec, known: ReadonlySet<string>): readonly FieldError[] {
  const path = Path.root("spec");
  const errors = validateLabelSelector(spec.podSelector, path.child("podSelector"));
  for (const [index, rule] of (spec.ingress ?? []).entries()) {
    const at = path.child("ingress").index(index);
    errors.push(...validatePorts(rule.ports, at.child("ports")));
    errors.push(...validatePeers(rule.from ?? [], at.child("from"), known));
  }
  for (const [index, rule] of (spec.egress ?? []).entries()) {
    const at = path.child("egress").index(index);
    errors.push(...validatePorts(rule.ports, at.child("ports")));
    errors.push(...validatePeers(rule.to ?? [], at.child("to"), known));
  }
  const types = spec.policyTypes ?? [];
  const at = path.child("policyTypes");
  if (types.length > directions.length) {
    return [...errors, fieldErrors.invalid(at, types, "may not specify more than two policyTypes")];
  }
  for (const [index, type] of types.entries()) {
    errors.push(...optionalOneOf(at.index(index), type, directions));
  }
  return errors;
}

function validatePorts(ports: readonly NetworkPolicyPort[] | undefined, path: FieldPath): FieldError[] {
  return (ports ?? []).flatMap(({ protocol, port, endPort }, index) => {
    const at = path.index(index);
    const end = at.child("endPort");
    const errors = optionalOneOf(at.child("protocol"), protocol, protocols);
    const wrongEnd = (why: string) => errors.push(fieldErrors.invalid(end, endPort, why));
    const ownErrors = port === undefined ? [] : portNumberOrName(at.child("port"), port);
    if (endPort === undefined) return [...errors, ...ownErrors];
    if (port === undefined) wrongEnd("may not be specified when `port` is not specified");
    else if (typeof port === "string") {
      wrongEnd("may not be specified when `port` is non-numeric");
      errors.push(...ownErrors);
    } else {
      errors.push(...ownErrors);
      if (endPort < port) wrongEnd("must be greater than or equal to `port`");
      errors.push(...invalidFor(end, endPort, isValidPortNum(endPort)));
    }
    return errors;
  });
}

function validatePeers(
  peers: readonly NetworkPolicyPeer[],
  path: FieldPath,
  known: ReadonlySet<string>,
): FieldError[] {
  return peers.flatMap(({ podSelector, namespaceSelector, ipBlock }, index) => {
    const at = path.index(index);
    const errors = [
      ...validateLabelSelector(podSelector, at.child("podSelector")),
      ...validateLabelSelector(namespaceSelector, at.child("namespaceSelector")),
      ...(ipBlock === undefined ? [] : validateBlock(ipBlock, at.child("ipBlock"), known)),
    ];
    const selects = podSelector !== undefined || namespaceSelector !== undefined;
    if (!selects && ipBlock === undefined) errors.push(fieldErrors.required(at, "must specify a peer"));
    if (selects && ipBlock !== undefined) {
      errors.push(fieldErrors.forbidden(at, "may not specify both ipBlock and another peer"));
    }
    return errors;
  });
}

function validateBlock({ cidr, except }: IPBlock, path: FieldPath, known: ReadonlySet<string>): FieldError[] {
  if (cidr === "") return [fieldErrors.required(path.child("cidr"))];
  const check = (range: string, at: FieldPath) =>
    known.has(range) ? [] : invalidFor(at, range, isValidCIDR(range));
  const errors = check(cidr, path.child("cidr"));
  const whole = parseCIDR(cidr);
  if (whole === undefined) return errors;
  for (const [index, text] of (except ?? []).entries()) {
    const at = path.child("except").index(index);
    errors.push(...check(text, at));
    const part = parseCIDR(text);
    if (part === undefined) continue;
    if (!cidrContains(whole, part.network) || whole.prefixLength >= part.prefixLength) {
      errors.push(fieldErrors.invalid(at, text, "must be a strict subset of `cidr`"));
    }
  }
  return errors;
}
