import type { Difference } from "./compare.ts";
import { customDifferences } from "./expected-custom.ts";
import { platformDifferences } from "./expected-platform.ts";
import { workloadDifferences } from "./expected-workloads.ts";
import { reworded } from "./rewording.ts";

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
  /** Upstream's answer depends on chance: the difference may be absent. */
  readonly byChance?: true;
}

const absentUpstream = ({ upstream }: Difference) => upstream === undefined;

const toldTwice = ({ upstream, ours }: Difference) =>
  Array.isArray(ours) && reworded(JSON.stringify(upstream)) === JSON.stringify([...ours, ...ours]);

export const expectedDifferences: readonly ExpectedDifference[] = [
  ...customDifferences,
  ...platformDifferences,
  ...workloadDifferences,
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
    reason: "generations are counted of jobs (v1.22), pod templates, CSI drivers and pods (v1.33)",
    at: /metadata\.generation$/,
    step: /pods|podtemplates|jobs|csidrivers/,
    matches: absentUpstream,
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
    step: /of services: PUT \S+\/balanced$|every verb on v1 services: (?:PUT \S+\/(?:verbs|none)|(?:GET|PATCH) \S+\/verbs\/status|(?:PATCH|DELETE) \S+\/none)$/,
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
    reason: "v1.33: each range of a load balancer's sources is checked",
    at: /causes\.length$/,
    step: /rules of services: POST/,
    matches: ({ upstream }) => /must be a list of IP ranges/.test(JSON.stringify(upstream)),
  },
  {
    reason: "v1.26: the policy of external traffic is one of two values",
    at: /causes\.0\.reason$/,
    step: /rules of services: POST/,
    ours: "FieldValueNotSupported",
  },
  {
    reason: "v1.22: services have no keys of topology",
    at: /f:topologyKeys$|^headers\.warning$/,
    step: /rules of services: POST/,
    matches: ({ upstream, ours }) =>
      ours === undefined || (upstream === undefined && /topologyKeys/.test(JSON.stringify(ours))),
  },
  {
    reason: "v1.29: addresses of load balancers say how they are reached",
    at: /ipMode$/,
    step: /rules of services/,
    matches: absentUpstream,
  },
  {
    reason: "v1.22: a service that is none of a load balancer's has no addresses of one",
    at: /^body\.status\.loadBalancer\.ingress$/,
    step: /rules of services: (?:GET|PATCH)/,
    matches: ({ ours }) => ours === undefined,
  },
  {
    reason: "v1.29: only services of load balancers have addresses of them",
    at: /^(?:status|body)/,
    step: /rules of services: PATCH \S+\/turns\/status$/,
    matches: ({ upstream, ours, at }) =>
      upstream === undefined || ours === undefined || /^(?:status|body\.(?:kind|status))$/.test(at),
  },
  {
    reason: "v1.22: who writes the status is a manager of its own",
    at: /managedFields\.length$/,
    step: /rules of services/,
  },
  {
    reason: "v1.22: ports keep their numbers on the nodes by their names",
    at: /rows\.0\.cells\.4$/,
    step: /rules of services: GET/,
    ours: "90:30141/TCP,91:30140/TCP",
  },
  {
    reason: "v1.32: fields without effect are warned about",
    at: /^headers\.warning$/,
    step: /rules of services: PATCH/,
    matches: absentUpstream,
  },
  {
    reason: "v1.22: the health port of a service cannot change",
    at: /causes\.0\.reason$/,
    step: /of services: PATCH/,
    ours: "FieldValueForbidden",
  },
  {
    reason: "texts that v1.36 has in other words",
    at: /message$/,
    matches: ({ upstream, ours }) =>
      typeof upstream === "string" && upstream !== ours && reworded(upstream) === ours,
  },
  {
    reason: "v1.26: JSON is decoded by a library that words its errors in another way",
    at: /message$/,
    matches: ({ upstream, ours }) =>
      /error found in #\d+ byte/.test(String(upstream)) &&
      /json: cannot unmarshal|illegal base64 data/.test(String(ours)),
  },
  {
    reason: "v1.22: writes do not own what they cannot set",
    at: /fieldsV1\.f:(?:status|spec)$/,
    matches: ({ ours }) => ours === undefined,
  },
  {
    reason: "v1.22: writes do not own what they cannot set, and entries of nothing go",
    at: /managedFields(?:\.length)?$/,
    step: /PATCH \S+\/status$/,
  },
  {
    reason: "v1.21: namespaces are labelled with their name",
    at: /f:metadata$|metadata\.labels$/,
    matches: ({ upstream, ours }) =>
      upstream === undefined && JSON.stringify(ours).includes("kubernetes.io/metadata.name"),
  },
  {
    reason: "v1.21: references have one manager",
    at: /\.f:(?:roleRef|involvedObject|regarding|scaleTargetRef)\.f:\w+$/,
    matches: ({ ours }) => ours === undefined,
  },
  {
    reason: "v1.22: what was part of extensions is part of its own group",
    at: /details\.group$/,
    matches: ({ upstream, ours }) => upstream === "extensions" && ours === "networking.k8s.io",
  },
  {
    reason: "v1.31: the cache lists in the order of keys",
    at: /items\.\d+\.metadata\.name$/,
    step: /resourceVersion=(?:0|\$\{version\})&/,
  },
  {
    reason: "v1.33: versions of lists are checked before the cache is asked",
    at: /^(?:status|body\.(?:code|reason|message))$/,
    step: /resourceVersion=(?:text|-1)&/,
    matches: ({ ours }) => ours === 400 || /^(?:BadRequest|invalid resource version: .*)$/.test(String(ours)),
  },
  {
    reason: "v1.34: the cache waits for the exact version of a list, too",
    at: /^(?:status|headers|body)/,
    step: /resourceVersion=99999999&resourceVersionMatch=Exact/,
  },
  {
    reason: "v1.22: managed fields leave out what a strategy takes back",
    at: /managedFields\.\d+\.fieldsV1\.f:status$/,
    matches: ({ ours }) => ours === undefined,
  },
  {
    reason: "v1.22: a subresource is a manager of its own",
    at: /managedFields\.length$/,
    step: /^(what|namespaces)/,
  },
  {
    reason: "v1.21: references to objects, and what has one, are atomic",
    at: /managedFields\.\d+\.fieldsV1.*f:(involvedObject|regarding|related|secrets|dataSource|nodeAffinity)\b/,
    matches: ({ ours }) => ours === undefined,
  },
  {
    reason: "v1.32: a label with dots in it is told apart from other bad ones",
    at: /(message|\.length)$/,
    matches: ({ ours }) => /must not contain dots/.test(JSON.stringify(ours)),
  },
  {
    reason: "v1.22: empty fields of owner references are told without their names",
    at: /message$/,
    matches: ({ upstream }) => /(name|uid|kind) must not be empty/.test(String(upstream)),
  },
  {
    reason: "v1.29: volumes and claims show the class of their attributes",
    at: /(columnDefinitions|cells)\.length$/,
    step: /persistentvolume/,
  },
  {
    reason: "v1.31: a quota's age is the last of its columns",
    at: /(columnDefinitions\.\d\.name|cells\.\d)$/,
    step: /resourcequotas/,
  },
  {
    reason: "v1.28: a volume says when its phase changed last",
    at: /lastPhaseTransitionTime$/,
    matches: absentUpstream,
  },
  {
    reason: "v1.22 and later: warnings of what is deprecated",
    at: /^headers\.warning$/,
    step: /^what (nodes|claims|persistent volumes)/,
    matches: absentUpstream,
  },
  {
    reason: "v1.24: values that are lists or objects are written as JSON",
    at: /message$/,
    matches: ({ upstream }) => /\b(core|resource)\.[A-Z]|\[\]string\{/.test(String(upstream)),
  },
  {
    reason: "v1.22: ReadWriteOncePod",
    at: /message$/,
    matches: ({ upstream, ours }) =>
      `${String(upstream).replace(/"$/, "")}, "ReadWriteOncePod"`.startsWith(
        String(ours).replace(/"$/, ""),
      ) ||
      (String(upstream).endsWith('ReadWriteOnce"') && /ReadWriteOncePod/.test(String(ours))),
  },
  {
    reason: "v1.22: fields of nodes are kept one by one, without a word on all of them",
    at: /(message|field|\.length)$/,
    step: /^what nodes/,
    matches: ({ upstream }) =>
      /may only change labels, taints|^\[\]$/.test(JSON.stringify(upstream)) || upstream === "[]",
  },
  {
    reason: "v1.26: who reports an event is a field with another name in the core group",
    at: /message$|causes\.\d\.field$/,
    step: /^what events/,
    matches: ({ upstream, ours }) =>
      String(upstream).replaceAll("reportingController", "reportingComponent") === ours,
  },
  {
    reason: "v1.33: a bad range is told in other words",
    at: /message$/,
    step: /^what nodes/,
    matches: ({ ours }) => /must be a valid CIDR value/.test(String(ours)),
  },
  {
    reason: "v1.22: ranges that lead nowhere are told for both families",
    at: /message$/,
    step: /endpoints/,
    matches: ({ ours }) => /(::1\/128|fe80::\/10|ff02::\/10)\)/.test(String(ours)),
  },
  {
    reason: "v1.22: paths of secrets of CSI volumes are told without slips",
    at: /(message|field)$/,
    step: /^what persistent volumes/,
    matches: ({ upstream }) => /spec\.csi\.name|SecretRef \.|lowercase RFC 1123 label/.test(String(upstream)),
  },
  {
    reason: "v1.23: the labels of nodes in a volume's affinity may become stable ones",
    at: /message$/,
    matches: ({ ours }) => /except for updating from beta label to GA/.test(String(ours)),
  },
  {
    reason: "v1.29: a claim's class of attributes may change too",
    at: /message$/,
    matches: ({ ours }) => /resources\.requests and volumeAttributesClassName/.test(String(ours)),
  },
  {
    reason: "v1.24: both fields for the source of a claim are filled in",
    at: /spec\.dataSourceRef$/,
    matches: absentUpstream,
  },
  {
    reason: "v1.22: missing keys of secrets are told without a slip",
    at: /(message|field)$/,
    matches: ({ upstream }) => /^data\[%s\]|\[data\[%s\]|: data\[%s\]/.test(String(upstream)),
  },
  {
    reason: "v1.22: the operator of a quota's scope is told in other words",
    at: /message$/,
    matches: ({ ours }) => /must be 'Exists' when scope is any of/.test(String(ours)),
  },
  {
    reason: "v1.34: an update of a quota checks it once",
    at: /causes\.length$/,
    step: /^what quotas/,
  },
  {
    reason: "v1.21: a namespace's name is a label's value too",
    at: /(message|causes\.length)$/,
    step: /creations of v1 namespaces/,
  },
  {
    reason: "v1.22: names are generated before limit ranges name themselves",
    at: /(message|details\.name|causes\.length)$/,
    step: /creations of v1 limitranges/,
  },
  {
    reason: "v1.21: events of the new form are checked strictly when they change, too",
    at: /causes\.length$/,
    step: /events\.k8s\.io/,
  },
  {
    reason: "v1.21: the count of a series holds its first event",
    at: /cells\.8$/,
    step: /^what events/,
  },
  {
    reason: "v1.32: lengths are told in bytes",
    at: /message$/,
    matches: ({ upstream }) => /must be no more than \d+ characters/.test(String(upstream)),
  },
  {
    reason: "v1.21: namespaces are labelled with their name",
    at: /(metadata\.labels|fieldsV1\.f:metadata)$/,
    step: /(namespaces|namespaces\/ends\/finalize)$/,
    matches: ({ upstream, ours }) =>
      upstream === undefined && /kubernetes\.io\/metadata\.name/.test(JSON.stringify(ours)),
  },
  {
    reason: "v1.22: a status that a strategy takes back has no manager",
    at: /metadata\.managedFields$/,
    step: /^what nodes/,
  },
  {
    reason: "v1.24: values that are neither texts nor numbers are written as JSON",
    at: /message$/,
    matches: ({ upstream, ours }) =>
      /Invalid value: (?:\[\]|map\[|\w+\.)\w/.test(String(upstream)) &&
      !/Invalid value: (?:\[\]|map\[|\w+\.)\w/.test(String(ours)),
  },
  {
    reason: "v1.22: writes of a status have an entry of their own among the managers",
    at: /managedFields\.length$/,
    matches: ({ ours }) => JSON.stringify(ours).includes('"subresource":"status"'),
  },
  {
    reason: "v1.27: watches can ask for initial events, with rules of their own",
    at: /message$|causes\.length$/,
    step: /watch=true\S*resourceVersionMatch=Exact/,
  },
  {
    reason: "v1.25: the router tells what it has",
    at: /message$/,
    matches: ({ upstream, ours }) =>
      upstream === "406: Not Acceptable" && String(ours).startsWith("406: Not Acceptable\n"),
  },
  {
    reason: "v1.35: options of deletions that cannot be read are the client's fault",
    at: /^(?:status|body\.code|body\.reason)$/,
    step: /^deletions of collections: DELETE/,
    matches: ({ upstream, ours }) => upstream === 500 || ours === "BadRequest",
  },
  {
    reason: "v1.23: services are deleted as a collection, too, and selected by fields of their own",
    at: /./,
    step: /DELETE \S+\/services$|services\?fieldSelector=spec\.type/,
  },
  {
    reason: "v1.21: bodies in another namespace are refused in other words",
    at: /message$/,
    matches: ({ upstream, ours }) =>
      /^the name(?:space)? of the object \(.*\) does not match/.test(String(upstream)) &&
      ours === "the namespace of the provided object does not match the namespace sent on the request",
  },
  {
    reason: "v1.30: any name beside a base that is taken is told as one that was generated",
    at: /^(?:status|headers|body)/,
    step: /^bodies that say who they are: POST \S+\/configmaps$/,
    matches: ({ upstream, ours }) =>
      /could not be completed|ServerTimeout/.test(String(upstream)) ||
      [409, "1", "AlreadyExists", "write", "configmaps", 1].includes(ours as string | number),
  },
  {
    reason: "v1.21: selectors have one manager",
    at: /f:selector\./,
    step: /replicationcontrollers/,
    matches: ({ ours }) => ours === undefined,
  },
  {
    reason: "v1.21 to v1.27: jobs are suspended, indexed, replaced and labelled in new ways",
    at: /spec\.(?:selector|template\.metadata|completionMode|suspend|manualSelector|podReplacementPolicy)|f:(?:completionMode|manualSelector|podReplacementPolicy|suspend)$/,
    step: /jobs/,
  },
  {
    reason: "v1.26: labels of jobs have a domain, and each is told where it is wrong",
    at: /message$|causes\.length$/,
    step: /jobs/,
    matches: ({ ours }) => JSON.stringify(ours).includes("batch.kubernetes.io/"),
  },
  {
    reason: "v1.31: jobs show their status",
    at: /columnDefinitions\.length$|cells\.length$/,
    step: /jobs/,
  },
  {
    reason: "v1.21 to v1.25: CSI drivers republish, tell of capacity and mount for SELinux",
    at: /(?:requiresRepublish|storageCapacity|seLinuxMount)$/,
    step: /csidrivers/,
    matches: absentUpstream,
  },
  {
    reason: "v1.21: CSI drivers show all that they do",
    at: /columnDefinitions\.length$|cells\.length$/,
    step: /csidrivers/,
  },
  {
    reason: "v1.31: priority classes show whether they preempt",
    at: /columnDefinitions\.length$|cells\.length$/,
    step: /priorityclasses/,
  },
  {
    reason: "v1.22 and v1.27: daemon and stateful sets update with a surge, and may let go of claims",
    at: /(?:maxSurge|maxUnavailable|persistentVolumeClaimRetentionPolicy)$/,
    step: /daemonsets|statefulsets/,
    matches: absentUpstream,
  },
  {
    reason: "v1.22: stateful sets count what is available",
    at: /status\.availableReplicas$/,
    step: /statefulsets/,
    matches: absentUpstream,
  },
  {
    reason: "v1.24: the roles of later versions are there from the start",
    at: /(?:items|rows)\.length$|remainingItemCount$|items\.0\.(?:rules|metadata\.managedFields)/,
    step: /every verb on rbac\S+ clusterrole(?:binding)?s: GET/,
  },
  {
    reason: "v1.25: what names a runtime class must be whole",
    at: /./,
    step: /of node\.k8s\.io\/v1 runtimeclasses: POST/,
  },
  {
    reason: "v1.23: who deletes jobs is told what becomes of their pods",
    at: /^headers\.warning$/,
    step: /DELETE \S+\/jobs/,
    matches: absentUpstream,
  },
  {
    reason:
      "v1.27: names of jobs are labels of pods when jobs are indexed, and each label is told where it is wrong",
    at: /causes\.length$/,
    step: /refused creations of batch\S* jobs: POST/,
    matches: ({ ours }) => JSON.stringify(ours).includes("spec.template.labels"),
  },
  {
    reason: "v1.22: restarts of pods are told with their time",
    at: /(?:columnDefinitions\.3\.type|cells\.3)$/,
    step: /\/pods/,
    matches: ({ upstream, ours }) => String(upstream) === ours || ours === "string",
  },
  {
    reason: "v1.29: targets of autoscalers are told with what they measure",
    at: /cells\.2$/,
    step: /horizontalpodautoscalers/,
    matches: ({ upstream, ours }) => `cpu: ${String(upstream)}` === ours,
  },
  {
    reason: "v1.21 and v1.29: nodes and drivers of CSI are checked once",
    at: /causes\.length$/,
    step: /refused creations of storage\S* \S+: POST \S+\/csi(?:drivers|nodes)$/,
    matches: toldTwice,
  },
  {
    reason: "v1.22: those who evict too early are told to come back in ten seconds",
    at: /^headers\.retry-after$|retryAfterSeconds$/,
    step: /eviction$/,
    matches: absentUpstream,
  },
  {
    reason: "v1.33: names of stateful sets are labels",
    at: /message$/,
    step: /statefulsets: POST/,
    matches: ({ ours }) => String(ours).includes("a lowercase RFC 1123 label"),
  },
  {
    reason: "v1.25: pods of stateful sets are checked whole",
    at: /causes\.length$/,
    step: /statefulsets\?dryRun=All$/,
    matches: ({ ours }) => JSON.stringify(ours).includes("spec.template.spec.containers"),
  },
  {
    reason: "v1.32: what autoscalers scale has a group",
    at: /message$|causes\.length$/,
    step: /horizontalpodautoscalers\?dryRun=All$/,
    matches: ({ ours }) => JSON.stringify(ours).includes("apiVersion must specify API group"),
  },
];
