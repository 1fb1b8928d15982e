import { FieldPath, deepEqual, fieldErrors, goQuote, type FieldError } from "../../../apimachinery/index.ts";
import { expressionVersion } from "../../common/expressions.ts";
import type { JSONSchemaProps, ValidationRule } from "../../types/apiextensions-v1.ts";
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
import { followPath } from "../schema-walk.ts";
import { identityOf, keyValues } from "./lists.ts";
import { isNamed, nodeOf, type SchemaNode } from "./node.ts";
import { isFields, isValues } from "./values.ts";

/** What all rules of an object may cost together. */
const mostCost = 10_000_000;

/** What is left to be spent on rules. */
export class RuleBudget {
  #left = mostCost;

  get isSpent(): boolean {
    return this.#left < 0;
  }

  /** Whether it was enough; if not, nothing more will be. */
  pay(cost: number): boolean {
    this.#left = cost > this.#left ? -1 : this.#left - cost;
    return !this.isSpent;
  }

  spend(): void {
    this.#left = -1;
  }
}
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

/** Whether there are rules in a schema, or within it. */
export function hasRules(node: SchemaNode): boolean {
  const known = holders.get(node);
  if (known !== undefined) return known;
  const within = [...node.properties.values(), node.values, node.items, ...node.allOf];
  const has =
    (node.schema["x-kubernetes-validations"]?.length ?? 0) > 0 ||
    within.some((each) => each !== undefined && hasRules(each));
  holders.set(node, has);
  return has;
}

function rulesOf(node: SchemaNode, observer: RuleObserver | undefined): NodeRules {
  const known = compiled.get(node);
  if (known) return known;
  const started = observer?.now() ?? 0;
  const { "x-kubernetes-validations": rules = [] } = node.schema;
  const self = declaredBySchema(node.schema, { name: "selfType", isResource: node.isResource });
  const made = { self, rules: self ? rules.map((rule) => compile(rule, { self, schema: node.schema })) : [] };
  compiled.set(node, made);
  if (rules.length > 0) observer?.compiled(observer.now() - started);
  return made;
}

function compile(
  rule: ValidationRule,
  { self, schema }: { readonly self: DeclaredType; readonly schema: JSONSchemaProps },
): Rule {
  const { optionalOldSelf = false, messageExpression = "", fieldPath = "" } = rule;
  const environment = ruleEnvironment(expressionVersion, self, { optionalOldSelf });
  const compilation = environment.compile(rule.rule);
  const target = followPath(fieldPath, schema, { keys: true });
  const message = messageExpression === "" ? undefined : environment.compile(messageExpression);
  const program = compilation.type === "program" ? compilation.program : compilation.message;
  return {
    rule,
    program,
    message: message?.type === "program" ? message.program : undefined,
    usesOldSelf: typeof program !== "string" && usesOldSelf(program.checked),
    fieldPath: "text" in target ? target.text : "",
  };
}

interface Place {
  readonly node: SchemaNode;
  readonly path: FieldPath | undefined;
  readonly old: unknown;
  /** The innermost value around that can be compared with what it was is the same. */
  readonly isUnchanged: boolean;
}

/** Hears what rules take, in seconds. */
export interface RuleObserver {
  /** Seconds of a clock that only runs forward. */
  now(): number;
  /** All rules of one schema have been compiled. */
  compiled(seconds: number): void;
  /** A value has been judged. */
  evaluated(seconds: number): void;
}

/** How a value is judged by rules. */
interface Judgement {
  readonly observer?: RuleObserver | undefined;
  readonly old?: unknown;
  /** Where the value stands. */
  readonly at?: FieldPath;
  readonly budget?: RuleBudget;
  /** Hears of what was wrong before, too. */
  readonly warn?: (error: FieldError) => void;
}

/** What is wrong with a value by the rules of its schema; of a change, only with what it changes. */
export function validateByRules(
  value: unknown,
  node: SchemaNode,
  judgement: Judgement = {},
): readonly FieldError[] {
  if (!hasRules(node)) return [];
  const { old, at, observer } = judgement;
  const started = observer?.now() ?? 0;
  const evaluation = new RuleEvaluation(judgement);
  evaluation.visit(value, { node, path: at, old, isUnchanged: false });
  observer?.evaluated(observer.now() - started);
  return evaluation.errors;
}

/** The evaluation of all rules of one object; it ends when they have cost too much. */
class RuleEvaluation {
  readonly errors: FieldError[] = [];
  readonly #budget: RuleBudget;
  readonly #warn: ((error: FieldError) => void) | undefined;
  readonly #observer: RuleObserver | undefined;

  constructor({ budget = new RuleBudget(), warn, observer }: Judgement) {
    this.#budget = budget;
    this.#warn = warn;
    this.#observer = observer;
  }

  visit(value: unknown, place: Place): void {
    const { node, path, old } = place;
    if (this.#budget.isSpent || value === undefined || value === null || !hasRules(node)) return;
    const here = { ...place, isUnchanged: old === undefined ? place.isUnchanged : deepEqual(old, value) };
    this.#evaluate(value, here);
    for (const schema of node.allOf) this.visit(value, { ...here, node: schema });
    if (isValues(value)) this.#visitList(value, here);
    else if (isFields(value)) {
      const olds = isFields(old) ? old : {};
      for (const name of Object.keys(value)) {
        const known = nodeOf(node, name);
        if (!known) continue;
        const at = isNamed(node, name) || !path ? childOf(path, name) : path.key(name);
        this.visit(value[name], { ...here, node: known, path: at, old: olds[name] });
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
    const { rules, self } = rulesOf(place.node, this.#observer);
    if (rules.length === 0 || !self) return;
    const adapted = adapt(self, value);
    const old = place.old === undefined || place.old === null ? undefined : adapt(self, place.old);
    for (const rule of rules) {
      if (this.#budget.isSpent) return;
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
    const named = (rule.message || rule.rule).trim();
    const fail = (detail: string) => void this.errors.push(fieldErrors.invalid(at, type, detail));
    if (typeof program === "string") return fail(`rule compile error: ${program}`);
    const result = program.evaluate(variables, { costLimit: perCallLimit });
    if (!this.#budget.pay(result.cost)) return fail(outOfBudget);
    if (result.type === "error" && result.costExceeded) {
      this.#budget.spend();
      const why = "no further validation rules will be run due to call cost exceeds limit for rule";
      return fail(`'${result.message}': ${why}: ${named}`);
    }
    if (result.type === "error") {
      if (!result.message.startsWith("no such overload"))
        return fail(`${result.message} evaluating rule: ${named}`);
      const why = "call arguments did not match a supported operator, function or macro signature for rule";
      return fail(`'${result.message}': ${why}: ${named}`);
    }
    if (result.value === true) return;
    const error = this.#failure(compiledRule, {
      variables,
      type,
      at: fieldPath === "" ? at : childOf(path, fieldPath),
    });
    // What was wrong before, and has not changed, keeps nobody from changing the rest.
    if (place.isUnchanged && !compiledRule.usesOldSelf) this.#warn?.(error);
    else this.errors.push(error);
  }

  /** What is said of a value for which a rule does not hold. */
  #failure(compiledRule: Rule, { variables, type, at }: Failed): FieldError {
    const { rule, message } = compiledRule;
    const given = rule.message ? rule.message.trim() : `failed rule: ${rule.rule.trim()}`;
    const result = message?.evaluate(variables, { costLimit: perCallLimit });
    if (!result) return asError(at, type, { message: given, rule });
    const stop = (why: string): FieldError => {
      this.#budget.spend();
      return fieldErrors.invalid(at, type, why);
    };
    if (!this.#budget.pay(result.cost)) {
      return stop(
        "messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run",
      );
    }
    if (result.type === "error" && result.costExceeded) {
      const expression = goQuote(rule.messageExpression ?? "");
      const why =
        "no further validation rules will be run due to call cost exceeds limit for messageExpression";
      return stop(`${why}: ${expression}`);
    }
    const text = result.type === "error" || typeof result.value !== "string" ? "" : result.value.trim();
    const isFit = text !== "" && byteLength(text) <= mostInMessage && !text.includes("\n");
    return asError(at, type, { message: isFit ? text : given, rule });
  }
}

interface Failed {
  readonly variables: Readonly<Record<string, Value>>;
  readonly type: string;
  readonly at: FieldPath;
}

const encoder = new TextEncoder();
const byteLength = (text: string): number => encoder.encode(text).length;

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
