import type { CustomResourceDefinition } from "../../../api/types/apiextensions-v1.ts";
import { apiVersionOf } from "../../../apimachinery/index.ts";
import type { ServedVersion } from "../../registry/served.ts";
import { remembering, shaped } from "../served-version.ts";
import type { CustomVersion } from "../served-version.ts";
import { Converter } from "./converter.ts";
import type { ConverterParts } from "./converter.ts";

/** The versions of a definition as they are served where a webhook converts between them. */
export function remoteVersions(
  definition: CustomResourceDefinition,
  {
    made,
    stored,
    parts,
  }: {
    readonly made: Iterable<CustomVersion>;
    readonly stored: CustomVersion;
    readonly parts: ConverterParts;
  },
): (version: CustomVersion) => ServedVersion {
  const nodes = new Map(Array.from(made, ({ version, node }) => [apiVersionOf(version.resource), node]));
  const converter = new Converter(definition, nodes, parts);
  // What is stored is first read as its own version's schema has it now.
  const decoded = remembering((object) => {
    const node = nodes.get(object.apiVersion ?? "");
    return node ? shaped(object, node) : object;
  });
  const storedApiVersion = apiVersionOf(stored.version.resource);
  return ({ version }) => {
    const own = apiVersionOf(version.resource);
    return {
      ...version,
      // What was converted lacks the defaults of the version that is stored until it is read.
      reshapes: true,
      toStored: (object) => converter.as(object, storedApiVersion),
      fromStored: (object) => converter.as(decoded(object), own),
      remote: {
        untilShown: (objects, options) => converter.until(objects.map(decoded), own, options),
        untilStorable: (object) => converter.until([object], storedApiVersion),
        until: (objects, apiVersion) => converter.until(objects, apiVersion),
        as: (object, apiVersion) => converter.as(object, apiVersion),
      },
    };
  };
}
