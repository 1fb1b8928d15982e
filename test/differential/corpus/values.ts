import {
  accept,
  get,
  inNamespace,
  ownNamespace,
  patch,
  post,
  remove,
  type Sequence,
  type Step,
} from "../step.ts";

const own = "values";
const configMaps = inNamespace("configmaps", own);
const words = "word ".repeat(30);

/** Texts that YAML could take for something else, break, fold or escape. */
const oddTexts = [
  ..."|a|a b|yes|1|1.0|1e3|1e999|0x1F|0x|0b1|0b2|0o7|08|019|1_000|_1|+1|-|--|---|--- a|...|...a|-a|- a".split(
    "|",
  ),
  ..."?|? a|?a|:|: a|:a|a:|a: b|a:b|a :b|a #b|a#b|#a|# a|!a|&a|*a|@a|`a|%a|>|'|'a'|a'b|\"|\"a\"|a\"b".split(
    "|",
  ),
  ..."{|{}|a{b|[|[]|a[b]|a,b|, a|<<|=|~|null|Null|nULL|true|tRue|y|Y|n|on|oN|.|..|.5|.5e3|5.|-.5|+.5".split(
    "|",
  ),
  ...".inf|-.inf|.nan|1:30|1:99|12:30:45|12:30:45.5|190:20:30|._5|.5_|1._5|1e_5|0x1234567890abcdef".split(
    "|",
  ),
  ..."2001-01-02|2001-13-02|2001-02-30|2001-1-2|2001-01-02T03:04:05Z|2001-01-02 03:04:05".split("|"),
  ..."2001-01-02 03:04:05Z|2001-01-02T03:04:05.123+01:00|2001-01-02T25:04:05Z|12345678901234567890".split(
    "|",
  ),
  "|",
  "|a",
  "a|b",
  "a\tb",
  "\ta",
  "a\t",
  "-\ta",
  " a",
  "a ",
  "a  b",
  "a\\b",
  "é",
  "日本語",
  "😀",
  "a😀b",

  "a\n",
  "a\nb",
  "a\nb\n",
  "a\n\n",
  "\n",
  "\n\n",
  "\na",
  " a\nb",
  "a \nb",
  "a\n b",
  "a\n\nb",
  "a\n  b\n\n",

  "a\r\nb",
  "a\rb",
  "a\u2028b",
  "a\u2029 b",
  "a\u2028\nb",
  "\u00a0",
  "a\u00a0b",
  "\u0000",
  "\u001b[0m",
  "x".repeat(100),
  words,
  words.trim(),
  `${"a  b ".repeat(30)}x`,
  `${"it's ".repeat(30)}x`,
  `'${words}x`,
  `${'say "x" '.repeat(30)}\u0007`,
  `${"\u0007  two  spaces ".repeat(20)}x`,
  `true: ${words}x`,
  `${"日本 語 ".repeat(40)}x`,
  `${"😀 word ".repeat(30)}x`,
  `${"x".repeat(79)} y`,
  `line\n${words}x\n`,
  "#!/bin/sh\nset -e\n\techo hi\n",
  "# comment\nserver {\n  listen 80;\n}\n",
  `${words}\u2028 ${words}`,
];
const fields = (texts: readonly string[], prefix: string) =>
  Object.fromEntries(texts.map((text, index) => [`${prefix}${index}`, text]));
const oddKeys = [
  "true",
  "1",
  "yes",
  "a10",
  "a9",
  "A",
  "b",
  "_a",
  "-a",
  "a-b",
  "a_b",
  "a.b",
  "ab",
  "aB",
  "null",
];

const texts: Sequence = {
  name: "texts in YAML",
  steps: [
    ...ownNamespace(own),
    post(configMaps, { metadata: { name: "texts" }, data: fields(oddTexts, "k") }),
    get(`${configMaps}/texts`, accept("application/yaml")),
    post(configMaps, {
      metadata: { name: "keys", annotations: fields(oddTexts, "example.com/a") },
      data: Object.fromEntries([...oddKeys, "x".repeat(128), "y".repeat(129)].map((key) => [key, "v"])),
    }),
    get(`${configMaps}/keys`, accept("application/yaml")),
    get(`${configMaps}?fieldSelector=metadata.name%3Dkeys`, accept("application/yaml")),
    remove(`${configMaps}/texts`),
    remove(`${configMaps}/keys`),
  ],
};

const deployments = `/apis/apps/v1/namespaces/${own}/deployments`;
const deployment = (replicas: string) =>
  `{"metadata":{"name":"numbers"},"spec":{"replicas": ${replicas},"selector":{"matchLabels":{"a":"b"}},` +
  `"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}`;
const pod = (cpu: string, seconds = "1") =>
  `{"metadata":{"name":"numbers"},"spec":{"activeDeadlineSeconds":${seconds},"containers":` +
  `[{"name":"c","image":"i","resources":{"limits":{"cpu":${cpu}}}}]}}`;
const service = (port: string) =>
  `{"metadata":{"name":"numbers"},"spec":{"ports":[{"port":80,"targetPort":${port}}]}}`;
const dryRun = "?dryRun=All";
const oddNumbers = [
  "1.0",
  "1e0",
  "1E+1",
  "1.5",
  "-0",
  "2147483648",
  "9223372036854775808",
  "0.1e1",
  "null",
  "01",
];

const numbers: Sequence = {
  name: "numbers as they are written",
  steps: [
    ...ownNamespace(own),
    ...oddNumbers.map((number) => post(`${deployments}${dryRun}`, deployment(number))),
    ...[...oddNumbers, "1_0", "0x10", "010", "+1", ".5", "1."].map((number) =>
      post(`${deployments}${dryRun}`, deployment(number), {
        headers: { "content-type": "application/yaml" },
      }),
    ),
    ...["80.0", "8e1", "80", "-0", "1.5", "3000000000"].map((number) =>
      post(inNamespace(`services${dryRun}`, own), service(number)),
    ),
    ...["1.0", "1e3", "1E3", "1.50", "1e-3", "-0", "100000000000000000000", "1e30", "123456789012345678"].map(
      (number) => post(inNamespace(`pods${dryRun}`, own), pod(number)),
    ),
    ...["2147483648", "9223372036854775808", "1.0"].map((number) =>
      post(inNamespace(`pods${dryRun}`, own), pod("1", number)),
    ),
    post(deployments, deployment("1")),
    ...["1.0", "1e1", "-0", "3"].flatMap((number): Step[] => {
      const one = `${deployments}/numbers${dryRun}`;
      return [
        patch(one, "merge", { body: `{"spec":{"replicas":${number}}}` }),
        patch(one, "strategic", { body: `{"spec":{"replicas":${number}}}` }),
        patch(one, "json", { body: `[{"op":"replace","path":"/spec/replicas","value":${number}}]` }),
        patch(`${one}&fieldManager=f&force=true`, "apply", {
          body: `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"numbers"},"spec":{"replicas":${number}}}`,
        }),
      ];
    }),
    remove(`${deployments}/numbers`),
  ],
};

const roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
const csiNodes = "/apis/storage.k8s.io/v1/csinodes";
const emptyKinds = [
  [roles, { rules: [] }],
  [roles, { rules: [{ verbs: [], resources: [], apiGroups: [] }] }],
  [csiNodes, { spec: { drivers: [] } }],
] as const;

const emptyLists: Sequence = {
  name: "lists that are empty",
  steps: [
    ...ownNamespace(own),
    ...emptyKinds.flatMap(([collection, fields]): Step[] => {
      const object = { metadata: { name: "empty" }, ...fields };
      const one = `${collection}/empty`;
      return [
        post(`${collection}${dryRun}`, object),
        post(collection, object),
        get(one),
        patch(one, "merge", { body: fields }),
        patch(`${one}${dryRun}`, "merge", { body: { metadata: { labels: { a: "b" } }, ...fields } }),
        remove(one),
      ];
    }),
  ],
};

const noContainers = [
  '{"containers":null}',
  "null",
  '{"containers":[null]}',
  '{"containers":[{"name":"c","image":"i","env":[null]}]}',
  '{"containers":[{"name":"c","image":"i"}],"nodeSelector":{"a":null},"tolerations":null,"volumes":[]}',
];
const oddYaml = [
  "{1: a}",
  "{0x10: a, 010: b, 1e3: c}",
  "{a: 2001-01-01}",
  "{a: !!binary aGk=}",
  "{a: !!str 1}",
  "{a: ~}",
  "{? a : b}",
  "{a: 1}",
  "{a: yes}",
  "[a]",
  "\n  a: |\n    x\n  b: >\n    y\n    z\n  c: >-\n    y\n",
  "{a: b}\n---\nmetadata: {name: other}",
];

const nothings: Sequence = {
  name: "values of nothing, and of YAML",
  steps: [
    ...ownNamespace(own),
    ...noContainers.map((spec) =>
      post(inNamespace(`pods${dryRun}`, own), `{"metadata":{"name":"x"},"spec":${spec}}`),
    ),
    post(inNamespace(`pods${dryRun}`, own), '{"metadata":null}'),
    ...oddYaml.map((data) =>
      post(`${configMaps}${dryRun}`, `metadata: {name: x}\ndata: ${data}`, {
        headers: { "content-type": "application/yaml" },
      }),
    ),
  ],
};

const claimSpec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
const volumeSpec = { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" } };
const storageClasses = "/apis/storage.k8s.io/v1/storageclasses";
const storageClass = { metadata: { name: "empty" }, provisioner: "example.com/p" };
const topology = (...expressions: readonly object[]) => ({ matchLabelExpressions: expressions });
const container = { name: "c", image: "i" };
const withoutTexts: readonly (readonly [path: string, fields: object])[] = [
  [inNamespace("persistentvolumeclaims", own), { spec: { ...claimSpec, volumeMode: "" } }],
  [
    "/api/v1/persistentvolumes",
    {
      spec: {
        ...volumeSpec,
        volumeMode: "",
        persistentVolumeReclaimPolicy: "",
        nfs: { server: "a", path: "/b" },
      },
    },
  ],
  ["/api/v1/persistentvolumes", { spec: { ...volumeSpec, hostPath: { path: "/a", type: "" } } }],
  [
    inNamespace("pods", own),
    {
      spec: {
        restartPolicy: "",
        dnsPolicy: "",
        schedulerName: "",
        containers: [
          {
            ...container,
            imagePullPolicy: "",
            terminationMessagePath: "",
            terminationMessagePolicy: "",
            ports: [{ containerPort: 1, protocol: "" }],
            volumeMounts: [{ name: "a", mountPath: "/a", mountPropagation: "" }],
          },
        ],
        volumes: [
          {
            name: "a",
            azureDisk: { diskName: "a", diskURI: "b", cachingMode: "", kind: "", fsType: "" },
          },
        ],
      },
    },
  ],
  ["/apis/scheduling.k8s.io/v1/priorityclasses", { value: 1, preemptionPolicy: "" }],
];
const topologies = [
  [topology({ key: "a", values: [] })],
  [topology()],
  [topology({ key: "a", values: ["b"] }), topology({ key: "a", values: ["b", "b"] })],
];

const emptyTexts: Sequence = {
  name: "texts that are empty",
  steps: [
    ...ownNamespace(own),
    ...withoutTexts.map(([path, fields]) =>
      post(`${path}${dryRun}`, { metadata: { name: "empty" }, ...fields }),
    ),
    ...topologies.map((allowedTopologies) =>
      post(`${storageClasses}${dryRun}`, { ...storageClass, allowedTopologies }),
    ),
    ...[0, -1, 70_000].map((port) =>
      post(`/apis/apiregistration.k8s.io/v1/apiservices${dryRun}`, {
        metadata: { name: "v1.example.com" },
        spec: {
          group: "example.com",
          version: "v1",
          groupPriorityMinimum: 100,
          versionPriority: 10,
          insecureSkipTLSVerify: true,
          service: { name: "s", namespace: "n", port },
        },
      }),
    ),
  ],
};

/** Values that encodings could bend. */
export const valueSequences: readonly Sequence[] = [texts, numbers, emptyLists, nothings, emptyTexts];
