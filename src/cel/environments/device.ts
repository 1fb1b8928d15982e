import { dynType, objectType, stringType } from "../check/types.ts";
import { kubernetesEstimator } from "../cost/kubernetes-estimate.ts";
import type { CostEstimator } from "../cost/estimate.ts";
import {
  declaredBool,
  declaredMap,
  declaredObject,
  declaredProvider,
  declaredSizes,
  declaredText,
  type DeclaredType,
} from "../declared/declared-type.ts";
import type { Environment } from "../environment.ts";
import { kubernetesEnvironment } from "../kubernetes.ts";
import { bindingsLibrary } from "../library/comprehensions.ts";

/** The most characters of what describes a device, and the most attributes and capacities it has. */
const longest = { driver: 63, domain: 63, identifier: 32, value: 64 };
const mostEntries = 32;

const domain = declaredText(stringType, longest.domain);
const identifier = declaredText(stringType, longest.identifier);
const quantity: DeclaredType = { type: objectType("kubernetes.Quantity"), mostElements: 0, leastSize: 8 };
const attributes: DeclaredType = {
  ...declaredMap(identifier, declaredText(dynType, longest.value), mostEntries),
  selectsEntries: true,
};

const device = declaredObject(
  "kubernetes.DRADevice",
  new Map(
    Object.entries({
      driver: declaredText(stringType, longest.driver),
      allowMultipleAllocations: declaredBool,
      attributes: declaredMap(domain, attributes, mostEntries),
      capacity: declaredMap(domain, declaredMap(identifier, quantity, mostEntries), mostEntries),
    }).map(([property, type]) => [property, { type, property }] as const),
  ),
);

/** The environment of expressions that select devices. */
export function deviceEnvironment(minorVersion: number): Environment {
  return kubernetesEnvironment(minorVersion, {
    variables: { device: device.type },
    provider: declaredProvider([device]),
    libraries: [bindingsLibrary],
  });
}

/** Knows how large the descriptions of devices get. */
export const deviceEstimator: CostEstimator = kubernetesEstimator(declaredSizes({ device }));
