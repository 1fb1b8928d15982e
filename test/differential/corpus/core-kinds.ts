import {
  get,
  inNamespace,
  namespace,
  patch,
  post,
  put,
  remove,
  tableOf,
  type Sequence,
  type Step,
} from "../step.ts";

const refusedAt = (collection: string, bodies: readonly object[]): readonly Step[] =>
  bodies.map((body) => post(`${collection}?dryRun=All`, { metadata: { name: "unfit" }, ...body }));
const merged = (path: string, ...bodies: readonly object[]): readonly Step[] =>
  bodies.map((body) => patch(path, "merge", { body }));
const badMetadata = {
  metadata: { labels: { "a b": "c d" }, annotations: { "a b": "" }, finalizers: ["nonsense", "a b"] },
};

const configMaps: Sequence = {
  name: "what config maps may hold",
  steps: [
    ...refusedAt(inNamespace("configmaps"), [
      { data: { "a b": "" } },
      ...["..", "..a", ".", "a".repeat(254)].map((key) => ({ data: { [key]: "" } })),
      { data: { a: "" }, binaryData: { a: "" } },
      { binaryData: { a: "no base64!" } },
      { binaryData: { a: "YQ" } },
      { binaryData: { a: "YQ==\n" } },
      { binaryData: { a: 1 } },
      { data: { a: "x".repeat(1024 * 1024 + 1) } },
      { immutable: "yes" },
      { data: { a: null } },
      { data: {} },
    ]),
    post(inNamespace("configmaps"), { metadata: { name: "fixed" }, data: { a: "1" }, immutable: true }),
    ...merged(
      inNamespace("configmaps/fixed"),
      { data: { a: "2" } },
      { immutable: false },
      { immutable: null, data: null, binaryData: { b: "AA==" } },
      { data: { "a b": "" } },
      badMetadata,
      { metadata: { labels: { a: "b" } } },
    ),
    remove(inNamespace("configmaps/fixed")),
  ],
};

const secrets: Sequence = {
  name: "what secrets may hold",
  steps: [
    ...refusedAt(inNamespace("secrets"), [
      { data: { "a b": "" } },
      { data: { a: "no base64!" } },
      { data: { a: 5 } },
      { stringData: { a: 5 } },
      { stringData: { a: "ü" }, data: { a: "eA==" } },
      { type: "kubernetes.io/service-account-token" },
      { type: "kubernetes.io/dockercfg" },
      { type: "kubernetes.io/dockercfg", stringData: { ".dockercfg": "x" } },
      { type: "kubernetes.io/dockerconfigjson", stringData: { ".dockerconfigjson": "" } },
      { type: "kubernetes.io/dockerconfigjson", stringData: { ".dockerconfigjson": "[]" } },
      { type: "kubernetes.io/dockerconfigjson", stringData: { ".dockerconfigjson": "5" } },
      { type: "kubernetes.io/dockerconfigjson", stringData: { ".dockerconfigjson": "true" } },
      { type: "kubernetes.io/dockerconfigjson", stringData: { ".dockerconfigjson": "null" } },
      { type: "kubernetes.io/dockerconfigjson", stringData: { ".dockerconfigjson": '{"a":' } },
      { type: "kubernetes.io/dockerconfigjson", stringData: { ".dockerconfigjson": "{}" } },
      { type: "kubernetes.io/basic-auth" },
      { type: "kubernetes.io/basic-auth", stringData: { username: "" } },
      { type: "kubernetes.io/ssh-auth" },
      { type: "kubernetes.io/ssh-auth", data: { "ssh-privatekey": "" } },
      { type: "kubernetes.io/tls", stringData: { "tls.crt": "x" } },
      { type: "bootstrap.kubernetes.io/token" },
      { type: "anything" },
    ]),
    post(inNamespace("secrets"), { metadata: { name: "fixed" }, stringData: { a: "1" }, immutable: true }),
    ...merged(
      inNamespace("secrets/fixed"),
      { stringData: { a: "2" } },
      { immutable: null },
      { type: "other" },
      { type: null },
      { type: "kubernetes.io/tls", data: null },
      badMetadata,
    ),
    get(`${inNamespace("secrets")}?fieldSelector=type%3DOpaque`),
    get(`${inNamespace("secrets")}?fieldSelector=type%3Dnone`),
    remove(inNamespace("secrets/fixed")),
  ],
};

const serviceAccounts: Sequence = {
  name: "what service accounts keep",
  steps: [
    post(inNamespace("serviceaccounts"), {
      metadata: { name: "kept" },
      secrets: [{ name: "a", namespace: "b", kind: "Secret", uid: "c" }],
      imagePullSecrets: [{ name: "p" }],
    }),
    ...merged(
      inNamespace("serviceaccounts/kept"),
      { secrets: [{ name: "b", fieldPath: "x" }] },
      { automountServiceAccountToken: true },
      badMetadata,
    ),
    get(inNamespace("serviceaccounts/kept"), tableOf),
    remove(inNamespace("serviceaccounts/kept")),
  ],
};

const namespaces: Sequence = {
  name: "namespaces and what ends them",
  steps: [
    ...refusedAt("/api/v1/namespaces", [
      { metadata: { name: "a.b" } },
      { metadata: { name: "ab" }, spec: { finalizers: ["nonsense"] } },
      { metadata: { name: "ab" }, spec: { finalizers: ["a b", "example.com/x"] } },
    ]),
    post("/api/v1/namespaces", {
      metadata: { name: "ends", labels: { a: "b" } },
      spec: { finalizers: ["example.com/x"] },
      status: { phase: "Terminating" },
    }),
    ...merged(
      "/api/v1/namespaces/ends",
      { spec: { finalizers: ["other.example.com/x"] } },
      { status: { phase: "Terminating" } },
      badMetadata,
    ),
    ...merged(
      "/api/v1/namespaces/ends/status",
      { status: { phase: "Terminating" } },
      { status: { phase: "Other" } },
      { status: { conditions: [{ type: "A", status: "True" }] } },
      badMetadata,
    ),
    put("/api/v1/namespaces/ends/finalize", {
      metadata: { name: "ends" },
      spec: { finalizers: ["kubernetes", "nonsense", "a b"] },
    }),
    put("/api/v1/namespaces/ends/finalize", {
      metadata: { name: "ends" },
      spec: { finalizers: ["example.com/x"] },
    }),
    get("/api/v1/namespaces?fieldSelector=status.phase%3DActive,metadata.name%3Dends"),
    get("/api/v1/namespaces?fieldSelector=name%3Dends"),
    get("/api/v1/namespaces?fieldSelector=metadata.namespace%3Dends"),
    remove("/api/v1/namespaces/ends"),
    ...merged("/api/v1/namespaces/ends/status", { status: { phase: "Active" } }),
    get("/api/v1/namespaces?fieldSelector=status.phase%3DTerminating", tableOf),
    put("/api/v1/namespaces/ends/finalize", { metadata: { name: "ends" }, spec: { finalizers: [] } }),
    get("/api/v1/namespaces/ends"),
  ],
};

const taint = (rest: object) => ({ spec: { taints: [{ key: "a", effect: "NoSchedule", ...rest }] } });
const ready = [{ type: "Ready", status: "True" }];
const nodes: Sequence = {
  name: "what nodes may say",
  steps: [
    ...refusedAt("/api/v1/nodes", [
      taint({ key: "" }),
      taint({ key: "a b", value: "c d", effect: "Other" }),
      taint({ effect: "" }),
      {
        spec: {
          taints: [
            { key: "a", effect: "NoExecute", value: "b" },
            { key: "a", effect: "NoExecute" },
          ],
        },
      },
      { spec: { podCIDR: "10.0.0.0/33" } },
      { spec: { podCIDR: "10.1.0.0/24", podCIDRs: ["10.2.0.0/24"] } },
      { spec: { podCIDRs: ["10.2.0.0/24"] } },
      { spec: { externalID: "x" } },
      ...[{ pods: "1500m" }, { cpu: "-1" }, { "example.com/gpu": "1500m" }, { memory: "1.5" }].map(
        (capacity) => ({
          status: { capacity },
        }),
      ),
      { status: { allocatable: { pods: "-1" }, capacity: { cpu: "2" } } },
    ]),
    post("/api/v1/nodes", {
      metadata: { name: "says" },
      spec: { podCIDR: "10.9.0.0/24", providerID: "a://b" },
      status: { capacity: { cpu: "2" }, conditions: ready },
    }),
    ...merged(
      "/api/v1/nodes/says",
      { spec: { podCIDR: "10.8.0.0/24", podCIDRs: ["10.8.0.0/24"] } },
      { spec: { podCIDR: null, podCIDRs: null } },
      { spec: { providerID: "c://d" } },
      { spec: { externalID: "x" } },
      taint({ key: "a b" }),
      taint({ value: "b" }),
      { spec: { unschedulable: true } },
      { status: { capacity: { cpu: "4" } } },
      badMetadata,
    ),
    ...merged(
      "/api/v1/nodes/says/status",
      { spec: { unschedulable: false }, status: { capacity: { cpu: "4", pods: "1500m" } } },
      {
        status: {
          addresses: [
            { type: "InternalIP", address: "10.0.0.1" },
            { type: "InternalIP", address: "10.0.0.1" },
          ],
        },
      },
      {
        status: {
          capacity: { cpu: "4" },
          addresses: [
            { type: "InternalIP", address: "10.0.0.1" },
            { type: "ExternalIP", address: "1.2.3.4" },
          ],
        },
      },
      badMetadata,
    ),
    get("/api/v1/nodes/says", tableOf),
    get("/api/v1/nodes?fieldSelector=spec.unschedulable%3Dtrue,metadata.name%3Dsays", tableOf),
    get("/api/v1/nodes?fieldSelector=metadata.namespace%3D"),
    remove("/api/v1/nodes/says"),
  ],
};

const claimSpec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
const claim = (rest: object) => ({ spec: { ...claimSpec, ...rest } });
const claims: Sequence = {
  name: "what claims may ask for",
  steps: [
    ...refusedAt(inNamespace("persistentvolumeclaims"), [
      { spec: {} },
      claim({ accessModes: ["Other"] }),
      claim({ accessModes: [] }),
      claim({ resources: { requests: { storage: "0" } } }),
      claim({ resources: { requests: { storage: "-1" } } }),
      claim({ storageClassName: "A_b" }),
      claim({ storageClassName: "" }),
      claim({ volumeMode: "Other" }),
      claim({ volumeMode: "Block" }),
      claim({ selector: { matchExpressions: [{ key: "a", operator: "In" }] } }),
      claim({ dataSource: { kind: "Other", name: "a", apiGroup: "example.com" } }),
      claim({ dataSource: { kind: "PersistentVolumeClaim", name: "a" } }),
      claim({ dataSource: { kind: "VolumeSnapshot", name: "a", apiGroup: "snapshot.storage.k8s.io" } }),
    ]),
    post(inNamespace("persistentvolumeclaims"), {
      metadata: { name: "asks", annotations: { "volume.beta.kubernetes.io/storage-class": "old" } },
      ...claim({}),
      status: { phase: "Bound" },
    }),
    ...merged(
      inNamespace("persistentvolumeclaims/asks"),
      { metadata: { annotations: { "volume.beta.kubernetes.io/storage-class": "new" } } },
      { spec: { volumeMode: "Block" } },
      { spec: { storageClassName: "old" } },
      badMetadata,
      { spec: { volumeName: "volume" } },
    ),
    ...merged(
      inNamespace("persistentvolumeclaims/asks/status"),
      { status: { capacity: { storage: "-1" } } },
      { spec: { accessModes: [] }, status: { phase: "Bound", capacity: { storage: "1Gi" } } },
    ),
    ...merged(inNamespace("persistentvolumeclaims/asks"), {
      spec: { resources: { requests: { storage: "2Gi" } } },
    }),
    get(inNamespace("persistentvolumeclaims/asks"), tableOf),
    get(`${inNamespace("persistentvolumeclaims")}?fieldSelector=name%3Dasks`),
    remove(inNamespace("persistentvolumeclaims/asks")),
    patch(inNamespace("persistentvolumeclaims/asks"), "merge", { body: { metadata: { finalizers: null } } }),
  ],
};

const volumeSpec = { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"] };
const volume = (rest: object) => ({ spec: { ...volumeSpec, ...rest } });
const hostPath = { path: "/data" };
const sources: readonly object[] = [
  { hostPath: { path: "" } },
  { hostPath: { path: "a/../b", type: "Other" } },
  { hostPath, nfs: { server: "a", path: "/" } },
  { gcePersistentDisk: { pdName: "", partition: 300 } },
  { awsElasticBlockStore: { volumeID: "", partition: -1 } },
  { glusterfs: { endpoints: "", path: "", endpointsNamespace: "A" } },
  { flocker: {} },
  { nfs: { server: "", path: "relative" } },
  { rbd: { monitors: [], image: "" } },
  { rbd: { monitors: ["a"], image: "b" } },
  { quobyte: { registry: "", volume: "" } },
  { cephfs: { monitors: [] } },
  { iscsi: { targetPortal: "", iqn: "", lun: 256, chapAuthSession: true } },
  { iscsi: { targetPortal: "a", iqn: "iqn.2020-01.com.example:x", lun: 0, initiatorName: "bad" } },
  { cinder: { volumeID: "", secretRef: {} } },
  { fc: { targetWWNs: ["a"] } },
  { flexVolume: { driver: "", options: { "kubernetes.io/x": "" } } },
  { azureFile: { secretName: "", shareName: "", secretNamespace: "" } },
  { vsphereVolume: { volumePath: "" } },
  { photonPersistentDisk: { pdID: "" } },
  { portworxVolume: { volumeID: "" } },
  { azureDisk: { diskName: "", diskURI: "", kind: "Other", cachingMode: "Other" } },
  { azureDisk: { diskName: "a", diskURI: "b" } },
  { scaleIO: { gateway: "", system: "", volumeName: "", secretRef: null } },
  { local: { path: "" } },
  { local: { path: "/a" } },
  { storageos: { volumeName: "A", secretRef: {} } },
  {
    csi: {
      driver: "",
      volumeHandle: "",
      nodePublishSecretRef: {},
      controllerPublishSecretRef: { name: "A" },
    },
  },
  { csi: { driver: "csi.example.com", volumeHandle: "a" } },
];
const zone = (key: string) => ({
  nodeAffinity: {
    required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: "In", values: ["a"] }] }] },
  },
});
const volumes: Sequence = {
  name: "what persistent volumes may be",
  steps: [
    ...refusedAt("/api/v1/persistentvolumes", [
      { spec: {} },
      volume({ hostPath, capacity: { storage: "0" } }),
      volume({ hostPath, capacity: { storage: "-1" } }),
      volume({ hostPath, capacity: { storage: "1", cpu: "1" } }),
      volume({ hostPath, accessModes: ["Other"] }),
      volume({ hostPath, persistentVolumeReclaimPolicy: "Other" }),
      volume({ hostPath: { path: "/./" }, persistentVolumeReclaimPolicy: "Recycle" }),
      volume({ hostPath, storageClassName: "A_b" }),
      volume({ hostPath, volumeMode: "Other" }),
      volume({ hostPath, nodeAffinity: {} }),
      volume({ hostPath, nodeAffinity: { required: { nodeSelectorTerms: [] } } }),
      ...sources.map(volume),
    ]),
    post("/api/v1/persistentvolumes", {
      metadata: { name: "may" },
      ...volume({ hostPath, ...zone("failure-domain.beta.kubernetes.io/zone") }),
      status: { phase: "Bound" },
    }),
    ...merged(
      "/api/v1/persistentvolumes/may",
      { spec: { volumeMode: "Block" } },
      { spec: zone("other") },
      { spec: { nodeAffinity: null } },
      { spec: { capacity: { storage: "2Gi" }, claimRef: { namespace: "a", name: "b" } } },
      { spec: { accessModes: ["Other"] } },
      badMetadata,
    ),
    ...merged("/api/v1/persistentvolumes/may/status", {
      spec: { capacity: { storage: "9Gi" } },
      status: { reason: "Broken", message: "it is" },
    }),
    get("/api/v1/persistentvolumes/may", tableOf),
    get("/api/v1/persistentvolumes?fieldSelector=name%3Dmay"),
    get("/api/v1/persistentvolumes?fieldSelector=metadata.name%3Dmay,metadata.namespace%3D", tableOf),
    remove("/api/v1/persistentvolumes/may"),
    patch("/api/v1/persistentvolumes/may", "merge", { body: { metadata: { finalizers: null } } }),
  ],
};

const subset = (rest: object) => ({
  subsets: [{ addresses: [{ ip: "10.1.1.1" }], ports: [{ port: 80 }], ...rest }],
});
const endpoints: Sequence = {
  name: "what endpoints may be",
  steps: [
    ...refusedAt(inNamespace("endpoints"), [
      { subsets: [{}] },
      subset({ addresses: [{ ip: "10.1.1" }] }),
      subset({
        addresses: [{ ip: "127.0.0.1" }, { ip: "169.254.1.1" }, { ip: "0.0.0.0" }, { ip: "224.0.0.1" }],
      }),
      subset({ addresses: [{ ip: "10.1.1.1", hostname: "A.b", nodeName: "A_b" }] }),
      subset({ notReadyAddresses: [{ ip: "" }] }),
      subset({ ports: [{ port: 0 }] }),
      subset({ ports: [{ port: 80, protocol: "Other", name: "A.b", appProtocol: "a b" }] }),
      subset({ ports: [{ port: 80 }, { port: 81 }] }),
    ]),
    post(inNamespace("endpoints"), {
      metadata: { name: "packed" },
      subsets: [
        { addresses: [{ ip: "10.1.1.2" }, { ip: "10.1.1.1" }, { ip: "10.1.1.1" }], ports: [{ port: 80 }] },
        { notReadyAddresses: [{ ip: "10.1.1.3" }, { ip: "10.1.1.2" }], ports: [{ port: 80 }] },
      ],
    }),
    get(inNamespace("endpoints/packed"), tableOf),
    ...merged(inNamespace("endpoints/packed"), badMetadata, { subsets: null }),
    get(inNamespace("endpoints/packed"), tableOf),
    remove(inNamespace("endpoints/packed")),
  ],
};

const limit = (rest: object) => ({ spec: { limits: [{ type: "Container", ...rest }] } });
const limitRanges: Sequence = {
  name: "what limit ranges may say",
  steps: [
    ...refusedAt(inNamespace("limitranges"), [
      limit({ type: "" }),
      limit({ type: "Other" }),
      limit({ type: "example.com/other", max: { cpu: "1" } }),
      { spec: { limits: [{ type: "Pod" }, { type: "Pod" }] } },
      limit({ type: "Pod", default: { cpu: "1" }, defaultRequest: { cpu: "1" } }),
      limit({ max: { nonsense: "1" } }),
      limit({ max: { "a b": "1" } }),
      limit({ min: { cpu: "2" }, max: { cpu: "1" } }),
      limit({ min: { cpu: "2" }, default: { cpu: "1" } }),
      limit({ min: { cpu: "2" }, defaultRequest: { cpu: "1" } }),
      limit({ max: { cpu: "1" }, default: { cpu: "2" } }),
      limit({ max: { cpu: "1" }, defaultRequest: { cpu: "2" } }),
      limit({ default: { cpu: "1" }, defaultRequest: { cpu: "2" } }),
      limit({ maxLimitRequestRatio: { cpu: "500m" } }),
      limit({ min: { cpu: "1" }, max: { cpu: "2" }, maxLimitRequestRatio: { cpu: "3" } }),
      limit({ default: { "example.com/gpu": "2" }, defaultRequest: { "example.com/gpu": "1" } }),
      limit({ type: "PersistentVolumeClaim", max: { cpu: "1" } }),
      limit({ type: "PersistentVolumeClaim", max: { storage: "1Gi" } }),
      limit({ max: { cpu: "1", memory: "1Gi" }, min: { cpu: "100m" } }),
    ]),
    post(inNamespace("limitranges"), { metadata: { name: "says" }, ...limit({ max: { cpu: "1" } }) }),
    ...merged(inNamespace("limitranges/says"), { spec: { limits: [{ type: "Other" }] } }, badMetadata, {
      spec: { limits: [{ type: "Pod", max: { cpu: "3" } }] },
    }),
    get(inNamespace("limitranges/says"), tableOf),
    remove(inNamespace("limitranges/says")),
  ],
};

const selector = (...matchExpressions: readonly object[]) => ({
  spec: { hard: { pods: "1" }, scopeSelector: { matchExpressions } },
});
const quotas: Sequence = {
  name: "what quotas may say",
  steps: [
    ...refusedAt(inNamespace("resourcequotas"), [
      { spec: { hard: { nonsense: "1" } } },
      { spec: { hard: { "a b": "1" } } },
      { spec: { hard: { storage: "1" } } },
      ...[{ pods: "-1" }, { services: "1500m" }, { cpu: "1500m" }].map((hard) => ({ spec: { hard } })),
      { spec: { hard: { pods: "1" }, scopes: ["Other"] } },
      { spec: { hard: { pods: "1", services: "1", cpu: "1" }, scopes: ["BestEffort"] } },
      {
        spec: {
          hard: { pods: "1" },
          scopes: ["BestEffort", "NotBestEffort", "Terminating", "NotTerminating"],
        },
      },
      selector({ scopeName: "Other", operator: "Exists" }),
      selector({ scopeName: "PriorityClass", operator: "In" }),
      selector({ scopeName: "PriorityClass", operator: "Exists", values: ["a"] }),
      selector({ scopeName: "PriorityClass", operator: "Other" }),
      selector({ scopeName: "Terminating", operator: "In", values: ["a"] }),
      selector(
        { scopeName: "Terminating", operator: "Exists" },
        { scopeName: "NotTerminating", operator: "Exists" },
      ),
      {
        spec: {
          hard: { services: "1" },
          scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass", operator: "Exists" }] },
        },
      },
    ]),
    post(inNamespace("resourcequotas"), {
      metadata: { name: "says" },
      spec: { hard: { "count/widgets.example.com": "1" }, scopes: [] },
      status: { hard: { pods: "1" } },
    }),
    ...merged(
      inNamespace("resourcequotas/says"),
      { spec: { scopes: ["Terminating"] } },
      { spec: { hard: { nonsense: "1" } } },
      badMetadata,
      { spec: { hard: { "count/widgets.example.com": "2" } } },
    ),
    ...merged(
      inNamespace("resourcequotas/says/status"),
      { status: { hard: { nonsense: "1" }, used: { pods: "-1" } } },
      {
        status: {
          hard: { pods: "2", "limits.cpu": "1", "requests.cpu": "1" },
          used: { pods: "1", "limits.cpu": "500m" },
        },
      },
    ),
    get(inNamespace("resourcequotas/says"), tableOf),
    remove(inNamespace("resourcequotas/says")),
  ],
};

const newEvents = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
const newEvent = {
  eventTime: "2030-01-01T00:00:00.000000Z",
  reportingController: "example.com/tests",
  reportingInstance: "tests-1",
  action: "Binding",
  reason: "Scheduled",
  type: "Normal",
  regarding: { kind: "Pod", namespace, name: "web" },
};
const event = { involvedObject: { kind: "Pod", namespace, name: "web" }, reason: "Started" };
const events: Sequence = {
  name: "what events may say",
  steps: [
    ...refusedAt(inNamespace("events"), [
      {},
      { involvedObject: { namespace: "other" } },
      { ...event, metadata: { name: "Not.A_name" } },
      { ...event, eventTime: "2030-01-01T00:00:00.000000Z" },
      {
        ...event,
        eventTime: "2030-01-01T00:00:00.000000Z",
        reportingComponent: "a b",
        action: "a".repeat(129),
      },
      { ...event, type: "Other" },
      { ...event, eventTime: "2030-01-01T00:00:00.000000Z", message: "m".repeat(1025) },
    ]),
    ...refusedAt(newEvents, [
      { ...newEvent, metadata: { name: "Not.A_name" } },
      { ...newEvent, type: "Other" },
      { ...newEvent, regarding: {} },
      { ...newEvent, regarding: { namespace: "other" } },
      {
        ...newEvent,
        reportingController: "a b",
        reportingInstance: "i".repeat(129),
        action: "a".repeat(129),
      },
      { ...newEvent, reason: "r".repeat(129), note: "n".repeat(1025) },
      { ...newEvent, series: { count: 1 } },
      { ...newEvent, series: { count: 2, lastObservedTime: "2030-01-01T00:00:00.000000Z" } },
      {
        ...newEvent,
        deprecatedCount: 1,
        deprecatedFirstTimestamp: "2030-01-01T00:00:00Z",
        deprecatedLastTimestamp: "2030-01-01T00:00:00Z",
        deprecatedSource: { component: "a" },
      },
    ]),
    post(newEvents, { metadata: { name: "new" }, ...newEvent }),
    ...merged(
      `${newEvents}/new`,
      { series: { count: 5, lastObservedTime: "2030-01-01T00:00:00.000000Z" } },
      badMetadata,
    ),
    post(inNamespace("events"), {
      metadata: { name: "old" },
      ...event,
      source: { component: "a", host: "b" },
      firstTimestamp: "2030-01-01T00:00:00Z",
      message: " said ",
    }),
    ...merged(
      inNamespace("events/old"),
      { reason: "other" },
      { involvedObject: { namespace: "other" } },
      badMetadata,
    ),
    get(inNamespace("events"), tableOf),
    get(newEvents, tableOf),
    ...[
      "involvedObject.name%3Dweb",
      "reason%3Dother",
      "source%3Da",
      "type%3DNormal",
      "regarding.name%3Dweb",
    ].map((query) => get(`${inNamespace("events")}?fieldSelector=${query}`)),
    ...["regarding.name%3Dweb", "reportingController%3Dexample.com/tests", "involvedObject.name%3Dweb"].map(
      (query) => get(`${newEvents}?fieldSelector=${query}`),
    ),
    remove(inNamespace("events/old")),
    remove(`${newEvents}/new`),
  ],
};

const others: Sequence = {
  name: "bindings and the state of components",
  steps: [
    get("/api/v1/componentstatuses/none"),
    get("/api/v1/componentstatuses?fieldSelector=a%3Db"),
    post("/api/v1/componentstatuses", { metadata: { name: "a" } }),
    post(inNamespace("bindings"), { metadata: { name: "none" }, target: { kind: "Pod", name: "" } }),
    post(inNamespace("bindings"), { metadata: { name: "none" }, target: { kind: "Node", name: "a" } }),
    post(inNamespace("pods/none/binding"), { metadata: { name: "none" }, target: { name: "a" } }),
  ],
};

const serviceAt = inNamespace("services");
const service = (name: string, spec: object) => ({
  metadata: { name },
  spec: { selector: { app: "web" }, ports: [{ port: 80 }], ...spec },
});
const twoPorts = [
  { name: "a", port: 80, nodePort: 30_140, protocol: "TCP" },
  { name: "b", port: 81, nodePort: 30_141, protocol: "TCP" },
];
const balancer = { type: "LoadBalancer", ports: twoPorts, externalTrafficPolicy: "Local" };

const services: Sequence = {
  name: "types and rules of services",
  steps: [
    ...[
      { ports: [] },
      { ports: [{ port: 0 }, { port: 70_000, name: "a" }] },
      { ports: [{ port: 80, name: "A_b" }] },
      { ports: [{ port: 80, name: "" }, { port: 81 }] },
      {
        ports: [
          { port: 80, name: "a" },
          { port: 80, name: "a" },
        ],
      },
      {
        ports: [
          { port: 80, name: "a" },
          { port: 80, name: "b" },
        ],
      },
      { ports: [{ port: 80, protocol: "HTTP" }] },
      { ports: [{ port: 80, targetPort: "" }] },
      { ports: [{ port: 80, targetPort: "A_b" }] },
      { ports: [{ port: 80, targetPort: "a".repeat(16) }] },
      { ports: [{ port: 80, targetPort: 70_000 }] },
      { ports: [{ port: 80, appProtocol: "a b" }] },
      { ports: [{ port: 80, appProtocol: "example.com/x" }] },
      { selector: { "a b": "c d" } },
      { sessionAffinity: "Sticky" },
      { sessionAffinity: "None", sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } },
      { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 0 } } },
      { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 86_401 } } },
      { externalIPs: ["127.0.0.1", "0.0.0.0", "a", "169.254.1.1", "224.0.0.1"] },
      { loadBalancerSourceRanges: ["10.0.0.0/8"] },
      { type: "LoadBalancer", loadBalancerSourceRanges: ["10.0.0.0/8", "10.0.0.1", ""] },
      { type: "LoadBalancer", loadBalancerIP: "a" },
      { type: "ExternalName", externalName: "" },
      { type: "ExternalName", externalName: "a_b." },
      { type: "ExternalName", externalName: "example.com." },
      { type: "ExternalName", externalName: "example.com", clusterIP: "None" },
      { type: "ExternalName", externalName: "example.com", ports: [{ port: 80, nodePort: 30_140 }] },
      { type: "NodePort", clusterIP: "None" },
      { type: "LoadBalancer", clusterIP: "None" },
      { type: "NodePort", externalTrafficPolicy: "Nowhere" },
      { externalTrafficPolicy: "Cluster" },
      { type: "NodePort", externalTrafficPolicy: "Local", healthCheckNodePort: 30_142 },
      { type: "Other" },
      { publishNotReadyAddresses: "yes" },
      { topologyKeys: ["*", "a"] },
    ].map((spec) => post(`${serviceAt}?dryRun=All`, service("unfit", spec))),
    post(`${serviceAt}?dryRun=All`, { metadata: { name: "unfit" } }),
    post(`${serviceAt}?dryRun=All`, {
      metadata: {
        name: "unfit",
        annotations: { "service.beta.kubernetes.io/load-balancer-source-ranges": "10.0.0.0/8,a" },
      },
      spec: { type: "LoadBalancer", ports: [{ port: 80 }] },
    }),
    post(serviceAt, service("turns", { type: "NodePort", ports: twoPorts })),
    ...merged(
      `${serviceAt}/turns`,
      {
        spec: {
          ports: [
            { name: "b", port: 90 },
            { name: "a", port: 91 },
          ],
        },
      },
      { spec: { type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: 30_143 } },
    ),
    ...merged(
      `${serviceAt}/turns/status`,
      { status: { loadBalancer: { ingress: [{ ip: "192.0.2.300" }] } } },
      { status: { loadBalancer: { ingress: [{ hostname: "192.0.2.1" }, { hostname: "A_b" }] } } },
      { status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } } },
    ),
    get(`${serviceAt}/turns`, tableOf),
    ...merged(
      `${serviceAt}/turns`,
      { spec: { type: "ClusterIP", ports: [{ name: "a", port: 80, nodePort: 30_149 }] } },
      { spec: { type: "ClusterIP" } },
      badMetadata,
    ),
    get(`${serviceAt}/turns`),
    ...merged(`${serviceAt}/turns/status`, { status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } } }),
    ...merged(
      `${serviceAt}/turns`,
      { spec: { sessionAffinity: "ClientIP" } },
      { spec: { sessionAffinity: "None" } },
      { spec: { type: "ExternalName" } },
      { spec: { type: "ExternalName", externalName: "example.com" } },
      { spec: { type: "ClusterIP" } },
      { spec: { type: "ClusterIP", clusterIP: "None" } },
      { spec: { clusterIP: "10.96.3.20" } },
      { spec: { type: "ExternalName" } },
      { spec: { type: "ClusterIP", externalName: null, clusterIP: "None", clusterIPs: ["None"] } },
      { spec: { type: "NodePort" } },
    ),
    remove(`${serviceAt}/turns`),
    post(serviceAt, service("balanced", { ...balancer, healthCheckNodePort: 30_144 })),
    put(`${serviceAt}/balanced`, service("balanced", { ...balancer })),
    ...merged(
      `${serviceAt}/balanced`,
      { spec: { healthCheckNodePort: 30_145 } },
      { spec: { externalTrafficPolicy: "Cluster", healthCheckNodePort: null } },
      { spec: { type: "ClusterIP" } },
    ),
    remove(`${serviceAt}/balanced`),
  ],
};

/** What the kinds of the core group that are no workloads may hold, and how they may change. */
export const coreSequences: readonly Sequence[] = [
  configMaps,
  secrets,
  serviceAccounts,
  namespaces,
  nodes,
  claims,
  volumes,
  endpoints,
  limitRanges,
  quotas,
  events,
  others,
  services,
];
