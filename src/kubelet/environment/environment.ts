import type { ConfigMap, Container, EnvVar, EnvVarSource, Secret } from "../../api/types/core-v1.ts";
import { fieldValue, resourceFieldValue } from "./downward.ts";
import type { DownwardContext } from "./downward.ts";
import { expand } from "./expansion.ts";

/** Reads objects that a pod refers to; undefined when they do not exist. */
export interface ObjectReader {
  configMap(name: string): Promise<ConfigMap | undefined>;
  secret(name: string): Promise<Secret | undefined>;
}

/** A container cannot be made as its definition says: `CreateContainerConfigError`. */
export class ContainerConfigError extends Error {
  override readonly name = "ContainerConfigError";
}

export interface EnvironmentContext extends DownwardContext {
  readonly container: Container;
  readonly objects: ObjectReader;
  readonly serviceVariables: ReadonlyMap<string, string>;
}

/** All variables of a container, as bytes may follow from secrets only as text. */
export async function containerEnvironment(
  context: EnvironmentContext,
): Promise<ReadonlyMap<string, string>> {
  const result = new Map<string, string>();
  for (const source of context.container.envFrom ?? []) {
    for (const [name, value] of await importedVariables(source, context))
      result.set(`${source.prefix ?? ""}${name}`, value);
  }
  const known = new Map([...context.serviceVariables, ...result]);
  for (const variable of context.container.env ?? []) {
    const value = await variableValue(variable, { context, known });
    if (value === undefined) continue;
    known.set(variable.name, value);
    result.set(variable.name, value);
  }
  for (const [name, value] of context.serviceVariables) if (!result.has(name)) result.set(name, value);
  return result;
}

type EnvFrom = NonNullable<Container["envFrom"]>[number];

async function importedVariables(
  source: EnvFrom,
  { objects, pod }: EnvironmentContext,
): Promise<readonly (readonly [string, string])[]> {
  if (source.configMapRef) {
    const { name = "", optional } = source.configMapRef;
    const configMap = await objects.configMap(name);
    if (!configMap && !optional)
      throw new ContainerConfigError(`configmap ${JSON.stringify(name)} not found`);
    return Object.entries(configMap?.data ?? {});
  }
  if (source.secretRef) {
    const { name = "", optional } = source.secretRef;
    const secret = await objects.secret(name);
    if (!secret && !optional) throw new ContainerConfigError(`secret ${JSON.stringify(name)} not found`);
    return Object.entries(secret?.data ?? {}).map(([key, value]) => [key, decoded(value)] as const);
  }
  throw new ContainerConfigError(`pod ${pod.metadata.name} has an envFrom without source`);
}

const decoded = (base64: string) => Buffer.from(base64, "base64").toString();

async function variableValue(
  variable: EnvVar,
  { context, known }: { context: EnvironmentContext; known: ReadonlyMap<string, string> },
): Promise<string | undefined> {
  if (variable.valueFrom && (variable.value ?? "") === "") return sourceValue(variable.valueFrom, context);
  return expand(variable.value ?? "", known);
}

async function sourceValue(source: EnvVarSource, context: EnvironmentContext): Promise<string | undefined> {
  if (source.fieldRef) return fieldValue(source.fieldRef.fieldPath, context);
  if (source.resourceFieldRef) {
    const { containerName } = source.resourceFieldRef;
    const all = [...(context.pod.spec.initContainers ?? []), ...context.pod.spec.containers];
    const container = all.find(({ name }) => name === containerName) ?? context.container;
    return resourceFieldValue(source.resourceFieldRef, { container, allocatable: context.allocatable });
  }
  const namespace = context.pod.metadata.namespace ?? "";
  if (source.configMapKeyRef) {
    const { name = "", key, optional } = source.configMapKeyRef;
    const configMap = await context.objects.configMap(name);
    if (!configMap && !optional)
      throw new ContainerConfigError(`configmap ${JSON.stringify(name)} not found`);
    const value = configMap?.data?.[key];
    if (value === undefined && !optional)
      throw new ContainerConfigError(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`);
    return value;
  }
  if (source.secretKeyRef) {
    const { name = "", key, optional } = source.secretKeyRef;
    const secret = await context.objects.secret(name);
    if (!secret && !optional) throw new ContainerConfigError(`secret ${JSON.stringify(name)} not found`);
    const value = secret?.data?.[key];
    if (value === undefined && !optional)
      throw new ContainerConfigError(`couldn't find key ${key} in Secret ${namespace}/${name}`);
    return value === undefined ? undefined : decoded(value);
  }
  return undefined;
}
