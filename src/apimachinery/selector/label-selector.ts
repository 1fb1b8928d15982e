import type { LabelSelector } from "../generated/meta-v1.ts";
import { parseRequirements } from "./label-parser.ts";
import {
  checkedRequirement,
  meets,
  requirementText,
  SelectorError,
  type Operator,
  type Requirement,
} from "./requirement.ts";

export type Labels = Readonly<Record<string, string>>;

/** Chooses objects by their labels. */
export interface Selector {
  readonly type: "requirements" | "nothing";
  /** All must be met, sorted by key; none means everything. */
  readonly requirements: readonly Requirement[];
}

/** Matches every object. */
export const everything: Selector = Object.freeze({ type: "requirements", requirements: [] });

/** Matches no object. */
export const nothing: Selector = Object.freeze({ type: "nothing", requirements: [] });

/** Reads `a=b,c!=d,e in (x,y),!f,g,h>1`; throws `SelectorError`. */
export function parseLabelSelector(text: string): Selector {
  return text === "" ? everything : { type: "requirements", requirements: parseRequirements(text) };
}

const expressionOperators: Readonly<Record<string, Operator>> = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
};

/** The selector of a `LabelSelector` object: an absent one matches nothing, an empty one everything. */
export function labelSelectorOf(selector: LabelSelector | null | undefined): Selector {
  if (selector === undefined || selector === null) return nothing;
  const { matchLabels = {}, matchExpressions = [] } = selector;
  const requirements: Requirement[] = [];
  for (const [key, value] of Object.entries(matchLabels)) {
    requirements.push(checkedRequirement({ key, operator: "=", values: [value] }));
  }
  for (const { key, operator: name, values = [] } of matchExpressions) {
    const operator = expressionOperators[name];
    if (operator === undefined) {
      throw new SelectorError(`${JSON.stringify(name)} is not a valid label selector operator`);
    }
    requirements.push(checkedRequirement({ key, operator, values }));
  }
  return sorted(requirements);
}

/** Matches objects that have all these labels, unchecked: for selectors of Services and ReplicationControllers. */
export function selectorOfLabels(labels: Labels): Selector {
  return sorted(Object.entries(labels).map(([key, value]) => ({ key, operator: "=", values: [value] })));
}

const sorted = (requirements: readonly Requirement[]): Selector => ({
  type: "requirements",
  requirements: [...requirements].sort((one, other) =>
    one.key < other.key ? -1 : one.key > other.key ? 1 : 0,
  ),
});

/** Whether the labels meet every requirement. */
export function selectorMatches(selector: Selector, labels: Labels | undefined): boolean {
  if (selector.type === "nothing") return false;
  for (const requirement of selector.requirements) {
    if (!meets(requirement, labels ?? noLabels)) return false;
  }
  return true;
}

const noLabels: Labels = Object.freeze({});

/** The text form, as in a query. */
export function formatSelector(selector: Selector): string {
  return selector.requirements.map(requirementText).join(",");
}

/** What `kubectl` prints for a `LabelSelector` object. */
export function formatLabelSelector(selector: LabelSelector | undefined): string {
  try {
    const text = formatSelector(labelSelectorOf(selector));
    return text === "" ? "<none>" : text;
  } catch (error) {
    if (error instanceof SelectorError) return "<error>";
    throw error;
  }
}

/** The one value of a label that the selector asks for, if it does: for look-ups by index. */
export function exactMatch(selector: Selector, key: string): string | undefined {
  const found = selector.requirements.find((requirement) => requirement.key === key);
  if (found === undefined || found.values.length !== 1) return undefined;
  return found.operator === "=" || found.operator === "==" || found.operator === "in"
    ? found.values[0]
    : undefined;
}
