import { FieldPath, deepEqual, fieldErrors, type FieldError } from "../../../apimachinery/index.ts";
import { expressionVersion } from "../../common/expressions.ts";
import type { ValidationRule } from "../../types/apiextensions-v1.ts";
import {
  Optional,
  declaredBySchema,
  perCallLimit,
  ruleEnvironment,
  usesOldSelf,
  type DeclaredType,
  type Program,
  type Value,
} from "../../../cel/index.ts";
import { identityOf, keyValues } from "./lists.ts";
import { nodeOf, type SchemaNode } from "./node.ts";
import { isFields, isValues } from "./values.ts";

/** What all rules of an object may cost together. */
const mostCost = 10_000_000;
/** Longer messages are not shown. */
const mostInMessage = 5 * 1024;

interface Rule {
  readonly rule: ValidationRule;
  readonly program: Program | string;
  readonly message: Program | undefined;
  readonly usesOldSelf: boolean;
  /** Names of the field, below the value, that errors are of. */
  readonly fieldPath: string;
}

interface NodeRules {
  readonly rules: readonly Rule[];
  readonly self: DeclaredType | undefined;
}

/** The rules that a schema's expressions are, compiled on first use. */
const compiled = new WeakMap<SchemaNode, NodeRules>();
const holders = new WeakMap<SchemaNode, boolean>();

function hasRules(node: SchemaNode): boolean {
  const known = holders.get(node);
  if (known !== undefined) return known;
  const within = [...node.properties.values(), node.values, node.items, ...node.allOf];
  const has =
    (node.schema["x-kubernetes-validations"]?.length ?? 0) > 0 ||
    within.some((each) => each !== undefined && hasRules(each));
  holders.set(node, has);
  return has;
}

function rulesOf(node: SchemaNode): NodeRules {
  const known = compiled.get(node);
  if (known) return known;
  const { "x-kubernetes-validations": rules = [] } = node.schema;
  const self = declaredBySchema(node.schema, { name: "selfType", isResource: node.isResource });
  const made = { self, rules: self ? rules.map((rule) => compile(rule, self)) : [] };
  compiled.set(node, made);
  return made;
}

function compile(rule: ValidationRule, self: DeclaredType): Rule {
  const { optionalOldSelf = false, messageExpression = "", fieldPath = "" } = rule;
  const environment = ruleEnvironment(expressionVersion, self, { optionalOldSelf });
  const compilation = environment.compile(rule.rule);
  const message = messageExpression === "" ? undefined : environment.compile(messageExpression);
  const program = compilation.type === "program" ? compilation.program : compilation.message;
  return {
    rule,
    program,
    message: message?.type === "program" ? message.program : undefined,
    usesOldSelf: typeof program !== "string" && usesOldSelf(program.checked),
    fieldPath: fieldPath.replace(/^\./, ""),
  };
}

interface Place {
  readonly node: SchemaNode;
  readonly path: FieldPath | undefined;
  readonly old: unknown;
  /** The innermost value around that can be compared with what it was is the same. */
  readonly isUnchanged: boolean;
}

/** What is wrong with an object by the rules of its schema; of a change, only with what it changes. */
export function validateByRules(
  object: object,
  node: SchemaNode,
  old: object | undefined,
): readonly FieldError[] {
  if (!hasRules(node)) return [];
  const evaluation = new RuleEvaluation();
  evaluation.visit(object, { node, path: undefined, old, isUnchanged: false });
  return evaluation.errors;
}

/** The evaluation of all rules of one object; it ends when they have cost too much. */
class RuleEvaluation {
  readonly errors: FieldError[] = [];
  #budget = mostCost;

  visit(value: unknown, place: Place): void {
    const { node, path, old } = place;
    if (this.#budget < 0 || value === undefined || value === null || !hasRules(node)) return;
    const here = { ...place, isUnchanged: old === undefined ? place.isUnchanged : deepEqual(old, value) };
    this.#evaluate(value, here);
    for (const schema of node.allOf) this.visit(value, { ...here, node: schema });
    if (isValues(value)) this.#visitList(value, here);
    else if (isFields(value)) {
      const olds = isFields(old) && node.schema["x-kubernetes-map-type"] !== "atomic" ? old : {};
      for (const [name, child] of Object.entries(value)) {
        const known = nodeOf(node, name);
        if (!known) continue;
        const isNamed = node.properties.has(name);
        const at = isNamed || !path ? childOf(path, name) : path.key(name);
        this.visit(child, { ...here, node: known, path: at, old: olds[name] });
      }
    }
  }

  #visitList(list: readonly unknown[], place: Place): void {
    const { node, path, old } = place;
    if (!node.items) return;
    const isKeyed = node.schema["x-kubernetes-list-type"] === "map" && isValues(old);
    const identity = (element: unknown) => identityOf(keyValues(element, node));
    const olds = new Map(isKeyed ? old.map((element) => [identity(element), element]) : []);
    for (const [index, element] of list.entries()) {
      const before = isKeyed ? olds.get(identity(element)) : undefined;
      this.visit(element, { ...place, node: node.items, path: path?.index(index), old: before });
    }
  }

  #evaluate(value: unknown, place: Place): void {
    const { rules, self } = rulesOf(place.node);
    if (rules.length === 0 || !self) return;
    const adapted = adapt(self, value);
    const old = place.old === undefined || place.old === null ? undefined : adapt(self, place.old);
    for (const rule of rules) {
      if (this.#budget < 0) return;
      const isOptional = rule.rule.optionalOldSelf === true;
      if (rule.usesOldSelf && old === undefined && !isOptional) continue;
      const before = isOptional ? (old === undefined ? Optional.none : new Optional(old)) : old;
      const variables = before === undefined ? { self: adapted } : { self: adapted, oldSelf: before };
      this.#run(rule, variables, place);
    }
  }

  #run(compiledRule: Rule, variables: Readonly<Record<string, Value>>, place: Place): void {
    const { rule, program, fieldPath } = compiledRule;
    const { node, path } = place;
    const type = node.schema.type ?? "";
    const at = path ?? rootPath;
    const named = (rule.message ?? rule.rule).trim();
    const fail = (detail: string) => void this.errors.push(fieldErrors.invalid(at, type, detail));
    if (typeof program === "string") return fail(`rule compile error: ${program}`);
    const result = program.evaluate(variables, { costLimit: perCallLimit });
    if (!this.#pays(result.cost)) return fail(outOfBudget);
    if (result.type === "error" && result.costExceeded) {
      this.#budget = -1;
      const why = "no further validation rules will be run due to call cost exceeds limit for rule";
      return fail(`'${result.message}': ${why}: ${named}`);
    }
    if (result.type === "error") {
      if (!result.message.startsWith("no such overload"))
        return fail(`${result.message} evaluating rule: ${named}`);
      const why = "call arguments did not match a supported operator, function or macro signature for rule";
      return fail(`'${result.message}': ${why}: ${named}`);
    }
    // What was wrong before, and has not changed, keeps nobody from changing the rest.
    if (result.value === true || (place.isUnchanged && !compiledRule.usesOldSelf)) return;
    const message = this.#message(compiledRule, variables) ?? rule.message?.trim() ?? `failed rule: ${named}`;
    this.errors.push(asError(fieldPath === "" ? at : childOf(path, fieldPath), type, { message, rule }));
  }

  #pays(cost: number): boolean {
    this.#budget = cost > this.#budget ? -1 : this.#budget - cost;
    return this.#budget >= 0;
  }

  #message({ message }: Rule, variables: Readonly<Record<string, Value>>): string | undefined {
    const result = message?.evaluate(variables, { costLimit: perCallLimit });
    if (!result || !this.#pays(result.cost) || result.type === "error") return undefined;
    const text = typeof result.value === "string" ? result.value.trim() : "";
    return text === "" || text.length > mostInMessage || text.includes("\n") ? undefined : text;
  }
}

const rootPath = FieldPath.root("<nil>");

const childOf = (path: FieldPath | undefined, name: string): FieldPath =>
  path ? path.child(name) : FieldPath.root(name);

const adapt = (self: DeclaredType, value: unknown): Value =>
  self.adapt ? self.adapt(value) : (value as Value);

const outOfBudget =
  "validation failed due to running out of cost budget, no further validation rules will be run";

function asError(
  path: FieldPath,
  type: string,
  { message, rule }: { readonly message: string; readonly rule: ValidationRule },
): FieldError {
  switch (rule.reason) {
    case "FieldValueForbidden":
      return fieldErrors.forbidden(path, message);
    case "FieldValueRequired":
      return fieldErrors.required(path, message);
    case "FieldValueDuplicate":
      return fieldErrors.duplicate(path, type);
    default:
      return fieldErrors.invalid(path, type, message);
  }
}
