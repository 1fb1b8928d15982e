import type { ResourceFacts } from "../../apimachinery/index.ts";
import { apiVersionOf } from "../../apimachinery/index.ts";
import { isServedByDefault } from "../discovery/index.ts";

/** What turns API versions on and off: `api/all`, `api/beta`, `GROUP/VERSION`, `GROUP/VERSION/RESOURCE`. */
export type RuntimeConfig = Readonly<Record<string, boolean>>;

/** A mistake in a runtime configuration; the message is for the user. */
export class RuntimeConfigError extends Error {
  override readonly name = "RuntimeConfigError";
}

const stages: Readonly<Record<string, (facts: ResourceFacts) => boolean>> = {
  "api/all": () => true,
  "api/ga": ({ stability }) => stability === "GA",
  "api/beta": ({ stability }) => stability === "beta",
  "api/alpha": ({ stability }) => stability === "alpha",
  "api/legacy": () => false,
};
const truths: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries(["", "1", "t", "T", "true", "TRUE", "True"].map((word) => [word, true])),
  ...Object.fromEntries(["0", "f", "F", "false", "FALSE", "False"].map((word) => [word, false])),
};

/** Reads `api/beta=true,networking.k8s.io/v1beta1=false`; a key without value is on. */
export function parseRuntimeConfig(text: string): RuntimeConfig {
  const config: Record<string, boolean> = {};
  for (const pair of text.split(",").filter((part) => part !== "")) {
    const [key = "", ...rest] = pair.split("=");
    const word = rest.join("=");
    const value = truths[word];
    if (value === undefined) {
      throw new RuntimeConfigError(
        `invalid value of ${key}: ${word}, err: strconv.ParseBool: parsing ${JSON.stringify(word)}: invalid syntax`,
      );
    }
    config[key] = value;
  }
  return config;
}

/**
 * The resources that are served: those of the default, then what `api/all` says, then the stages, then group
 * versions, then single resources. Throws RuntimeConfigError for what there is none of.
 */
export function servedResources(
  facts: readonly ResourceFacts[],
  config: RuntimeConfig = {},
): readonly ResourceFacts[] {
  refuseUnknown(facts, config);
  return facts.filter((row) => {
    const groupVersion = keyOf(row);
    let served = isServedByDefault(row);
    for (const [stage, matches] of Object.entries(stages)) {
      const wanted = config[stage];
      if (wanted !== undefined && matches(row)) served = wanted;
    }
    return config[`${groupVersion}/${row.plural}`] ?? config[groupVersion] ?? served;
  });
}

function refuseUnknown(facts: readonly ResourceFacts[], config: RuntimeConfig): void {
  const known = new Set(facts.flatMap((row) => [keyOf(row), `${keyOf(row)}/${row.plural}`]));
  const first = Object.keys(config).find((key) => stages[key] === undefined && !known.has(key));
  if (first === undefined) return;
  throw new RuntimeConfigError(`group version ${first.replace(/^api\//, "")} that has not been registered`);
}

/** `api/v1` for the core group. */
function keyOf(row: ResourceFacts): string {
  return row.group === "" ? `api/${row.version}` : apiVersionOf(row);
}
