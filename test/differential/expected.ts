import type { Difference } from "./compare.ts";

/** A difference between v1.20 and v1.36; one that no answer shows any more fails the test. */
export interface ExpectedDifference {
  /** What changed in upstream, and when. */
  readonly reason: string;
  /** Where in the answer. */
  readonly at: RegExp;
  /** In which steps, as `sequence: METHOD path`; default: in all. */
  readonly step?: RegExp;
  /** What ours must be there. */
  readonly ours?: unknown;
  readonly matches?: (difference: Difference) => boolean;
}

const absentUpstream = ({ upstream }: Difference) => upstream === undefined;

export const expectedDifferences: readonly ExpectedDifference[] = [
  {
    reason: "v1.34: a creationTimestamp that was never set is left out",
    at: /creationTimestamp$/,
    matches: ({ upstream, ours }) => upstream === null && ours === undefined,
  },
  {
    reason: "v1.34: managed fields do not hold a creationTimestamp that was never set",
    at: /f:creationTimestamp$/,
    matches: ({ ours }) => ours === undefined,
  },
  { reason: "descriptions of columns are our own words", at: /columnDefinitions\.\d+\.description$/ },
  {
    reason: "v1.33: Endpoints are deprecated",
    at: /^headers\.warning$/,
    step: /endpoints/,
    matches: absentUpstream,
  },
  { reason: "v1.22: managed fields name the subresource", at: /\.subresource$/, ours: "status" },
  {
    reason: "v1.21: namespaces are labelled with their name",
    at: /kubernetes\.io\/metadata\.name/,
    matches: absentUpstream,
  },
  {
    reason: "v1.33: pods have a generation",
    at: /metadata\.generation$/,
    step: /pods/,
    ours: 1,
  },
  {
    reason: "v1.23: services say of which families their addresses are",
    at: /ipFamil(?:ies|yPolicy)$/,
    step: /services/,
    matches: absentUpstream,
  },
  {
    reason: "v1.21: services say to which endpoints traffic from inside goes",
    at: /internalTrafficPolicy$/,
    step: /services/,
    matches: absentUpstream,
  },
  {
    reason: "v1.20: load balancers say whether they need node ports",
    at: /allocateLoadBalancerNodePorts$/,
    step: /services/,
    matches: absentUpstream,
  },
  {
    reason: "v1.21: a service's selector has one manager",
    at: /f:selector\./,
    step: /services/,
    matches: ({ ours }) => ours === undefined,
  },
  {
    reason: "v1.20.3: dry runs show an address",
    at: /clusterIPs?$/,
    step: /services\?dryRun=All/,
    matches: absentUpstream,
  },
  {
    reason: "v1.23: services are selected by fields of their own",
    at: /message$/,
    step: /services\?fieldSelector=spec\.nothing/,
  },
  {
    reason: "v1.22: services can be replaced without their address and version, and made by a replacement",
    at: /^(?:status|body)/,
    step: /every verb on v1 services: (?:PUT \S+\/(?:verbs|none)|(?:GET|PATCH) \S+\/verbs\/status|(?:PATCH|DELETE) \S+\/none)$/,
  },
  {
    reason: "v1.36: the name of a service may begin with a digit",
    at: /message$/,
    step: /services/,
    matches: ({ upstream }) => /DNS-1035 label/.test(String(upstream)),
  },
  {
    reason: "v1.23: a deleted service is the answer to its deletion",
    at: /^body/,
    step: /DELETE \S*\/services\//,
  },
  {
    reason:
      "v1.24: values that are lists are written as JSON; what is wrong with an address is said in other words",
    at: /message$/,
    step: /of services: POST|of services: PATCH/,
  },
  {
    reason: "v1.22: the health port of a service cannot change",
    at: /causes\.0\.reason$/,
    step: /of services: PATCH/,
    ours: "FieldValueForbidden",
  },
  { reason: "v1.24: values that are lists are written as JSON", at: /message$/, step: /dryRun=Some/ },
  {
    reason: "v1.28: the limit of a text's length is told in other words",
    at: /message$/,
    matches: ({ upstream, ours }) =>
      /Too long: must have at most/.test(String(upstream)) && /may not be more/.test(String(ours)),
  },
];
