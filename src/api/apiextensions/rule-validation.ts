import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors } from "../../apimachinery/index.ts";
import type { CostEstimator, DeclaredType, Environment, Program } from "../../cel/index.ts";
import {
  boolType,
  declaredBySchema,
  estimateCost,
  ruleEnvironment,
  ruleEstimator,
  sameType,
  stringType,
  usesOldSelf,
} from "../../cel/index.ts";
import { expressionVersion } from "../common/expressions.ts";
import { internalValue } from "../common/internal-value.ts";
import type { JSONSchemaProps, ValidationRule } from "../types/apiextensions-v1.ts";
import { itemSchema, schemaIn } from "./schema-walk.ts";

/** What one expression may cost by estimate, and what all of a schema may together. */
const mostCost = 10_000_000n;
const mostTotalCost = 100_000_000n;
/** Expressions that cost so much of the total are named when it is exceeded; so many at most. */
const notableCost = mostTotalCost / 100n;
const mostNamed = 4;
const mostInRequest = 3 * 1024 * 1024;
const ruleKind = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ValidationRule";

/** Where in a schema a rule stands. */
interface Place {
  readonly path: FieldPath;
  readonly isResource: boolean;
  /** How often values may occur there; nothing if there is no bound. */
  readonly occurrences: bigint | undefined;
  /** The outermost part in which old and new values cannot be told which is which. */
  readonly uncorrelatable: FieldPath | undefined;
}

/** Checks the rules of a structural schema: that they compile, and what they may cost. */
export function validateExpressions(
  schema: JSONSchemaProps,
  path: FieldPath,
  options: { readonly schemaErrors: readonly FieldError[]; readonly unchanged: boolean },
): readonly FieldError[] {
  const validation = new ExpressionValidation(options);
  validation.visit(schema, { path, isResource: true, occurrences: 1n, uncorrelatable: undefined });
  return [...validation.errors, ...validation.totalErrors(path)];
}

class ExpressionValidation {
  readonly errors: FieldError[] = [];
  readonly #wrongFields: readonly string[];
  readonly #unchanged: boolean;
  readonly #costs: { readonly path: FieldPath; readonly cost: bigint }[] = [];

  constructor(options: { readonly schemaErrors: readonly FieldError[]; readonly unchanged: boolean }) {
    this.#wrongFields = options.schemaErrors.map(({ field }) => field);
    this.#unchanged = options.unchanged;
  }

  visit(schema: JSONSchemaProps, place: Place): void {
    const { path } = place;
    const occurrences = occurrencesWithin(schema, place.occurrences);
    const inner = (child: JSONSchemaProps, at: FieldPath, isCorrelatable: boolean): void => {
      const isResource = child["x-kubernetes-embedded-resource"] === true;
      const uncorrelatable = place.uncorrelatable ?? (isCorrelatable ? undefined : path);
      this.visit(child, { path: at, isResource, occurrences, uncorrelatable });
    };
    const values = schemaIn(schema.additionalProperties);
    if (values) inner(values, path.child("additionalProperties"), true);
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      inner(property, path.child("properties").key(name), true);
    }
    const items = itemSchema(schema);
    if (items) inner(items, path.child("items"), schema["x-kubernetes-list-type"] === "map");
    const rules = schema["x-kubernetes-validations"] ?? [];
    if (rules.length > 0 && !this.#hasSchemaErrors(path)) this.#checkRules(schema, rules, place);
  }

  /** What is wrong with the schema itself comes first: what follows of it would only confuse. */
  #hasSchemaErrors({ text }: FieldPath): boolean {
    return this.#wrongFields.some(
      (field) => field === text || field.startsWith(`${text}.`) || field.startsWith(`${text}[`),
    );
  }

  #checkRules(schema: JSONSchemaProps, rules: readonly ValidationRule[], place: Place): void {
    const at = place.path.child("x-kubernetes-validations");
    const self = declaredBySchema(schema, { name: "selfType", isResource: place.isResource });
    if (!self) {
      const detail =
        "internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations";
      this.errors.push({ type: "InternalError", field: at.text, detail });
      return;
    }
    const compiler = new RuleCompiler(self);
    for (const [index, rule] of rules.entries()) {
      this.#checkRule(rule, { ...place, path: at.index(index) }, compiler);
    }
  }

  #checkRule(rule: ValidationRule, place: Place, compiler: RuleCompiler): void {
    const { path, uncorrelatable } = place;
    const { messageExpression = "", optionalOldSelf } = rule;
    const rulePath = path.child("rule");
    const program = compiler.compile(rule, "rule");
    if (typeof program === "string") this.errors.push(invalidRule(rulePath, rule, program));
    else {
      const cost = compiler.costOf(program) * (place.occurrences ?? compiler.mostOccurrences);
      this.#checkCost(rulePath, cost, "estimated rule cost");
      if (messageExpression !== "") this.#checkMessage(rule, path.child("messageExpression"), compiler);
    }
    if (typeof program !== "string" && usesOldSelf(program.checked)) {
      if (!uncorrelatable) return;
      const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelatable.text}`;
      this.errors.push(fieldErrors.invalid(rulePath, rule.rule, why));
    } else if (optionalOldSelf !== undefined) {
      const why = "may not be set if oldSelf is not used in rule";
      this.errors.push(fieldErrors.invalid(path.child("optionalOldSelf"), optionalOldSelf, why));
    }
  }

  #checkMessage(rule: ValidationRule, path: FieldPath, compiler: RuleCompiler): void {
    const program = compiler.compile(rule, "messageExpression");
    if (typeof program === "string") this.errors.push(invalidRule(path, rule, program));
    else this.#checkCost(path, compiler.costOf(program), "estimated messageExpression cost");
  }

  #checkCost(path: FieldPath, cost: bigint, noun: string): void {
    this.#costs.push({ path, cost });
    if (this.#unchanged || cost <= mostCost) return;
    this.errors.push(fieldErrors.forbidden(path, excess(noun, cost, mostCost)));
  }

  /** What is wrong with all rules together. */
  totalErrors(path: FieldPath): readonly FieldError[] {
    const total = this.#costs.reduce((sum, { cost }) => sum + cost, 0n);
    if (total <= mostTotalCost) return [];
    const named = this.#costs
      .filter(({ cost }) => cost >= notableCost)
      .toSorted((one, other) => Number(other.cost - one.cost))
      .slice(0, mostNamed);
    const why = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
    const noun = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
    return [
      ...named.map((each) => fieldErrors.forbidden(each.path, why)),
      fieldErrors.forbidden(path, excess(noun, total, mostTotalCost)),
    ];
  }
}

/** How errors name the expressions of a rule, and what these must be. */
const expressions = {
  rule: { name: "", subject: "cel expression", wanted: "a bool", type: boolType },
  messageExpression: {
    name: "messageExpression ",
    subject: "messageExpression",
    wanted: "a string",
    type: stringType,
  },
};

/** Compiles the rules of one schema. */
class RuleCompiler {
  /** How many of its values fit into a request. */
  readonly mostOccurrences: bigint;
  readonly #self: DeclaredType;
  readonly #estimator: CostEstimator;
  readonly #environments = new Map<boolean, Environment>();

  constructor(self: DeclaredType) {
    this.#self = self;
    this.#estimator = ruleEstimator(self);
    this.mostOccurrences = BigInt(Math.floor(mostInRequest / (self.leastSize + 1)));
  }

  /** A program, or why there is none. */
  compile(rule: ValidationRule, field: keyof typeof expressions): Program | string {
    const { name, subject, wanted, type } = expressions[field];
    const compilation = this.#environment(rule.optionalOldSelf === true).compile(rule[field] ?? "");
    if (compilation.type === "invalid") return `${name}compilation failed: ${compilation.message}`;
    if (compilation.type === "failed") {
      return `${name || "program "}instantiation failed: ${compilation.message}`;
    }
    const { program } = compilation;
    return sameType(program.resultType, type) ? program : `${subject} must evaluate to ${wanted}`;
  }

  costOf({ checked }: Program): bigint {
    return estimateCost(checked, this.#estimator).max;
  }

  #environment(optionalOldSelf: boolean): Environment {
    const known = this.#environments.get(optionalOldSelf);
    if (known) return known;
    const environment = ruleEnvironment(expressionVersion, this.#self, { optionalOldSelf });
    this.#environments.set(optionalOldSelf, environment);
    return environment;
  }
}

const invalidRule = (path: FieldPath, rule: ValidationRule, why: string): FieldError =>
  fieldErrors.invalid(path, internalValue(rule, ruleKind), why);

/** How often values within a schema may occur if those of the schema occur so often. */
function occurrencesWithin(schema: JSONSchemaProps, outside: bigint | undefined): bigint | undefined {
  const isMap = schema.type === "object" && schema.additionalProperties !== undefined;
  if (!isMap && schema.type !== "array") return outside;
  const most = isMap ? schema.maxProperties : schema.maxItems;
  return most === undefined || outside === undefined ? undefined : outside * BigInt(Math.max(0, most));
}

const greatestFactor = 100;
const exactFactor = 1.5;

function excess(noun: string, cost: bigint, limit: bigint): string {
  const times = Number(cost) / Number(limit);
  const shown = `${times.toFixed(times < exactFactor ? 6 : 1)}x`;
  const factor = times > greatestFactor ? `more than ${greatestFactor}x` : shown;
  return `${noun} exceeds budget by factor of ${factor} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
}
