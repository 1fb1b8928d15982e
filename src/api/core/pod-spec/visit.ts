import type { FieldPath } from "../../../apimachinery/index.ts";
import type { Container, EphemeralContainer, PodSpec } from "../../types/core-v1.ts";

const lists = ["initContainers", "containers", "ephemeralContainers"] as const;

/** Calls `visit` with every container of a pod and where it is, in the order in which upstream visits them. */
export function visitContainers(
  spec: PodSpec,
  path: FieldPath,
  visit: (container: Container | EphemeralContainer, path: FieldPath) => void,
): void {
  for (const list of lists) {
    const at = path.child(list);
    // A template without any spec holds null for its containers.
    for (const [index, container] of (spec[list] ?? []).entries()) visit(container, at.index(index));
  }
}
