import {
  accept,
  get,
  inNamespace,
  metadataListOf,
  patch,
  post,
  remove,
  tableOf,
  type Sequence,
  type Step,
} from "../step.ts";

const configMaps = inNamespace("configmaps");
const of = (query: string) => `${configMaps}?labelSelector=list%3Dyes&${query}`;

const create = (name: string, labels: object = { list: "yes" }): Step =>
  post(configMaps, { metadata: { name, labels } }, { silent: true });

const some: readonly Step[] = ["a", "b", "c", "d", "e"].map((name) => create(`list-${name}`));
const cleaned = remove(of(""), undefined, { silent: true });

const matches = ["", "Exact", "NotOlderThan", "Other"];
const versions = ["", "0", "${version}", "99999999", "text", "-1"];
const limits = ["", "limit=2"];

const listOptions: Sequence = {
  name: "lists with every version, match and limit",
  steps: [
    ...some,
    get(of("limit=1"), { capture: { version: "metadata.resourceVersion" } }),
    ...versions
      // Upstream waits seconds for a version that is not yet there.
      .filter((version) => version !== "99999999")
      .flatMap((version) =>
        matches.flatMap((match) =>
          limits.map((limit) => get(of(`resourceVersion=${version}&resourceVersionMatch=${match}&${limit}`))),
        ),
      ),
    get(of("resourceVersion=99999999")),
    get(of("resourceVersion=99999999&resourceVersionMatch=Exact")),
    cleaned,
  ],
};

const chunks: Sequence = {
  name: "lists in chunks",
  steps: [
    ...some,
    get(of("limit=2"), { capture: { next: "metadata.continue", version: "metadata.resourceVersion" } }),
    create("list-bb"),
    get(of("limit=2&continue=${next}"), { capture: { next: "metadata.continue" } }),
    get(of("limit=2&continue=${next}")),
    get(of("continue=${next}&resourceVersion=${version}")),
    get(of("continue=${next}&resourceVersion=0")),
    get(of("continue=${next}&resourceVersionMatch=Exact&resourceVersion=${version}")),
    get(of("continue=${next}&resourceVersionMatch=Exact")),
    get(of("continue=nonsense")),
    get(of("continue=bm9uc2Vuc2U")),
    get(of("continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhIn0")),
    get(of("limit=-1")),
    get(of("limit=text")),
    get(of("limit=0")),
    get(of("limit=5")),
    get(of("limit=6")),
    get(of("limit=2"), tableOf),
    get(of("limit=2"), metadataListOf),
    get(`${configMaps}?limit=1&fieldSelector=metadata.name%3Dlist-a`),
    get("/api/v1/configmaps?limit=1&labelSelector=list%3Dyes"),
    cleaned,
  ],
};

const selectors: Sequence = {
  name: "lists by selectors",
  steps: [
    create("select-a", { select: "a", tier: "front" }),
    create("select-b", { select: "b" }),
    create("select-c", { select: "" }),
    ...[
      "select=a",
      "select==a",
      "select!=a,select",
      "select in (a,b)",
      "select notin (a,b),select",
      "select in ()",
      "select in (",
      "select in a",
      "select,!tier",
      "select=",
      "select in (,a)",
      "select>1",
      "select>a",
      "select<5",
      "!select,tier",
      "a b=c",
      "select=a b",
      "=a",
      ",",
      "select=a,",
      "select=a,,tier=front",
      "-a=b",
      "a/b/c=d",
      "select=-a",
      `select=${"a".repeat(64)}`,
      `${"a".repeat(64)}=b`,
      "Example.com/a=b",
      "select=a;b",
      "select in (a b)",
      "!",
      "!!select",
      "select exists",
      "in in (in)",
      "select notin a",
    ].map((selector) => get(`${configMaps}?labelSelector=${encodeURIComponent(selector)}`)),
    ...[
      "metadata.name=select-a",
      "metadata.name==select-a",
      "metadata.name!=select-a",
      "metadata.namespace=other",
      "metadata.namespace=differential,metadata.name=select-b",
      "metadata.name",
      "metadata.name=",
      "metadata.uid=a",
      "data.a=b",
      "=a",
      ",",
      "metadata.name=a\\,b",
      "metadata.name=a\\",
      "metadata.name>a",
      "metadata.name in (a)",
      "!metadata.name",
    ].map((selector) => get(`${configMaps}?fieldSelector=${encodeURIComponent(selector)}`)),
    ...[
      "pods?fieldSelector=spec.nodeName%3Da,status.phase%3DRunning,status.podIP%3D,spec.restartPolicy%3DAlways",
      "pods?fieldSelector=spec.schedulerName%3Da,spec.serviceAccountName%3Db,status.nominatedNodeName%3Dc",
      "pods?fieldSelector=spec.hostname%3Da",
      "secrets?fieldSelector=type%3DOpaque",
      "events?fieldSelector=involvedObject.kind%3DPod,reason%3Da,type%3DNormal,source%3Db,reportingComponent%3Dc",
      "events?fieldSelector=involvedObject.uid%3DPod,involvedObject.fieldPath%3Da,involvedObject.apiVersion%3Dv1",
      "events?fieldSelector=involvedObject.other%3DPod",
      "replicationcontrollers?fieldSelector=status.replicas%3D0",
      "services?fieldSelector=spec.type%3DClusterIP",
    ].map((rest) => get(inNamespace(rest))),
    get("/api/v1/namespaces?fieldSelector=status.phase%3DActive,name%3Ddefault"),
    get("/api/v1/namespaces?fieldSelector=status.phase%3DTerminating"),
    get("/api/v1/nodes?fieldSelector=spec.unschedulable%3Dtrue"),
    get("/apis/apps/v1/replicasets?fieldSelector=status.replicas%3D0"),
    get("/apis/batch/v1/jobs?fieldSelector=status.successful%3D0"),
    get("/apis/events.k8s.io/v1/events?fieldSelector=regarding.kind%3DPod"),
    get("/apis/events.k8s.io/v1/events?fieldSelector=involvedObject.kind%3DPod"),
    get("/apis/certificates.k8s.io/v1/certificatesigningrequests?fieldSelector=spec.signerName%3Da"),
    ...["a", "b", "c"].map((name) => remove(`${configMaps}/select-${name}`, undefined, { silent: true })),
  ],
};

const watches: Sequence = {
  name: "watches",
  steps: [
    create("watch-a", { watch: "yes" }),
    get(`${configMaps}/watch-a`, { capture: { version: "metadata.resourceVersion" } }),
    patch(`${configMaps}/watch-a`, "merge", { body: { data: { a: "1" } }, silent: true }),
    create("watch-b", { watch: "yes" }),
    patch(`${configMaps}/watch-b`, "merge", {
      body: { metadata: { labels: { watch: "no" } } },
      silent: true,
    }),
    patch(`${configMaps}/watch-b`, "merge", {
      body: { metadata: { labels: { watch: "yes" } } },
      silent: true,
    }),
    remove(`${configMaps}/watch-b`, undefined, { silent: true }),
    ...[
      "watch=true&resourceVersion=${version}&timeoutSeconds=1",
      "watch=1&resourceVersion=${version}&timeoutSeconds=1&labelSelector=watch%3Dyes",
      "watch=true&resourceVersion=${version}&timeoutSeconds=1&labelSelector=watch%3Dno",
      "watch=true&resourceVersion=${version}&timeoutSeconds=1&fieldSelector=metadata.name%3Dwatch-b",
      "watch=true&resourceVersion=${version}&timeoutSeconds=1&allowWatchBookmarks=true&limit=1",
      "watch=true&timeoutSeconds=1&labelSelector=watch%3Dyes",
      "watch=true&resourceVersion=0&timeoutSeconds=1&labelSelector=watch%3Dyes",
      "watch=true&timeoutSeconds=1&resourceVersion=1",
      "watch=true&timeoutSeconds=1&resourceVersion=text",
      "watch=true&timeoutSeconds=1&resourceVersion=99999999",
      "watch=true&timeoutSeconds=1&resourceVersion=${version}&resourceVersionMatch=Exact",
      "watch=true&timeoutSeconds=1&continue=abc",
      "watch=true&timeoutSeconds=text",
      "watch=true&timeoutSeconds=1&labelSelector=a%20b",
      "watch=true&timeoutSeconds=1&fieldSelector=data.a%3Db",
      "watch=yes&timeoutSeconds=1",
      "watch=false&labelSelector=watch%3Dyes",
      "watch&timeoutSeconds=1&labelSelector=watch%3Dyes",
    ].map((query) => get(`${configMaps}?${query}`)),
    get(`${configMaps}?watch=true&resourceVersion=\${version}&timeoutSeconds=1`, tableOf),
    get(`${configMaps}?watch=true&resourceVersion=\${version}&timeoutSeconds=1&includeObject=None`, tableOf),
    get(
      `${configMaps}?watch=true&resourceVersion=\${version}&timeoutSeconds=1`,
      accept("application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"),
    ),
    get(`${configMaps}?watch=true&resourceVersion=\${version}&timeoutSeconds=1`, metadataListOf),
    get(`${configMaps}?watch=true&resourceVersion=\${version}&timeoutSeconds=1`, accept("application/yaml")),
    get(`${configMaps}?watch=true&resourceVersion=\${version}&timeoutSeconds=1`, accept("text/plain")),
    get("/api/v1/watch/namespaces/differential/configmaps?resourceVersion=${version}&timeoutSeconds=1"),
    get(
      "/api/v1/watch/namespaces/differential/configmaps/watch-a?resourceVersion=${version}&timeoutSeconds=1",
    ),
    get("/api/v1/watch/configmaps?resourceVersion=${version}&timeoutSeconds=1&labelSelector=watch%3Dyes"),
    get("/api/v1/watch/nothings?timeoutSeconds=1"),
    get(`${configMaps}/watch-a?watch=true&resourceVersion=\${version}&timeoutSeconds=1`),
    get(`${configMaps}/none?watch=true&timeoutSeconds=1`),
    get(`${configMaps}/watch-a?resourceVersion=0`),
    get(`${configMaps}/watch-a?resourceVersion=text`),
    get(`${configMaps}/watch-a?resourceVersion=\${version}`),
    remove(`${configMaps}/watch-a`, undefined, { silent: true }),
  ],
};

const collections: Sequence = {
  name: "deletions of collections",
  steps: [
    ...some,
    remove(of("dryRun=All")),
    get(of("")),
    remove(of("fieldSelector=metadata.name%3Dlist-a")),
    remove(of("limit=1")),
    remove(of("labelSelector=a%20b")),
    remove(of("fieldSelector=data.a%3Db")),
    remove(of(""), { propagationPolicy: "Nonsense" }),
    remove(of(""), { gracePeriodSeconds: -1 }),
    remove(of(""), "nonsense"),
    remove(of(""), { preconditions: { uid: "11111111-1111-1111-1111-111111111111" } }),
    remove(of("")),
    remove(of("")),
    get(of("")),
    remove("/api/v1/configmaps"),
    remove("/api/v1/namespaces"),
    remove(inNamespace("services")),
  ],
};

const selectable: Sequence = {
  name: "fields by which objects are selected",
  steps: [
    ...["status.podIPs", "status.podIP", "spec.replicas"].map((field) =>
      get(inNamespace(`pods?fieldSelector=${field}%3Dx`)),
    ),
    ...[
      "source",
      "reportingController",
      "reportingComponent",
      "regarding.name",
      "involvedObject.name",
    ].flatMap((field) => [
      get(inNamespace(`events?fieldSelector=${field}%3Dx`)),
      get(`/apis/events.k8s.io/v1/namespaces/differential/events?fieldSelector=${field}%3Dx`),
    ]),
  ],
};

export const listSequences: readonly Sequence[] = [
  listOptions,
  chunks,
  selectors,
  selectable,
  watches,
  collections,
];
