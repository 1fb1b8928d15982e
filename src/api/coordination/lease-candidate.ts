import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { defineResource } from "../definition.ts";
import { LeaseCandidate as AlphaLeaseCandidate } from "../types/coordination-v1alpha2.ts";
import { LeaseCandidate } from "../types/coordination-v1beta1.ts";

const columns = [
  nameColumn,
  column<LeaseCandidate | AlphaLeaseCandidate>("LeaseName", "The lease that the candidate wants", {
    value: (candidate) => candidate.spec?.leaseName ?? "",
  }),
  column<LeaseCandidate | AlphaLeaseCandidate>("BinaryVersion", "Version of the candidate's program", {
    value: (candidate) => candidate.spec?.binaryVersion ?? "",
  }),
  column<LeaseCandidate | AlphaLeaseCandidate>("EmulationVersion", "Version that the candidate acts as", {
    value: (candidate) => candidate.spec?.emulationVersion ?? "",
  }),
  column<LeaseCandidate | AlphaLeaseCandidate>("PingTime", "When the candidate was last asked", {
    value: (candidate) => candidate.spec?.pingTime ?? "",
  }),
  column<LeaseCandidate | AlphaLeaseCandidate>("RenewTime", "When the candidate last answered", {
    value: (candidate) => candidate.spec?.renewTime ?? "",
  }),
  column<LeaseCandidate | AlphaLeaseCandidate>("Strategy", "How the leader is chosen", {
    value: (candidate) => candidate.spec?.strategy ?? "",
  }),
  ageColumn,
];

/** The rules of candidates for leases. */
export const leaseCandidateDefinition = defineResource<LeaseCandidate>({
  resource: LeaseCandidate,
  plainFinalizers: true,
  columns,
  tracksGeneration: false,
});

/** The rules of candidates for leases, in the alpha version. */
export const alphaLeaseCandidateDefinition = defineResource<AlphaLeaseCandidate>({
  resource: AlphaLeaseCandidate,
  plainFinalizers: true,
  columns,
  tracksGeneration: false,
});
