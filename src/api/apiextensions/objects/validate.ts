import { FieldPath, deepEqual, fieldErrors, type FieldError } from "../../../apimachinery/index.ts";
import { isOfFormat } from "./formats.ts";
import { duplicatesIn, identityOf, keyValues } from "./lists.ts";
import { nodeOf, type SchemaNode } from "./node.ts";
import { isFields, isValues, type Fields } from "./values.ts";

/** What there was before; a value that is as it was is not looked at again. */
type Old = { readonly value: unknown } | undefined;

interface Place {
  readonly node: SchemaNode;
  readonly path: string;
  readonly old: Old;
}

/** What is wrong with an object by its schema; of a change, only with what it changes. */
export function validateBySchema(
  object: object,
  node: SchemaNode,
  old: object | undefined,
): readonly FieldError[] {
  return validate(object, { node, path: "", old: old && { value: old } });
}

/** As upstream's checks name it: where, in which part of the request, and what is wrong. */
const said = (path: string, problem: string): string => `${path} in body ${problem}`;

const at = (path: string): FieldPath => (path === "" ? rootPath : FieldPath.root(path));
/** Upstream's path of the object as a whole. */
const rootPath = FieldPath.root("<nil>");

const invalid = (path: string, value: unknown, problem: string): FieldError =>
  fieldErrors.invalid(at(path), value, said(path, problem));

const wrongType = (path: string, wanted: string, found: string, value: string): FieldError =>
  fieldErrors.typeInvalid(at(path), value, said(path, `must be of type ${wanted}: ${JSON.stringify(found)}`));

function validate(value: unknown, place: Place): readonly FieldError[] {
  const { node, path, old } = place;
  if (value === undefined || (old && deepEqual(old.value, value))) return [];
  if (value === null) {
    const isRefused = node.types.length > 0 && !node.nullable;
    return isRefused ? [wrongType(path, node.types.join(","), "null", "null")] : [];
  }
  const found = typeOf(value);
  if (node.types.length > 0 && !isOfType(found, node.types)) {
    return [wrongType(path, node.types.join(","), found, found)];
  }
  return [
    ...enumErrors(value, place),
    ...(typeof value === "string" ? textErrors(value, place) : []),
    ...(typeof value === "number" ? numberErrors(value, place) : []),
    ...(isValues(value) ? listErrors(value, place) : []),
    ...(isFields(value) ? fieldsErrors(value, place) : []),
    ...combinedErrors(value, place),
  ];
}

function typeOf(value: unknown): string {
  if (isValues(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

const isOfType = (found: string, wanted: readonly string[]): boolean =>
  wanted.includes(found) || (found === "integer" && wanted.includes("number"));

function enumErrors(value: unknown, { node, path }: Place): readonly FieldError[] {
  const { enum: values = [] } = node.schema;
  if (values.length === 0 || values.some((allowed) => deepEqual(allowed, value))) return [];
  const shown = values.map((allowed) => (typeof allowed === "string" ? allowed : JSON.stringify(allowed)));
  return [fieldErrors.notSupported(at(path), value, shown)];
}

function textErrors(value: string, { node, path }: Place): readonly FieldError[] {
  const { maxLength, minLength, pattern, format } = node.schema;
  const errors: FieldError[] = [];
  if (maxLength !== undefined || minLength !== undefined) {
    const length = Array.from(value).length;
    if (maxLength !== undefined && length > maxLength) errors.push(fieldErrors.tooLong(at(path), maxLength));
    if (minLength !== undefined && length < minLength) {
      errors.push(invalid(path, value, `should be at least ${minLength} chars long`));
    }
  }
  if (node.pattern?.test(value) === false) errors.push(invalid(path, value, `should match '${pattern}'`));
  if (format && !isOfFormat(value, format)) errors.push(wrongType(path, format, value, value));
  return errors;
}

const ranges: Readonly<Record<string, readonly [least: number, most: number]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [-(2 ** 63), 2 ** 63],
};

function numberErrors(value: number, { node, path }: Place): readonly FieldError[] {
  const { maximum, minimum, exclusiveMaximum, exclusiveMinimum, multipleOf, format = "" } = node.schema;
  const errors: FieldError[] = [];
  const range = Object.hasOwn(ranges, format) ? ranges[format] : undefined;
  if (range && Number.isInteger(value) && (value < range[0] || value > range[1])) {
    const type = node.types.join(",");
    const why = `Checked value must be of type ${type} with format ${format} in body`;
    errors.push(fieldErrors.invalid(at(path), value, why));
  }
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum)) {
    errors.push(
      invalid(path, value, `should be less than ${exclusiveMaximum ? "" : "or equal to "}${maximum}`),
    );
  }
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum)) {
    const bound = exclusiveMinimum ? "" : "or equal to ";
    errors.push(invalid(path, value, `should be greater than ${bound}${minimum}`));
  }
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf)) {
    errors.push(invalid(path, value, `should be a multiple of ${multipleOf}`));
  }
  return errors;
}

function listErrors(list: readonly unknown[], place: Place): readonly FieldError[] {
  const { node, path } = place;
  const { maxItems, minItems, uniqueItems } = node.schema;
  const errors: FieldError[] = [];
  const { items } = node;
  if (items) {
    const olds = oldElements(place);
    for (const [index, element] of list.entries()) {
      const old = olds?.(element);
      errors.push(...validate(element, { node: items, path: `${path}[${index}]`, old }));
    }
  }
  if (minItems !== undefined && list.length < minItems) {
    errors.push(invalid(path, list.length, `should have at least ${minItems} items`));
  }
  if (maxItems !== undefined && list.length > maxItems) {
    errors.push(fieldErrors.tooMany(at(path), list.length, maxItems));
  }
  if (uniqueItems && new Set(list.map(identityOf)).size < list.length) {
    errors.push(invalid(path, "", "shouldn't contain duplicates"));
  }
  errors.push(...duplicatesIn(list, { node, path }));
  return errors;
}

/** Finds what an element of a list with keys was before; elements of other lists are not known again. */
function oldElements({ node, old }: Place): ((element: unknown) => Old) | undefined {
  if (node.schema["x-kubernetes-list-type"] !== "map" || !old || !isValues(old.value)) return undefined;
  const identity = (element: unknown) => identityOf(keyValues(element, node));
  const known = new Map(old.value.map((element) => [identity(element), { value: element }]));
  return (element) => known.get(identity(element));
}

function fieldsErrors(fields: Fields, place: Place): readonly FieldError[] {
  const { node, path } = place;
  const { maxProperties, minProperties, required = [] } = node.schema;
  const errors: FieldError[] = [];
  const count = Object.keys(fields).length;
  if (minProperties !== undefined && count < minProperties) {
    errors.push(invalid(path, count, `should have at least ${minProperties} properties`));
  }
  if (maxProperties !== undefined && count > maxProperties) {
    errors.push(fieldErrors.tooMany(at(path), count, maxProperties));
  }
  const below = (name: string) => (path === "" ? name : `${path}.${name}`);
  for (const name of required) {
    if (fields[name] === undefined) errors.push(fieldErrors.required(at(below(name))));
  }
  const isEmbedded = node.isResource && path !== "";
  for (const name of isEmbedded ? ["apiVersion", "kind"] : []) {
    if (!fields[name]) errors.push(fieldErrors.required(at(below(name)), "must not be empty"));
  }
  const olds = place.old && isFields(place.old.value) ? place.old.value : undefined;
  for (const [name, value] of Object.entries(fields)) {
    const known = nodeOf(node, name);
    if (!known) continue;
    const old = olds && Object.hasOwn(olds, name) ? { value: olds[name] } : undefined;
    errors.push(...validate(value, { node: known, path: below(name), old }));
  }
  return errors;
}

/** Values that must be as other schemas say, too. Nothing is left out there because it was so before. */
function combinedErrors(value: unknown, { node, path }: Place): readonly FieldError[] {
  const errors: FieldError[] = [];
  const whole = (problem: string): FieldError =>
    fieldErrors.invalid(rootPath, "", `${JSON.stringify(path)} ${problem}`);
  const errorsOf = (schemas: readonly SchemaNode[]) =>
    schemas.map((schema) => validate(value, { node: schema, path, old: undefined }));
  const any = errorsOf(node.anyOf);
  if (any.length > 0 && any.every((each) => each.length > 0)) {
    errors.push(whole("must validate at least one schema (anyOf)"), ...fewest(any));
  }
  const one = errorsOf(node.oneOf);
  const matching = one.filter((each) => each.length === 0).length;
  if (one.length > 0 && matching !== 1) {
    const found = matching === 0 ? "Found none valid" : `Found ${matching} valid alternatives`;
    errors.push(whole(`must validate one and only one schema (oneOf). ${found}`));
    if (matching === 0) errors.push(...fewest(one));
  }
  const all = errorsOf(node.allOf);
  const failed = all.filter((each) => each.length > 0);
  if (failed.length > 0) {
    const none = failed.length === all.length ? ". None validated" : "";
    errors.push(...failed.flat(), whole(`must validate all the schemas (allOf)${none}`));
  }
  if (node.not && errorsOf([node.not])[0]?.length === 0) {
    errors.push(whole("must not validate the schema (not)"));
  }
  return errors;
}

/** The errors of the schema that the value is nearest to. */
const fewest = (failures: readonly (readonly FieldError[])[]): readonly FieldError[] =>
  failures.reduce((best, each) => (each.length < best.length ? each : best));
