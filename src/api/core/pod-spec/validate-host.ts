import type { FieldError, FieldPath } from "../../../apimachinery/index.ts";
import {
  fieldErrors,
  isDNS1123Subdomain,
  isDNS1123SubdomainWithUnderscore,
  isValidIP,
} from "../../../apimachinery/index.ts";
import { invalidFor } from "../../common/checks.ts";
import type { PodSpec } from "../../types/core-v1.ts";

const maximumNameservers = 3;
const maximumSearches = 32;
const maximumSearchCharacters = 2048;
const longestHostname = 64;

/** Checks what a pod adds to the file of hosts. */
export function validateHostAliases(spec: PodSpec, path: FieldPath): FieldError[] {
  return (spec.hostAliases ?? []).flatMap((alias, index) => {
    const at = path.index(index);
    return [
      ...invalidFor(at.child("ip"), alias.ip ?? "", isValidIP(alias.ip ?? "")),
      ...(alias.hostnames ?? []).flatMap((name, position) =>
        invalidFor(at.child("hostnames").index(position), name, isDNS1123Subdomain(name)),
      ),
    ];
  });
}

/** Checks how a pod resolves names. */
export function validateDnsConfig(spec: PodSpec, path: FieldPath): FieldError[] {
  const config = spec.dnsConfig;
  const { nameservers = [], searches = [], options = [] } = config ?? {};
  if (spec.dnsPolicy === "None" && nameservers.length === 0) {
    return config === undefined
      ? [fieldErrors.required(path, "must provide `dnsConfig` when `dnsPolicy` is None")]
      : [
          fieldErrors.required(
            path.child("nameservers"),
            "must provide at least one DNS nameserver when `dnsPolicy` is None",
          ),
        ];
  }
  const errors: FieldError[] = [];
  if (nameservers.length > maximumNameservers) {
    const why = `must not have more than ${maximumNameservers} nameservers`;
    errors.push(fieldErrors.invalid(path.child("nameservers"), nameservers, why));
  }
  for (const [index, server] of nameservers.entries()) {
    errors.push(...invalidFor(path.child("nameservers").index(index), server, isValidIP(server)));
  }
  const at = path.child("searches");
  if (searches.length > maximumSearches) {
    const why = `must not have more than ${maximumSearches} search paths`;
    errors.push(fieldErrors.invalid(at, searches, why));
  }
  if (searches.join(" ").length > maximumSearchCharacters) {
    const why = `must not have more than ${maximumSearchCharacters} characters (including spaces) in the search list`;
    errors.push(fieldErrors.invalid(at, searches, why));
  }
  for (const [index, search] of searches.entries()) {
    if (search === ".") continue;
    const name = search.replace(/\.$/, "");
    errors.push(...invalidFor(at.index(index), name, isDNS1123SubdomainWithUnderscore(name)));
  }
  for (const [index, option] of options.entries()) {
    if (option.name) continue;
    errors.push(fieldErrors.required(path.child("options").index(index), "must not be empty"));
  }
  return errors;
}

/** Checks that a pod whose users are not the host's shares nothing else that takes them for its own. */
export function validateHostUsers(spec: PodSpec, path: FieldPath): FieldError[] {
  if (spec.hostUsers !== false) return [];
  const errors: FieldError[] = [];
  const refuse = (at: FieldPath) => errors.push(fieldErrors.forbidden(at, "when `hostUsers` is false"));
  if (spec.hostNetwork === true) refuse(path.child("hostNetwork"));
  if (spec.hostPID === true) refuse(path.child("HostPID"));
  if (spec.hostIPC === true) refuse(path.child("HostIPC"));
  for (const list of ["initContainers", "containers", "ephemeralContainers"] as const) {
    for (const [index, container] of (spec[list] ?? []).entries()) {
      if (container.volumeDevices?.length) refuse(path.child(list).index(index).child("volumeDevices"));
    }
  }
  return errors;
}

/** Checks a name that a pod's host gets whatever else says. */
export function validateHostname(spec: PodSpec, path: FieldPath): FieldError[] {
  const name = spec.hostnameOverride;
  if (name === undefined) return [];
  const errors: FieldError[] = [];
  if (spec.setHostnameAsFQDN === true) {
    errors.push(fieldErrors.forbidden(path, "may not be specified when setHostnameAsFQDN is true"));
  }
  if (spec.hostNetwork === true) {
    errors.push(fieldErrors.forbidden(path, "may not be specified when hostNetwork is true"));
  }
  if (name.length > longestHostname) errors.push(fieldErrors.tooLong(path, longestHostname));
  return [...errors, ...invalidFor(path, name, isDNS1123Subdomain(name))];
}
