import { FieldPath, fieldErrorMessage, goQuote, timestampOf } from "../../apimachinery/index.ts";
import { semanticallyEqual, structureProblem, validateStructure } from "../../api/index.ts";
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition as Condition,
  CustomResourceDefinitionNames as Names,
  CustomResourceDefinitionStatus as Status,
} from "../../api/types/apiextensions-v1.ts";

/** What a condition says, without the time since when it does. */
export type Said = Pick<Condition, "type" | "status" | "reason" | "message">;

/** Conditions with what is said now; the time changes with the status alone. */
export function withCondition(
  conditions: readonly Condition[] | null | undefined,
  said: Said,
  now: number,
): readonly Condition[] {
  const old = conditions?.find(({ type }) => type === said.type);
  const isSame = old?.status === said.status && old.reason === said.reason && old.message === said.message;
  if (conditions && isSame) return conditions;
  const lastTransitionTime =
    old?.status === said.status && old.lastTransitionTime ? old.lastTransitionTime : timestampOf(now);
  const condition = { ...said, lastTransitionTime };
  return old && conditions
    ? conditions.map((each) => (each === old ? condition : each))
    : [...(conditions ?? []), condition];
}

/** Whether a condition holds. */
export const holds = ({ status }: CustomResourceDefinition, type: string): boolean =>
  status.conditions?.some((condition) => condition.type === type && condition.status === "True") === true;

const approvalAnnotation = "api-approved.kubernetes.io";
const proposal = "see https://github.com/kubernetes/enhancements/pull/1111";

/** Whether those who look after Kubernetes' own groups have approved of a definition; nothing in other groups. */
function approval({ metadata, spec }: CustomResourceDefinition): Said | undefined {
  if (!/(?:^|\.)k8s\.io$|(?:^|\.)kubernetes\.io$/.test(spec.group)) return undefined;
  const type = "KubernetesAPIApprovalPolicyConformant";
  const annotation = metadata.annotations?.[approvalAnnotation] ?? "";
  const needed = `protected groups must have approval annotation ${goQuote(approvalAnnotation)}`;
  if (annotation === "") {
    return { type, status: "False", reason: "MissingAnnotation", message: `${needed}, ${proposal}` };
  }
  if (annotation.startsWith("unapproved")) {
    return {
      type,
      status: "False",
      reason: "UnapprovedAnnotation",
      message: `not approved: ${goQuote(annotation)}`,
    };
  }
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/]+/i.test(annotation)) {
    return { type, status: "True", reason: "ApprovedAnnotation", message: `approved in ${annotation}` };
  }
  const message = `${needed} with either a URL or a reason starting with "unapproved", ${proposal}`;
  return { type, status: "False", reason: "InvalidAnnotation", message };
}

/** What schemas lack that must say what every field is; nothing where that is asked of them when they are written. */
function structure({ spec }: CustomResourceDefinition): Said | undefined {
  if (spec.preserveUnknownFields !== true) return undefined;
  const type = "NonStructuralSchema";
  const errors: string[] = [];
  for (const [index, { name, schema }] of spec.versions.entries()) {
    const root = schema?.openAPIV3Schema;
    if (!root) continue;
    const problem = structureProblem(root);
    if (problem !== undefined) {
      const message = `failed to check validation schema for version ${name}: ${problem}`;
      return { type, status: "Unknown", reason: "StructuralError", message };
    }
    const at = FieldPath.root("spec").child("versions").index(index).child("schema", "openAPIV3Schema");
    const found = validateStructure(root, at);
    errors.push(...found.map((error) => `${error.field}: ${fieldErrorMessage(error)}`));
  }
  if (errors.length === 0) return undefined;
  const message = errors.length === 1 ? (errors[0] ?? "") : `[${errors.join(", ")}]`;
  return { type, status: "True", reason: "Violations", message };
}

interface Naming {
  readonly names: Names;
  readonly condition: Said;
}

/** Which of the names that a definition asks for it gets: those that no other of its group has. */
function namesOf(definition: CustomResourceDefinition, others: readonly CustomResourceDefinition[]): Naming {
  const group = [definition, ...others.filter(({ spec }) => spec.group === definition.spec.group)];
  const accepted = definition.status.acceptedNames;
  const taken = group.map(({ status }) => status.acceptedNames);
  const resources = new Set(
    taken.flatMap(({ plural, singular = "", shortNames }) => [plural, singular, ...(shortNames ?? [])]),
  );
  const kinds = new Set(taken.flatMap(({ kind, listKind = "" }) => [kind, listKind]));
  const wanted = definition.spec.names;
  let names: Names = accepted;
  let condition: Said = {
    type: "NamesAccepted",
    status: "True",
    reason: "NoConflicts",
    message: "no conflicts found",
  };
  const refuse = (reason: string, message: string) => {
    condition = { type: "NamesAccepted", status: "False", reason, message };
  };
  const problem = (name = "", own = "", used: ReadonlySet<string>) =>
    name === own || !used.has(name) ? undefined : `${goQuote(name)} is already in use`;
  const take = (
    field: "plural" | "singular" | "kind" | "listKind",
    used: ReadonlySet<string>,
    reason: string,
  ) => {
    const why = problem(wanted[field], accepted[field], used);
    if (why === undefined) names = { ...names, [field]: wanted[field] };
    else refuse(reason, why);
  };
  take("plural", resources, "PluralConflict");
  take("singular", resources, "SingularConflict");
  const own = new Set([...(accepted.shortNames ?? []), accepted.plural, accepted.singular]);
  const conflicts = (wanted.shortNames ?? [])
    .filter((name) => !own.has(name) && resources.has(name))
    .map((name) => `${goQuote(name)} is already in use`);
  if (conflicts.length === 0) names = withList(names, "shortNames", wanted.shortNames);
  else
    refuse("ShortNamesConflict", conflicts.length === 1 ? (conflicts[0] ?? "") : `[${conflicts.join(", ")}]`);
  take("kind", kinds, "KindConflict");
  take("listKind", kinds, "ListKindConflict");
  return { names: withList(names, "categories", wanted.categories), condition };
}

function withList(
  names: Names,
  field: "shortNames" | "categories",
  list: readonly string[] | undefined,
): Names {
  const { [field]: _, ...rest } = names;
  return list?.length ? { ...rest, [field]: list } : rest;
}

const notAccepted: Said = {
  type: "Established",
  status: "False",
  reason: "NotAccepted",
  message: "not all names are accepted",
};
const established: Said = {
  type: "Established",
  status: "True",
  reason: "InitialNamesAccepted",
  message: "the initial names have been accepted",
};

/** The status of a definition once it is served: its names, and what is said of it; the same status if nothing changes. */
export function definitionStatus(
  definition: CustomResourceDefinition,
  { others, now }: { readonly others: readonly CustomResourceDefinition[]; readonly now: number },
): Status {
  const { status } = definition;
  const { names, condition } = namesOf(definition, others);
  const isAccepted = condition.status === "True";
  const lacking = structure(definition);
  const known = (status.conditions ?? []).filter(({ type }) => lacking || type !== "NonStructuralSchema");
  const said = [
    lacking,
    approval(definition),
    condition,
    // Once established, a definition stays so.
    holds(definition, "Established") ? undefined : isAccepted ? established : notAccepted,
  ];
  const conditions = said.reduce<readonly Condition[]>(
    (all, each) => (each ? withCondition(all, each, now) : all),
    known,
  );
  const next = { ...status, acceptedNames: names, conditions };
  return semanticallyEqual(next, status) ? status : next;
}
