import type { TypeProvider } from "./check/declarations.ts";
import type { CelType } from "./check/types.ts";
import { kubernetesPricing } from "./cost/kubernetes.ts";
import { createEnvironment, type Environment } from "./environment.ts";
import { authorizerLibrary, authorizerSelectorsLibrary } from "./library/authorizer.ts";
import { twoVariableLibrary } from "./library/comprehensions.ts";
import { formatsLibrary } from "./library/formats.ts";
import type { Library } from "./library/library.ts";
import { kubernetesListsLibrary, listsLibrary, setsLibrary } from "./library/lists.ts";
import { cidrLibrary, ipLibrary } from "./library/network.ts";
import { optionalLibrary } from "./library/optional.ts";
import { quantityLibrary } from "./library/quantity.ts";
import { regexLibrary } from "./library/regex.ts";
import { semverLibrary } from "./library/semver.ts";
import { stringsLibrary } from "./library/strings.ts";
import { urlsLibrary } from "./library/urls.ts";

/** Libraries and the minor versions of Kubernetes 1 that brought them, or took them away. */
const libraries: readonly { readonly since: number; readonly until?: number; readonly library: Library }[] = [
  { since: 0, library: urlsLibrary },
  { since: 0, library: regexLibrary },
  { since: 0, library: kubernetesListsLibrary },
  { since: 27, library: authorizerLibrary },
  { since: 28, library: optionalLibrary },
  { since: 28, library: quantityLibrary },
  { since: 0, until: 29, library: stringsLibrary(0) },
  { since: 29, library: stringsLibrary(2) },
  { since: 29, library: setsLibrary },
  { since: 30, library: ipLibrary },
  { since: 30, library: cidrLibrary },
  { since: 31, library: formatsLibrary },
  { since: 31, library: authorizerSelectorsLibrary },
  { since: 32, library: twoVariableLibrary },
  { since: 33, library: semverLibrary },
  { since: 34, library: listsLibrary },
];

const optionalsSince = 28;
const literalChecksSince = 29;

/** What an environment of Kubernetes adds. */
export interface KubernetesEnvironmentOptions {
  readonly variables?: Readonly<Record<string, CelType>>;
  readonly provider?: TypeProvider;
  readonly libraries?: readonly Library[];
}

/** The environment of expressions in Kubernetes 1 of a minor version; those stored by an older one stay valid. */
export function kubernetesEnvironment(
  minorVersion: number,
  options?: KubernetesEnvironmentOptions,
): Environment {
  const included = librariesOf(minorVersion);
  return createEnvironment({
    libraries: options?.libraries?.length ? [...included, ...options.libraries] : included,
    homogeneousLiterals: true,
    optionalSyntax: minorVersion >= optionalsSince,
    literalChecks: minorVersion >= literalChecksSince,
    pricing: kubernetesPricing,
    ...(options?.variables && { variables: options.variables }),
    ...(options?.provider && { provider: options.provider }),
  });
}

const byVersion = new Map<number, readonly Library[]>();

/** The libraries of a version: the same list for all that ask. */
function librariesOf(minorVersion: number): readonly Library[] {
  const known = byVersion.get(minorVersion);
  if (known) return known;
  const included = libraries
    .filter(({ since, until = Infinity }) => since <= minorVersion && minorVersion < until)
    .map(({ library }) => library);
  byVersion.set(minorVersion, included);
  return included;
}
