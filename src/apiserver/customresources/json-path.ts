/** One step of a path: what it makes of each value that the steps before have found. */
type Step = (value: unknown) => readonly unknown[];

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isValues = (value: unknown): value is readonly unknown[] => Array.isArray(value);

const present = (value: unknown): readonly unknown[] => (value === undefined ? [] : [value]);

const field =
  (name: string): Step =>
  (value) =>
    isFields(value) && Object.hasOwn(value, name) ? present(value[name]) : [];

const every: Step = (value) => {
  if (isValues(value)) return value;
  return isFields(value) ? Object.values(value) : [];
};

const element =
  (index: number): Step =>
  (value) =>
    isValues(value) ? present(value.at(index)) : [];

const comparisons: Readonly<Record<string, (one: string, other: string) => boolean>> = {
  "==": (one, other) => one === other,
  "!=": (one, other) => one !== other,
};

/** `?(@.type=="Ready")`: the elements of which a field has a value, or any at all. */
function filter(text: string): Step | undefined {
  const [, path = "", operator = "", given = ""] =
    /^\?\(@((?:\.[\w-]+)+)\s*(?:(==|!=)\s*(.+?))?\s*\)$/.exec(text) ?? [];
  const steps = path === "" ? undefined : stepsOf(path);
  if (!steps) return undefined;
  const wanted = given.replace(/^(['"])(.*)\1$/, "$2");
  const compare = comparisons[operator];
  return (value) =>
    every(value).filter((each) => {
      const [found] = follow(steps, each);
      if (!compare) return found !== undefined;
      return found !== undefined && compare(textOf(found), wanted);
    });
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

const token =
  /\.?\[((?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\]'"]|(?<=\?\([^\]]*)['"])*)\]|\.((?:[^.[\]\\]|\\.)+)/gy;

/** The steps of a path like `.spec.items[0].name`; nothing where it cannot be read. */
function stepsOf(path: string): readonly Step[] | undefined {
  const steps: Step[] = [];
  let read = 0;
  for (const match of path.matchAll(token)) {
    const [whole, bracketed, named] = match;
    read += whole.length;
    const step = named === undefined ? bracket(bracketed ?? "") : fieldStep(named);
    if (!step) return undefined;
    steps.push(step);
  }
  return read === path.length ? steps : undefined;
}

const fieldStep = (name: string): Step => (name === "*" ? every : field(name.replaceAll(/\\(.)/g, "$1")));

function bracket(text: string): Step | undefined {
  if (text === "*") return every;
  if (/^-?\d+$/.test(text)) return element(Number(text));
  const [, , quoted] = /^(['"])(.*)\1$/s.exec(text) ?? [];
  return quoted === undefined ? filter(text) : field(quoted.replaceAll(/\\(.)/g, "$1"));
}

const follow = (steps: readonly Step[], value: unknown): readonly unknown[] =>
  steps.reduce<readonly unknown[]>((found, step) => found.flatMap((each) => step(each)), [value]);

/** Finds what a JSONPath leads to in objects; nothing for paths that cannot be read. */
export function jsonPath(path: string): (object: object) => readonly unknown[] {
  const steps = stepsOf(path);
  return steps ? (object) => follow(steps, object) : () => [];
}
