import type { ExpectedDifference } from "./expected.ts";

const isNotOurs = ({ ours }: { readonly ours: unknown }) => ours === undefined;

/** What differs of the kinds that the platform is made of: networking, storage, access, scheduling. */
export const platformDifferences: readonly ExpectedDifference[] = [
  {
    reason: "v1.22: APIServices have managed fields",
    at: /metadata\.managedFields$/,
    step: /aggregation: .*apiservices/,
    matches: ({ upstream }) => upstream === undefined,
  },
  {
    reason: "v1.33: availability is told by slices of endpoints",
    at: /conditions\.0\.message$/,
    step: /aggregation: .*apiservices/,
    matches: ({ upstream, ours }) => String(upstream).replace("endpoints", "endpointslices") === ours,
  },
  {
    reason: "v1.21: ports, references, selectors and their like are owned as a whole",
    at: /fieldsV1\.f:\w+\.(?:f:defaultBackend\.(?:f:service\.f:port|f:resource)|f:nodeSelector)\./,
    matches: isNotOurs,
  },
  {
    reason: "v1.22: parameters of classes say that they are of the cluster",
    at: /parameters\.(?:f:)?scope$/,
    step: /ingressclasses/,
    matches: ({ upstream }) => upstream === undefined,
  },
  {
    reason: "v1.30: exceptions of address ranges are checked although the range is wrong",
    at: /(?:message|causes\.length)$/,
    step: /rules of networking\S* networkpolicies/,
    matches: ({ ours }) => /strict subset of `cidr`/.test(JSON.stringify(ours)),
  },
  {
    reason: "v1.22: updates of policies, and new nodes of drivers, are checked once",
    at: /causes\.length$/,
    step: /rules of networking\S* networkpolicies: PATCH|rules of storage\S* csinodes: POST/,
    matches: ({ upstream, ours }) => JSON.stringify(upstream).length > JSON.stringify(ours).length,
  },
  {
    reason: "v1.36: wrong keys of topology are shown one by one; drivers are told of where they are",
    at: /(?:message|causes\.length|causes\.0\.field)$/,
    step: /rules of storage\S* csinodes/,
    matches: ({ upstream }) => /CSINodeDriver|\[\]string\{/.test(JSON.stringify(upstream)),
  },
  {
    reason: "v1.24: drivers may know nodes by longer names",
    at: /message$/,
    step: /rules of storage\S* csinodes/,
    matches: ({ upstream, ours }) => String(upstream).replace("128 characters", "256 characters") === ours,
  },
  {
    reason: "quantities of an overhead are checked in an order of chance upstream",
    byChance: true,
    at: /(?:message|causes\.\d\.(?:message|field))$/,
    step: /rules of node\S* runtimeclasses: POST/,
    matches: ({ upstream }) =>
      /overhead|must be a standard resource|greater than or equal to 0/.test(String(upstream)),
  },
  {
    reason: "v1.22: tolerations of runtime classes are told without a slip",
    at: /(?:message|field)$/,
    step: /rules of node\S* runtimeclasses/,
    matches: ({ upstream, ours }) =>
      String(upstream).replaceAll("tolerations.tolerations", "tolerations") === ours ||
      String(upstream).includes("tolerations.tolerations"),
  },
  {
    reason: "v1.30: priority classes show whether their pods push others out",
    at: /(?:columnDefinitions|cells)\.length$/,
    step: /priorityclasses/,
  },
  {
    reason: "v1.21: the value of a priority class is told with its field's name",
    at: /(?:message|field)$/,
    step: /priorityclasses/,
    matches: ({ upstream, ours }) => String(upstream).replace("Value", "value") === ours,
  },
  {
    reason: "v1.22: the namespace of a review is that of the request",
    at: /^(?:status|body)/,
    step: /reviews of access and tokens: POST \S+\/localsubjectaccessreviews$/,
  },
  {
    reason: "v1.32: users of certificates are told with what they showed",
    at: /spec\.extra$/,
    step: /requests for certificates/,
    matches: ({ upstream, ours }) => upstream === undefined && /credential-id/.test(JSON.stringify(ours)),
  },
  {
    reason: "v1.22: requests for certificates show how long they ask for",
    at: /(?:columnDefinitions|cells)\.length$/,
    step: /certificatesigningrequests/,
  },
  {
    reason: "v1.36: that verdicts exclude each other is told of all conditions",
    at: /(?:message|causes\.0\.field)$/,
    step: /requests for certificates: PATCH \S+\/approval$/,
    matches: ({ upstream, ours }) =>
      String(upstream).replace("status.conditions[1].type", "status.conditions") === ours,
  },
  {
    reason: "v1.22: verdicts have a manager of their own",
    at: /managedFields\.length$/,
    step: /requests for certificates/,
    matches: ({ ours }) => JSON.stringify(ours).includes('"subresource":"approval"'),
  },
];
