import { compareValues, type Comparison } from "./json-path-comparison.ts";

/** One step of a path: what it makes of the values that the steps before have found. */
type Step = (values: readonly unknown[]) => readonly unknown[];

/** Why a path leads nowhere in an object. */
class PathError extends Error {}

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isValues = (value: unknown): value is readonly unknown[] => Array.isArray(value);

const within = (value: unknown): readonly unknown[] => {
  if (isValues(value)) return value;
  if (typeof value === "string") return Array.from(value);
  return isFields(value) ? Object.values(value) : [];
};

const field =
  (name: string): Step =>
  (values) =>
    values.flatMap((value) => (isFields(value) && Object.hasOwn(value, name) ? [value[name]] : []));

const every: Step = (values) => values.flatMap((value) => within(value));

/** All that has something within it, from the outside in. */
const descend: Step = (values) =>
  values.flatMap((value) => {
    const inner = within(value);
    return inner.length === 0 || typeof value === "string" ? [] : [value, ...descend(inner)];
  });

interface Slice {
  readonly from: number;
  /** Absent: to the end. */
  readonly to: number | undefined;
  readonly step: number;
  /** It is the one element at `from`. */
  readonly isSingle: boolean;
}

const slice =
  ({ from, to, step, isSingle }: Slice): Step =>
  (values) =>
    values.flatMap((value) => {
      if (value === null || value === undefined) return [];
      if (!isValues(value)) throw new PathError("only lists have elements");
      const { length } = value;
      const start = from < 0 ? from + length : from;
      const given = to ?? length;
      const end = given < 0 || (given === 0 && isSingle) ? given + length : given;
      if (start === end) return [];
      if (start < 0 || start >= length || end < 0 || end > length || start > end || step <= 0) {
        throw new PathError("the list has no such element");
      }
      return value.slice(start, end).filter((_, index) => index % step === 0);
    });

const union =
  (parts: readonly Step[]): Step =>
  (values) =>
    parts.flatMap((part) => part(values));

const chain =
  (steps: readonly Step[]): Step =>
  (values) =>
    steps.reduce((found, step) => step(found), values);

const only = ([value, ...more]: readonly unknown[]): unknown => {
  if (more.length > 0) throw new PathError("one thing is compared with one");
  return value;
};

interface Condition {
  readonly left: Step;
  readonly comparison: Comparison;
  readonly right: Step;
}

const filter =
  (passes: (element: unknown) => boolean): Step =>
  (values) =>
    values.flatMap((value) => {
      if (!isValues(value)) throw new PathError("only lists are filtered");
      return value.filter(passes);
    });

function holds({ left, comparison, right }: Condition, element: unknown): boolean {
  const [found, wanted] = [left([element]), right([element])];
  if (found.length === 0 || wanted.length === 0) return false;
  const verdict = compareValues(comparison, only(found), only(wanted));
  if (verdict === undefined) throw new PathError("they cannot be compared");
  return verdict;
}

/** Reads a path, from its beginning to its end. Throws `PathError` where it cannot be read. */
class PathReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Step {
    const steps: Step[] = [];
    while (this.#at < this.#text.length) {
      const step = this.#step();
      if (step) steps.push(step);
    }
    return chain(steps);
  }

  #step(): Step | undefined {
    const first = this.#text.charAt(this.#at);
    if (this.#starts("..")) {
      const next = this.#text.charAt(this.#at);
      return /[\w*]/.test(next) ? chain([descend, this.#field()]) : descend;
    }
    if (this.#starts("[?(")) return this.#filter();
    if (first === " " || first === "@" || first === "$") return void this.#at++;
    if (this.#starts("[")) return this.#brackets();
    if (this.#starts(".")) return this.#field();
    const [literal] =
      /^(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[+-]?[\d.]+|true\b|false\b)/.exec(this.#rest) ?? [];
    if (literal === undefined) throw new PathError("nothing of this kind is known");
    this.#at += literal.length;
    const value = literalOf(literal);
    return (values) => (/^["']/.test(literal) ? [value] : values.map(() => value));
  }

  get #rest(): string {
    return this.#text.slice(this.#at);
  }

  #starts(prefix: string): boolean {
    const starts = this.#text.startsWith(prefix, this.#at);
    if (starts) this.#at += prefix.length;
    return starts;
  }

  #field(): Step {
    const [name = ""] = /^(?:\\.|[^\s.,[\]$@{}\\])*/s.exec(this.#rest) ?? [];
    this.#at += name.length;
    return name === "*" ? every : field(name.replaceAll("\\", ""));
  }

  /** The text up to what ends it, which is read, too. */
  #until(end: string): string {
    const found = this.#text.indexOf(end, this.#at);
    if (found < 0) throw new PathError(`there is no ${end}`);
    const text = this.#text.slice(this.#at, found);
    this.#at = found + end.length;
    return text;
  }

  #brackets(): Step {
    const text = this.#until("]");
    const parts = text.split(",");
    if (parts.length > 1) return union(parts.map((part) => new PathReader(`[${part.trim()}]`).read()));
    const [, key] = /^'([^']*)'$/.exec(text) ?? [];
    // Upstream reads a quoted key as a path, dots and all.
    if (key !== undefined) return new PathReader(`.${key}`).read();
    const [, from, to, step] = /^(-?\d*)(:-?\d*)?(:-?\d*)?$/.exec(text === "*" ? ":" : text) ?? [];
    if (from === undefined) throw new PathError("this is no index");
    const start = Number(from);
    return slice({
      from: start,
      to: to === undefined ? start + 1 : to === ":" ? undefined : Number(to.slice(1)),
      step: step === undefined || step === ":" ? 1 : Number(step.slice(1)),
      isSingle: to === undefined,
    });
  }

  #filter(): Step {
    const [whole] = /^(?:[^'")]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*\)\]/.exec(this.#rest) ?? [];
    if (whole === undefined) throw new PathError("the filter has no end");
    this.#at += whole.length;
    const text = whole.slice(0, -2);
    const [, left = text, operator = "", right = ""] = /^([^!<>=]+)([!<>=]+)(.+)$/.exec(text) ?? [];
    const found = new PathReader(left).read();
    if (operator === "") return filter((element) => found([element]).length > 0);
    const comparison = operator as Comparison;
    const condition = { left: found, comparison, right: new PathReader(right).read() };
    return filter((element) => holds(condition, element));
  }
}

function literalOf(text: string): unknown {
  if (/^["']/.test(text)) return text.slice(1, -1).replaceAll(/\\(.)/g, "$1");
  if (text === "true" || text === "false") return text === "true";
  const value = Number(text);
  if (Number.isNaN(value)) throw new PathError("this is no number");
  return value;
}

/** Finds what a JSONPath leads to in objects; undefined for paths that cannot be read. */
export function jsonPath(path: string): ((object: object) => readonly unknown[]) | undefined {
  try {
    const find = new PathReader(path).read();
    return (object) => orNothing(() => find([object])) ?? [];
  } catch (error) {
    if (error instanceof PathError) return undefined;
    throw error;
  }
}

function orNothing<T>(find: () => T): T | undefined {
  try {
    return find();
  } catch (error) {
    if (error instanceof PathError) return undefined;
    throw error;
  }
}
