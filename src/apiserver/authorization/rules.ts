import type { UserInfo } from "../../api/index.ts";
import type { PolicyRule } from "../../api/types/rbac-v1.ts";
import type { Attributes } from "./authorizer.ts";

const everything = "*";

const has = (values: readonly string[] | undefined, value: string): boolean =>
  values !== undefined && values.includes(value);
const hasAll = (values: readonly string[] | undefined, wanted: readonly string[] | undefined): boolean =>
  (wanted ?? []).every((value) => has(values, value));

/** Whether one of the rules permits what is asked. */
export function rulesAllow(rules: readonly PolicyRule[], attributes: Attributes): boolean {
  return rules.some((rule) => ruleAllows(rule, attributes));
}

/** Whether the rule permits what is asked. */
export function ruleAllows(rule: PolicyRule, attributes: Attributes): boolean {
  return ruleCovers(rule, attributes) && ruleNames(rule, attributes);
}

/** Whether the rule permits what is asked, or would for another name. */
export function ruleCovers(rule: PolicyRule, attributes: Attributes): boolean {
  if (!has(rule.verbs, everything) && !has(rule.verbs, attributes.verb)) return false;
  if (attributes.type === "path") return pathMatches(rule.nonResourceURLs, attributes.path);
  if (!has(rule.apiGroups, everything) && !has(rule.apiGroups, attributes.group)) return false;
  return resourceMatches(rule.resources, attributes.resource, attributes.subresource);
}

/** Whether a rule that covers what is asked does so for the name that is asked for. */
export function ruleNames(rule: PolicyRule, attributes: Attributes): boolean {
  if (attributes.type === "path") return true;
  return (rule.resourceNames?.length ?? 0) === 0 || has(rule.resourceNames, attributes.name);
}

function resourceMatches(
  resources: readonly string[] | undefined,
  name: string,
  subresource: string,
): boolean {
  if (has(resources, everything)) return true;
  if (subresource === "") return has(resources, name);
  return has(resources, `${name}/${subresource}`) || has(resources, `*/${subresource}`);
}

function pathMatches(urls: readonly string[] | undefined, path: string): boolean {
  return (urls ?? []).some(
    (url) =>
      url === everything ||
      url === path ||
      (url.endsWith("*") && path.startsWith(url.replace(/(?<!\*)\*+$/, ""))),
  );
}

/** The parts of `wanted` that `held` does not cover, one verb, group and resource each. */
export function uncoveredRules(
  held: readonly PolicyRule[],
  wanted: readonly PolicyRule[],
): readonly PolicyRule[] {
  return wanted.flatMap(breakDown).filter((part) => !held.some((rule) => covers(rule, part)));
}

/** Splits a rule into rules of a single verb and a single group, resource and name (or URL). */
function breakDown(rule: PolicyRule): readonly PolicyRule[] {
  const parts: PolicyRule[] = [];
  for (const group of rule.apiGroups ?? []) {
    for (const resource of rule.resources ?? []) {
      for (const verb of rule.verbs) {
        const part = { verbs: [verb], apiGroups: [group], resources: [resource] };
        if (!rule.resourceNames?.length) parts.push(part);
        for (const name of rule.resourceNames ?? []) parts.push({ ...part, resourceNames: [name] });
      }
    }
  }
  for (const url of rule.nonResourceURLs ?? []) {
    for (const verb of rule.verbs) parts.push({ verbs: [verb], nonResourceURLs: [url] });
  }
  return parts;
}

function covers(owner: PolicyRule, part: PolicyRule): boolean {
  if (!has(owner.verbs, everything) && !hasAll(owner.verbs, part.verbs)) return false;
  const url = part.nonResourceURLs?.[0];
  if (url !== undefined) return pathMatches(owner.nonResourceURLs, url);
  if (!has(owner.apiGroups, everything) && !hasAll(owner.apiGroups, part.apiGroups)) return false;
  const [name = "", subresource = ""] = (part.resources?.[0] ?? "").split("/");
  if (!resourceMatches(owner.resources, name, subresource)) return false;
  if (!owner.resourceNames?.length) return true;
  return (part.resourceNames?.length ?? 0) > 0 && hasAll(owner.resourceNames, part.resourceNames);
}

/** Merges single-resource rules that differ only in their verbs. */
export function compactRules(rules: readonly PolicyRule[]): readonly PolicyRule[] {
  const merged = new Map<string, PolicyRule>();
  for (const rule of rules) {
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames, rule.nonResourceURLs]);
    const present = merged.get(key);
    merged.set(key, present ? { ...present, verbs: [...present.verbs, ...rule.verbs] } : rule);
  }
  return [...merged.values()];
}

const quotedList = (values: readonly string[]) =>
  `[${values.map((value) => JSON.stringify(value)).join(" ")}]`;

/** `{APIGroups:["apps"], Resources:["deployments"], Verbs:["get"]}`: a rule as upstream's messages show it. */
export function describeRule(rule: PolicyRule): string {
  const parts = [
    ["APIGroups", rule.apiGroups],
    ["Resources", rule.resources],
    ["NonResourceURLs", rule.nonResourceURLs],
    ["ResourceNames", rule.resourceNames],
    ["Verbs", rule.verbs],
  ] as const;
  const shown = parts.flatMap(([name, values]) => (values?.length ? [`${name}:${quotedList(values)}`] : []));
  return `{${shown.join(", ")}}`;
}

/** `user "x" (groups=["a" "b"])`: how the messages name who asks. */
export function describeUser(user: UserInfo): string {
  return `user ${JSON.stringify(user.name)} (groups=${quotedList(user.groups)})`;
}
