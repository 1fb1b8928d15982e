import type { FieldPath } from "../../../apimachinery/index.ts";
import type { ContainerPort, EnvVar, PodSpec } from "../../types/core-v1.ts";
import { visitContainers } from "./visit.ts";

/** Warnings of variables that hide others of the same name. */
export function environmentWarnings(variables: readonly EnvVar[], path: FieldPath): string[] {
  const warnings: string[] = [];
  const seen = new Set<string>();
  for (const [index, { name, value = "", valueFrom }] of variables.entries()) {
    if (!seen.has(name)) {
      seen.add(name);
      continue;
    }
    // A value that makes use of the one before, and adds to it, is meant so.
    const reference = `$(${name})`;
    if (valueFrom === undefined && value !== reference && value.includes(reference)) continue;
    const at = path.index(index).text;
    warnings.push(
      `${at}: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`,
    );
  }
  return warnings;
}

/** Warnings of ports that are there twice, or nearly so. */
export function portWarnings(spec: PodSpec, path: FieldPath): string[] {
  const warnings: string[] = [];
  const all = new Map<string, { at: string; port: ContainerPort }[]>();
  visitContainers(spec, path, (container, place) => {
    for (const [index, port] of (container.ports ?? []).entries()) {
      const at = place.child("ports").index(index).text;
      if (port.hostIP && !port.hostPort) {
        warnings.push(`${at}: hostIP set without hostPort: ${shown(port)}`);
      }
      const key = `${port.containerPort}/${port.protocol}`;
      const others = all.get(key) ?? [];
      for (const other of others) {
        const how = overlap(port, other.port);
        if (how !== undefined) warnings.push(`${at}: ${how} port definition with ${other.at}`);
      }
      all.set(key, [...others, { at, port }]);
    }
  });
  return warnings;
}

function overlap(one: ContainerPort, other: ContainerPort): string | undefined {
  const [onePort, otherPort] = [one.hostPort ?? 0, other.hostPort ?? 0];
  const [oneIP, otherIP] = [one.hostIP ?? "", other.hostIP ?? ""];
  if (oneIP === otherIP && onePort === otherPort) return "duplicate";
  if (onePort === 0 || otherPort === 0) return "overlapping";
  return onePort === otherPort && (oneIP === "") !== (otherIP === "") ? "dangerously ambiguous" : undefined;
}

/** A port as upstream's log prints it. */
const shown = ({ name = "", hostPort = 0, containerPort, protocol, hostIP = "" }: ContainerPort) =>
  `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol ?? ""} HostIP:${hostIP}}`;
