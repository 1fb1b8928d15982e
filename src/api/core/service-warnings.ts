import { FieldPath } from "../../apimachinery/index.ts";
import { cidrWarnings, ipWarnings } from "../common/address-warnings.ts";
import type { Service } from "../types/core-v1.ts";
import { deprecatedTopologyAnnotation, topologyAnnotation } from "./service-validation.ts";

const path = FieldPath.root("spec");

/** Warnings of what a service says without effect, and of what will not be there for long. */
export function serviceWarnings({ metadata, spec }: Service): readonly string[] {
  const warnings: string[] = [];
  const { type, clusterIP, externalIPs = [], loadBalancerIP, externalName } = spec;
  if (metadata.annotations?.[deprecatedTopologyAnnotation] !== undefined) {
    warnings.push(
      `annotation ${deprecatedTopologyAnnotation} is deprecated, please use ${topologyAnnotation} instead`,
    );
  }
  if (clusterIP && clusterIP !== "None") {
    for (const [index, address] of (spec.clusterIPs ?? []).entries()) {
      warnings.push(...ipWarnings(address, path.child("clusterIPs").index(index)));
    }
  }
  const headless = type === "ClusterIP" && clusterIP === "None";
  if (headless) {
    if (loadBalancerIP) warnings.push("spec.loadBalancerIP is ignored for headless services");
    if (externalIPs.length > 0) warnings.push("spec.externalIPs is ignored for headless services");
    if (spec.sessionAffinity !== "None") {
      warnings.push("spec.SessionAffinity is ignored for headless services");
    }
  }
  for (const [index, address] of externalIPs.entries()) {
    warnings.push(...ipWarnings(address, path.child("externalIPs").index(index)));
  }
  if (externalIPs.length > 0 && !headless && type !== "ExternalName") {
    warnings.push("spec.externalIPs is deprecated and may no longer be implemented in some clusters");
  }
  if (loadBalancerIP) warnings.push(...ipWarnings(loadBalancerIP, path.child("loadBalancerIP")));
  for (const [index, range] of (spec.loadBalancerSourceRanges ?? []).entries()) {
    warnings.push(...cidrWarnings(range, path.child("loadBalancerSourceRanges").index(index)));
  }
  if (type === "ExternalName" && externalIPs.length > 0) {
    warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  }
  if (type !== "ExternalName" && externalName) {
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  }
  if (spec.trafficDistribution === "PreferClose") {
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  }
  return warnings;
}
