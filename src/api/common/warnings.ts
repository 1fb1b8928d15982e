import type { KubernetesObject } from "../../apimachinery/index.ts";
import { isDNS1123Label } from "../../apimachinery/index.ts";

/** Warns of a new object whose name becomes part of its pods' names, but is no DNS label. */
export function podNameWarnings(name: string): readonly string[] {
  const problems = isDNS1123Label(name);
  if (problems.length === 0) return [];
  const why =
    "this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended";
  return [`metadata.name: ${why}: [${problems.join(" ")}]`];
}

/** Whether an object is new or asks for other things than before: nothing else is worth a warning. */
export function isNewIntent(object: KubernetesObject, old: KubernetesObject | undefined): boolean {
  return old === undefined || object.metadata.generation !== old.metadata.generation;
}
