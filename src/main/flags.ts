/** A flag of the command line: `--name VALUE`, `--name=VALUE`, or for booleans `--name` and `--name=false`. */
export interface FlagDefinition {
  readonly type: "string" | "integer" | "boolean";
  /** One letter: `-w VALUE` is `--write-out VALUE`. */
  readonly shorthand?: string;
  readonly placeholder?: string;
  readonly description: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

export type FlagValues = Readonly<Record<string, string | number | boolean | undefined>>;

/** A mistake on the command line; the message is for the user. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Reads flags and positional arguments in any order, as pflag does; `--` ends the flags. */
export function parseFlags(
  args: readonly string[],
  definitions: Readonly<Record<string, FlagDefinition>>,
): { readonly flags: FlagValues; readonly positionals: readonly string[] } {
  const flags: Record<string, string | number | boolean> = {};
  const positionals: string[] = [];
  const rest = [...args];
  for (let given = rest.shift(); given !== undefined; given = rest.shift()) {
    const arg = withoutShorthand(given, definitions);
    if (arg === "--") {
      positionals.push(...rest);
      break;
    }
    if (/^-[^-]/.test(arg)) throw new UsageError(`unknown shorthand flag: '${arg[1]}' in ${arg}`);
    if (!arg.startsWith("--")) {
      positionals.push(arg);
      continue;
    }
    const equals = arg.indexOf("=");
    const name = arg.slice(2, equals < 0 ? undefined : equals);
    const definition = definitions[name];
    if (definition === undefined) throw new UsageError(`unknown flag: --${name}`);
    const inline = equals < 0 ? undefined : arg.slice(equals + 1);
    const text = inline ?? (definition.type === "boolean" ? "true" : rest.shift());
    if (text === undefined) throw new UsageError(`flag needs an argument: --${name}`);
    flags[name] = valueOf({ name, text }, definition);
  }
  return { flags, positionals };
}

function withoutShorthand(arg: string, definitions: Readonly<Record<string, FlagDefinition>>): string {
  const [, letter, value] = /^-(\w)(=.*)?$/.exec(arg) ?? [];
  const found = Object.entries(definitions).find(([, { shorthand }]) => shorthand === letter);
  return letter === undefined || !found ? arg : `--${found[0]}${value ?? ""}`;
}

function valueOf({ name, text }: { name: string; text: string }, definition: FlagDefinition) {
  const refuse = (why: string) =>
    new UsageError(`invalid argument ${JSON.stringify(text)} for "--${name}" flag: ${why}`);
  switch (definition.type) {
    case "string":
      return text;
    case "boolean":
      if (text !== "true" && text !== "false") throw refuse("must be true or false");
      return text === "true";
    case "integer": {
      if (!/^[+-]?\d+$/.test(text)) throw refuse("must be a whole number");
      const value = Number(text);
      const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = definition;
      if (value < minimum || value > maximum) throw refuse(`must be between ${minimum} and ${maximum}`);
      return value;
    }
  }
}

/** The flags' part of a help page, aligned. */
export function describeFlags(definitions: Readonly<Record<string, FlagDefinition>>): string {
  const rows = Object.entries(definitions).map(([name, { placeholder, description, shorthand }]) => ({
    head: `  ${shorthand === undefined ? "" : `-${shorthand}, `}--${name}${placeholder === undefined ? "" : ` ${placeholder}`}`,
    description,
  }));
  const width = Math.max(...rows.map(({ head }) => head.length)) + 2;
  return rows.map(({ head, description }) => `${head.padEnd(width)}${description}`).join("\n");
}
