import { visit, type Expression, type ListLiteral } from "../syntax/ast.ts";
import type { Issue } from "../syntax/issues.ts";
import { formatProblems } from "../library/format-text.ts";
import type { Checked, Unchecked } from "./checker.ts";
import { dynType, type CelType, type Kind } from "./types.ts";

const textKinds: readonly Kind[] = [
  ...(["list", "map", "int", "uint", "double", "bool", "string"] as const),
  ...(["timestamp", "bytes", "duration", "type", "null"] as const),
];

/** What the clauses of formats take. */
const clauses: Readonly<Record<string, { readonly kinds: readonly Kind[]; readonly problem: string }>> = {
  d: { kinds: ["int", "uint"], problem: formatProblems.decimal },
  f: { kinds: ["double", "string"], problem: formatProblems.fixed },
  e: { kinds: ["double", "string"], problem: formatProblems.scientific },
  b: { kinds: ["int", "uint", "bool"], problem: formatProblems.binary },
  o: { kinds: ["int", "uint"], problem: formatProblems.octal },
  x: { kinds: ["int", "uint", "string", "bytes"], problem: formatProblems.hex },
  X: { kinds: ["int", "uint", "string", "bytes"], problem: formatProblems.hex },
  s: { kinds: textKinds, problem: formatProblems.text },
};

/** A problem with a format, and the argument that has it. */
interface Problem {
  readonly message: string;
  readonly node?: Expression;
}

/** Finds constant formats whose clauses do not fit what stands in the list of arguments. */
export function validateFormats(
  { expression, positions, source }: Unchecked,
  { types }: Pick<Checked, "types">,
): readonly Issue[] {
  const issues: Issue[] = [];
  const typeOf = (node: Expression) => types.get(node.id) ?? dynType;
  visit(expression, (node) => {
    if (node.kind !== "call" || node.name !== "format" || node.args.length !== 1) return;
    const [args] = node.args;
    const format = node.target?.kind === "literal" ? node.target.value : undefined;
    if (typeof format !== "string" || args?.kind !== "list") return;
    const problem = problemOf(format, args, typeOf);
    if (!problem) return;
    const location = source.locationOf(positions.get((problem.node ?? node).id) ?? 0);
    issues.push({ location, message: problem.message });
  });
  return issues;
}

function problemOf(
  format: string,
  { elements }: ListLiteral,
  typeOf: (node: Expression) => CelType,
): Problem | undefined {
  let used = 0;
  for (const [clause, digits, verb = ""] of format.matchAll(/%(?:%|(?:\.(\d*))?([^]?))/g)) {
    if (clause === "%%") continue;
    if (clause === "%") return { message: "unexpected end of string" };
    const argument = elements[used];
    if (!argument) return { message: `index ${used} out of range` };
    used++;
    const unreadable = clauseProblem(verb, digits);
    if (unreadable !== undefined) return { message: `could not parse formatting clause: ${unreadable}` };
    const misfit = misfitOf(argument, verb, typeOf);
    if (!misfit) continue;
    const given = typeOf(misfit).name;
    return {
      message: `error during formatting: ${clauses[verb]?.problem}, was given ${given}`,
      node: misfit,
    };
  }
  if (elements.length <= used) return undefined;
  const counts = `(expected ${used}, got ${elements.length})`;
  return { message: `too many arguments supplied to string.format ${counts}` };
}

function clauseProblem(verb: string, digits: string | undefined): string | undefined {
  const precision = "error while parsing precision";
  if (verb === "") return `${precision}: could not find end of precision specifier`;
  if (digits === "") {
    return `${precision}: error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax`;
  }
  return Object.hasOwn(clauses, verb) ? undefined : `unrecognized formatting clause "${verb}"`;
}

/** The argument if its type is none that the clause takes, or what is within it and not fit for text. */
function misfitOf(
  node: Expression,
  verb: string,
  typeOf: (node: Expression) => CelType,
): Expression | undefined {
  const { kind } = typeOf(node);
  if (kind !== "dyn" && !clauses[verb]?.kinds.includes(kind)) return node;
  if (verb !== "s") return undefined;
  const within =
    node.kind === "list"
      ? node.elements
      : node.kind === "map"
        ? node.entries.flatMap(({ key, value }) => [key, value])
        : [];
  for (const inner of within) {
    const misfit = misfitOf(inner, verb, typeOf);
    if (misfit) return misfit;
  }
  return undefined;
}
