import { FieldPath, deepEqual, fieldErrors, type FieldError } from "../../../apimachinery/index.ts";
import { isOfFormat } from "./formats.ts";
import { identityOf, keyValues } from "./lists.ts";
import { nodeOf, type SchemaNode } from "./node.ts";
import { checkNumber } from "./validate-numbers.ts";
import { isFields, isValues, type Fields } from "./values.ts";

/** What there was before; a value that is as it was is not looked at again. */
type Old = { readonly value: unknown } | undefined;

interface Place {
  readonly node: SchemaNode;
  readonly path: string;
  readonly old: Old;
  readonly findings: Findings;
}

/** What is wrong with a value by its schema; of a change, only with what it changes. */
export function validateBySchema(
  value: unknown,
  node: SchemaNode,
  options: { readonly old?: unknown; readonly at?: FieldPath } = {},
): readonly FieldError[] {
  const { old, at } = options;
  const findings = new Findings(at);
  check(value, { node, path: "", old: old === undefined ? undefined : { value: old }, findings });
  return findings.errors;
}

/** So many schemas of alternatives are tried for one object: values times schemas may be any number. */
const mostTrials = 500_000;
/** So many mistakes of one object are told. */
const mostErrors = 10_000;

const textOf = ({ field, detail }: FieldError): string => `${field} ${detail}`;

/** What has been found so far; of several schemas, upstream tells of the one that most speaks for. */
class Findings {
  readonly errors: FieldError[] = [];
  matches = 0;
  #told: Set<string> | undefined;
  readonly #at: FieldPath | undefined;
  readonly #trials: { left: number };

  constructor(at: FieldPath | undefined, trials = { left: mostTrials }) {
    this.#at = at;
    this.#trials = trials;
  }

  /** For what is tried: its findings count only if they are merged. Undefined when too much has been tried already. */
  aside(): Findings | undefined {
    if (this.#trials.left-- > 0) return new Findings(this.#at, this.#trials);
    const why = `must not need to be held against more than ${mostTrials} alternatives`;
    this.add(fieldErrors.invalid(wholeObject, "", why));
    return undefined;
  }

  add(error: FieldError): void {
    if (this.errors.length >= mostErrors) return;
    if (this.errors.length > 0) {
      this.#told ??= new Set(this.errors.map(textOf));
      const text = textOf(error);
      if (this.#told.has(text)) return;
      this.#told.add(text);
    }
    this.errors.push(error);
  }

  merge({ errors, matches }: Findings): void {
    for (const error of errors) this.add(error);
    this.matches += matches;
  }

  /** The field that a path within the value leads to. */
  field(path: string): FieldPath {
    const name = path.startsWith(".") ? path.slice(1) : path;
    if (name === "") return this.#at ?? wholeObject;
    return this.#at ? this.#at.child(name) : FieldPath.root(name);
  }

  /** As upstream's checks name it: where, in which part of the request, and what is wrong. */
  invalid(path: string, value: unknown, problem: string): void {
    this.add(fieldErrors.invalid(this.field(path), value, said(path, problem)));
  }

  wrongType(path: string, wanted: string, found: string): void {
    const problem = said(path, `must be of type ${wanted}: ${JSON.stringify(found)}`);
    this.add(fieldErrors.typeInvalid(this.field(path), found, problem));
  }

  /** What is wrong with the value as one. */
  whole(path: string, problem: string): void {
    this.add(fieldErrors.invalid(this.field(""), "", `${JSON.stringify(path)} ${problem}`));
  }
}

/** Upstream's path of the object as a whole. */
const wholeObject = FieldPath.root("<nil>");

const said = (path: string, problem: string): string => `${path} in body ${problem}`;

function check(value: unknown, place: Place): void {
  const { node, old, findings } = place;
  if (value === undefined || (old && deepEqual(old.value, value))) return;
  if (value === null) {
    checkNull(place);
    return checkEnum(value, place);
  }
  if (node.types.length > 0 || node.format !== "") checkType(value, place);
  if (node.hasBranches) checkBranches(value, place);
  findings.matches += 4;
  if (typeof value === "string") checkText(value, place);
  if (typeof value === "number") checkNumber(value, { schema: node.schema, ...place });
  if (isValues(value)) checkList(value, place);
  checkEnum(value, place);
  if (isFields(value)) checkFields(value, place);
}

function checkNull({ node, path, findings }: Place): void {
  if (node.types.length === 0 || node.nullable) findings.matches++;
  else findings.wrongType(path, node.types.join(","), "null");
}

/** Upstream's name of a value's type, and of the format that it gives to all values of the type. */
function typeOf(value: unknown): readonly [type: string, format: string] {
  if (isValues(value)) return ["array", ""];
  if (typeof value === "number")
    return Number.isInteger(value) ? ["integer", "int64"] : ["number", "float64"];
  return [typeof value, ""];
}

function checkType(value: unknown, { node, path, findings }: Place): void {
  const { types, format } = node;
  const [type, ownFormat] = typeOf(value);
  findings.matches++;
  const fits = types.includes(type) || (type === "integer" && types.includes("number"));
  const isListOrText = type === "string" || type === "array";
  if (format !== "") {
    if (!isListOrText && !fits && ownFormat !== format) return findings.wrongType(path, format, ownFormat);
    if (isListOrText && !types.includes("number") && !types.includes("integer")) {
      findings.matches++;
      return;
    }
  }
  if (fits) findings.matches++;
  else findings.wrongType(path, types.join(","), type);
}

function checkEnum(value: unknown, { node, path, findings }: Place): void {
  const { enum: values = [] } = node.schema;
  const isAllowed =
    values.length === 0 ||
    // Null is none of the values, even where it is named.
    (value !== null && values.some((allowed) => deepEqual(allowed, value)));
  if (isAllowed) return;
  const shown = values.map((allowed) => (typeof allowed === "string" ? allowed : JSON.stringify(allowed)));
  findings.add(fieldErrors.notSupported(findings.field(path), value, shown));
}

function checkText(value: string, { node, path, findings }: Place): void {
  const { format } = node;
  const length = node.hasLengths ? Array.from(value).length : 0;
  const { maxLength, minLength, pattern } = node.schema;
  findings.matches++;
  if (maxLength !== undefined && length > maxLength) {
    findings.add(fieldErrors.tooLong(findings.field(path), maxLength));
  } else if (minLength !== undefined && length < minLength) {
    findings.invalid(path, value, `should be at least ${minLength} chars long`);
  } else if (node.pattern?.test(value) === false) {
    findings.invalid(path, value, `should match '${pattern}'`);
  }
  if (format === "") return;
  findings.matches++;
  if (!isOfFormat(value, format)) findings.wrongType(path, format, value);
}

function checkList(list: readonly unknown[], place: Place): void {
  const { node, path, findings } = place;
  const { maxItems, minItems, uniqueItems } = node.schema;
  const { items } = node;
  if (items) {
    const olds = oldElements(place);
    for (const [index, element] of list.entries()) {
      check(element, { node: items, path: `${path}[${index}]`, old: olds?.(element), findings });
    }
  }
  if (minItems !== undefined && list.length < minItems) {
    findings.invalid(path, list.length, `should have at least ${minItems} items`);
  }
  if (maxItems !== undefined && list.length > maxItems) {
    findings.add(fieldErrors.tooMany(findings.field(path), list.length, maxItems));
  }
  if (uniqueItems && new Set(list.map(identityOf)).size < list.length) {
    findings.invalid(path, "", "shouldn't contain duplicates");
  }
  findings.matches += 2;
}

/** Finds what an element of a list with keys was before; elements of other lists are not known again. */
function oldElements({ node, old }: Place): ((element: unknown) => Old) | undefined {
  if (node.schema["x-kubernetes-list-type"] !== "map" || !old || !isValues(old.value)) return undefined;
  const identity = (element: unknown) => identityOf(keyValues(element, node));
  const known = new Map(old.value.map((element) => [identity(element), { value: element }]));
  return (element) => known.get(identity(element));
}

function checkFields(fields: Fields, place: Place): void {
  const { node, path, findings } = place;
  const { maxProperties, minProperties, required = [] } = node.schema;
  findings.matches++;
  if (minProperties !== undefined || maxProperties !== undefined) {
    const count = Object.keys(fields).length;
    if (minProperties !== undefined && count < minProperties) {
      return findings.invalid(path, count, `should have at least ${minProperties} properties`);
    }
    if (maxProperties !== undefined && count > maxProperties) {
      return findings.add(fieldErrors.tooMany(findings.field(path), count, maxProperties));
    }
  }
  const olds = place.old && isFields(place.old.value) ? place.old.value : undefined;
  for (const name of Object.keys(fields)) {
    const known = nodeOf(node, name);
    if (known) {
      const isNamed = path === "" && node.properties.has(name);
      const old = olds && Object.hasOwn(olds, name) ? { value: olds[name] } : undefined;
      check(fields[name], { node: known, path: isNamed ? name : `${path}.${name}`, old, findings });
    } else if (node.schema.additionalProperties === false) {
      const why = `${path}.${name} in body is a forbidden property`;
      findings.add(fieldErrors.invalid(findings.field(path), name, why));
    }
  }
  for (const name of required) {
    if (!Object.hasOwn(fields, name)) findings.add(fieldErrors.required(findings.field(`${path}.${name}`)));
  }
}

/** Values that must be as other schemas say, too. Nothing is left out there because it was so before. */
function checkBranches(value: unknown, place: Place): void {
  const { node, path, findings } = place;
  const tried = (schema: SchemaNode): Findings | undefined => {
    const aside = findings.aside();
    if (aside) check(value, { node: schema, path, old: undefined, findings: aside });
    return aside;
  };
  checkAny(node.anyOf, { path, findings, tried });
  checkOne(node.oneOf, { path, findings, tried });
  const all = node.allOf.flatMap((schema) => tried(schema) ?? []);
  for (const each of all) findings.merge(each);
  const failed = all.filter(({ errors }) => errors.length > 0).length;
  if (failed > 0) {
    const none = failed === all.length ? ". None validated" : "";
    findings.whole(path, `must validate all the schemas (allOf)${none}`);
  }
  if (node.not && tried(node.not)?.errors.length === 0) {
    findings.whole(path, "must not validate the schema (not)");
  }
}

interface Trial {
  readonly path: string;
  readonly findings: Findings;
  readonly tried: (schema: SchemaNode) => Findings | undefined;
}

function checkAny(schemas: readonly SchemaNode[], { path, findings, tried }: Trial): void {
  const failed: Findings[] = [];
  for (const schema of schemas) {
    const found = tried(schema);
    if (!found) return;
    if (found.errors.length === 0) return findings.merge(found);
    failed.push(found);
  }
  if (failed.length === 0) return;
  findings.whole(path, "must validate at least one schema (anyOf)");
  findings.merge(nearest(failed));
}

function checkOne(schemas: readonly SchemaNode[], { path, findings, tried }: Trial): void {
  if (schemas.length === 0) return;
  const all = schemas.flatMap((schema) => tried(schema) ?? []);
  if (all.length < schemas.length) return;
  const [first, ...more] = all.filter(({ errors }) => errors.length === 0);
  if (first && more.length === 0) return findings.merge(first);
  const found = first ? `Found ${more.length + 1} valid alternatives` : "Found none valid";
  findings.whole(path, `must validate one and only one schema (oneOf). ${found}`);
  if (!first) findings.merge(nearest(all));
}

/** The findings by the schema for which most speaks. */
const nearest = (failures: readonly Findings[]): Findings =>
  failures.reduce((best, each) => (each.matches > best.matches ? each : best));
