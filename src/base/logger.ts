/** Values attached to a log line; secrets never belong here. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured logging, quiet by default. */
export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** A logger whose lines carry the component's name. */
  named(component: string): Logger;
}

/** Swallows everything; the default in tests. */
export const silentLogger: Logger = {
  error() {},
  warn() {},
  info() {},
  debug() {},
  named: () => silentLogger,
};

const levels = ["error", "warn", "info", "debug"] as const;
type Level = (typeof levels)[number];

function render(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(value.stack ?? value.message);
  if (typeof value === "string") return JSON.stringify(value);
  return JSON.stringify(value) ?? "undefined";
}

/** Lines such as `2026-01-01T00:00:00.000Z INFO scheduler "message" key="value"`, up to `level`, given to `write`. */
export function textLogger(options: {
  level: Level | (() => Level);
  write: (line: string) => void;
  now: () => number;
  component?: string;
}): Logger {
  const { level: limit } = options;
  const limitOf = typeof limit === "function" ? limit : () => limit;
  const at =
    (level: Level) =>
    (message: string, fields: LogFields = {}) => {
      if (levels.indexOf(level) > levels.indexOf(limitOf())) return;
      const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${render(value)}`);
      const time = new Date(options.now()).toISOString();
      const component = options.component ?? "kubets";
      options.write(
        `${time} ${level.toUpperCase()} ${component} ${JSON.stringify(message)}${pairs.join("")}\n`,
      );
    };
  return {
    error: at("error"),
    warn: at("warn"),
    info: at("info"),
    debug: at("debug"),
    named: (component) => textLogger({ ...options, component }),
  };
}
