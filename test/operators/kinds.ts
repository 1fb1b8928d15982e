import type {
  CustomResourceColumnDefinition,
  CustomResourceSubresources,
  JSONSchemaProps,
} from "../../src/api/types/apiextensions-v1.ts";
import { packagedSchema } from "./packaged-schema.ts";

/** What an object lacks, and how the server says so. */
export interface Refusal {
  readonly spec: object;
  readonly message: string;
}

/** A kind of an operator as its definition has it, with objects of it. */
export interface OperatorKind {
  readonly package: string;
  readonly group: string;
  /** Of those versions that are served the first is stored. */
  readonly versions: readonly [string, ...string[]];
  readonly kind: string;
  readonly plural: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly columns: readonly CustomResourceColumnDefinition[];
  readonly subresources?: CustomResourceSubresources;
  /** Adds what the packages leave out: rules, types of lists. */
  readonly complete?: (schema: JSONSchemaProps) => JSONSchemaProps;
  readonly valid: Readonly<Record<string, unknown>>;
  /** What the object has besides when it is stored. */
  readonly defaulted?: object;
  readonly status?: object;
  /** The cells of its row, after the name. */
  readonly cells: readonly unknown[];
  readonly change: object;
  /** What another manager would have in place of the change. */
  readonly disputed: unknown;
  readonly refused: readonly Refusal[];
}

const ready = (priority = 0): CustomResourceColumnDefinition => ({
  name: "Ready",
  type: "string",
  jsonPath: '.status.conditions[?(@.type=="Ready")].status',
  ...(priority ? { priority } : {}),
});
const message: CustomResourceColumnDefinition = {
  name: "Status",
  type: "string",
  jsonPath: '.status.conditions[?(@.type=="Ready")].message',
};
const age: CustomResourceColumnDefinition = {
  name: "Age",
  type: "date",
  jsonPath: ".metadata.creationTimestamp",
};
const condition = {
  type: "Ready",
  status: "True",
  reason: "Done",
  message: "all is well",
  lastTransitionTime: "2026-01-02T03:04:05Z",
};
const statusAlone = { status: {} };

/** The schema with another one at a path. */
function at(
  schema: JSONSchemaProps,
  path: readonly string[],
  change: (found: JSONSchemaProps) => JSONSchemaProps,
): JSONSchemaProps {
  const [name, ...rest] = path;
  if (name === undefined) return change(schema);
  if (name === "items") return { ...schema, items: at(schema.items as JSONSchemaProps, rest, change) };
  const { properties = {} } = schema;
  const found = properties[name];
  if (!found) throw new Error(`the schema has no ${path.join(".")}`);
  return { ...schema, properties: { ...properties, [name]: at(found, rest, change) } };
}

/** Conditions by their type, as most operators have them. */
const withKeyedConditions = (schema: JSONSchemaProps) =>
  at(schema, ["status", "conditions"], (list) => ({
    ...list,
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["type"],
  }));

const routeRules = ["spec", "rules", "items"];

/** Some of the Gateway API's rules. */
function withRouteRules(schema: JSONSchemaProps): JSONSchemaProps {
  const paths = at(schema, [...routeRules, "matches", "items", "path"], (path) => ({
    ...path,
    "x-kubernetes-validations": [
      {
        message: "value must be an absolute path and start with '/' when type one of ['Exact', 'PathPrefix']",
        rule: "(self.type in ['Exact','PathPrefix']) ? self.value.startsWith('/') : true",
      },
    ],
  }));
  return at(paths, routeRules, (rule) => ({
    ...rule,
    "x-kubernetes-validations": [
      {
        message: "RequestRedirect filter must not be used together with backendRefs",
        rule: "(has(self.backendRefs) && size(self.backendRefs) > 0) ? (!has(self.filters) || self.filters.all(f, !has(f.requestRedirect))): true",
      },
    ],
  }));
}

export const operatorKinds: readonly OperatorKind[] = [
  {
    package: "cert-manager",
    group: "cert-manager.io",
    versions: ["v1"],
    kind: "Certificate",
    plural: "certificates",
    shortNames: ["cert", "certs"],
    categories: ["cert-manager"],
    columns: [
      ready(),
      { name: "Secret", type: "string", jsonPath: ".spec.secretName" },
      { name: "Issuer", type: "string", jsonPath: ".spec.issuerRef.name", priority: 1 },
      age,
    ],
    subresources: statusAlone,
    complete: withKeyedConditions,
    valid: {
      secretName: "web-tls",
      dnsNames: ["example.com", "www.example.com"],
      issuerRef: { name: "letsencrypt", kind: "ClusterIssuer" },
      privateKey: { algorithm: "ECDSA", size: 256 },
    },
    status: { conditions: [condition], revision: 3 },
    cells: ["True", "web-tls", "letsencrypt"],
    change: { duration: "2160h" },
    disputed: "24h",
    refused: [
      { spec: { secretName: "web-tls" }, message: "spec.issuerRef: Required value" },
      {
        spec: { secretName: "a", issuerRef: { name: "b" }, privateKey: { algorithm: "DSA" } },
        message:
          'spec.privateKey.algorithm: Unsupported value: "DSA": supported values: "RSA", "ECDSA", "Ed25519"',
      },
    ],
  },
  {
    package: "argo-cd",
    group: "argoproj.io",
    versions: ["v1alpha1"],
    kind: "Application",
    plural: "applications",
    shortNames: ["app", "apps"],
    columns: [
      { name: "Sync Status", type: "string", jsonPath: ".status.sync.status" },
      { name: "Health Status", type: "string", jsonPath: ".status.health.status" },
      { name: "Revision", type: "string", jsonPath: ".status.sync.revision", priority: 10 },
    ],
    valid: {
      project: "default",
      source: {
        repoURL: "https://example.com/apps.git",
        path: "guestbook",
        helm: { parameters: [{ name: "replicas", value: "2", forceString: true }] },
      },
      destination: { server: "https://kubernetes.default.svc", namespace: "guestbook" },
      syncPolicy: { automated: { prune: true }, retry: { limit: 5, backoff: { duration: "5s" } } },
    },
    cells: [null, null, null],
    change: { revisionHistoryLimit: 3 },
    disputed: 7,
    refused: [
      {
        spec: { source: { repoURL: "https://example.com" }, destination: {} },
        message: "spec.project: Required value",
      },
      {
        spec: { project: "default", source: { path: "guestbook" }, destination: { server: 7 } },
        message:
          'spec.destination.server: Invalid value: "integer": spec.destination.server in body must be of type string: "integer"',
      },
    ],
  },
  {
    package: "flux-cd",
    group: "kustomize.toolkit.fluxcd.io",
    versions: ["v1beta2", "v1beta1"],
    kind: "Kustomization",
    plural: "kustomizations",
    shortNames: ["ks"],
    columns: [age, ready(), message],
    subresources: statusAlone,
    valid: {
      interval: "10m",
      path: "./apps",
      prune: true,
      sourceRef: { kind: "GitRepository", name: "flux-system" },
      patchesStrategicMerge: [{ kind: "Deployment", anything: { goes: [1, "two"] } }],
    },
    defaulted: { spec: { force: false }, status: { observedGeneration: -1 } },
    status: { conditions: [condition], observedGeneration: 1 },
    cells: ["True", "all is well"],
    change: { targetNamespace: "apps" },
    disputed: "other",
    refused: [
      {
        spec: { interval: "10m", prune: true, sourceRef: { kind: "Folder", name: "x" } },
        message:
          'spec.sourceRef.kind: Unsupported value: "Folder": supported values: "GitRepository", "Bucket"',
      },
      {
        spec: {
          interval: "10m",
          prune: true,
          sourceRef: { kind: "Bucket", name: "x" },
          targetNamespace: "x".repeat(64),
        },
        message: "spec.targetNamespace: Too long: may not be more than 63 bytes",
      },
    ],
  },
  {
    package: "prometheus-operator",
    group: "monitoring.coreos.com",
    versions: ["v1"],
    kind: "Prometheus",
    plural: "prometheuses",
    shortNames: ["prom"],
    categories: ["prometheus-operator"],
    columns: [
      { name: "Version", type: "string", jsonPath: ".spec.version" },
      { name: "Desired", type: "integer", jsonPath: ".spec.replicas" },
      age,
    ],
    subresources: {
      status: {},
      scale: {
        specReplicasPath: ".spec.shards",
        statusReplicasPath: ".status.shards",
        labelSelectorPath: ".status.selector",
      },
    },
    valid: {
      version: "v2.45.0",
      replicas: 2,
      shards: 1,
      retention: "10d",
      resources: { requests: { memory: "400Mi", cpu: 1 } },
      alerting: { alertmanagers: [{ namespace: "monitoring", name: "main", port: "web" }] },
      containers: [{ name: "proxy", image: "proxy:1", ports: [{ containerPort: 80, protocol: "TCP" }] }],
    },
    defaulted: { spec: { scrapeInterval: "30s", evaluationInterval: "30s" } },
    status: { paused: false, replicas: 2, updatedReplicas: 2, availableReplicas: 2, unavailableReplicas: 0 },
    cells: ["v2.45.0", 2],
    change: { logLevel: "debug" },
    disputed: "info",
    refused: [
      {
        spec: { retention: "ten days" },
        message:
          "spec.retention: Invalid value: \"ten days\": spec.retention in body should match '^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$'",
      },
      {
        spec: { resources: { limits: { memory: "lots" } } },
        message: 'spec.resources.limits.memory: Invalid value: "lots": spec.resources.limits.memory in body',
      },
    ],
  },
  {
    package: "gateway-api",
    group: "gateway.networking.k8s.io",
    versions: ["v1", "v1beta1"],
    kind: "HTTPRoute",
    plural: "httproutes",
    categories: ["gateway-api"],
    annotations: { "api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api/pull/2466" },
    columns: [{ name: "Hostnames", type: "string", jsonPath: ".spec.hostnames" }, age],
    subresources: statusAlone,
    complete: withRouteRules,
    valid: {
      parentRefs: [{ name: "public" }],
      hostnames: ["example.com"],
      rules: [{ backendRefs: [{ name: "web", port: 8080 }] }],
    },
    defaulted: {
      spec: {
        parentRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: "public" }],
        rules: [
          {
            matches: [{ path: { type: "PathPrefix", value: "/" } }],
            backendRefs: [{ group: "", kind: "Service", name: "web", port: 8080, weight: 1 }],
          },
        ],
      },
    },
    status: { parents: [] },
    cells: ['["example.com"]'],
    change: { hostnames: ["example.org"] },
    disputed: ["example.net"],
    refused: [
      {
        spec: { rules: [{ matches: [{ path: { type: "Exact", value: "web" } }] }] },
        message:
          "spec.rules[0].matches[0].path: Invalid value: \"object\": value must be an absolute path and start with '/' when type one of ['Exact', 'PathPrefix']",
      },
      {
        spec: {
          rules: [
            {
              backendRefs: [{ name: "web", port: 80 }],
              filters: [{ type: "RequestRedirect", requestRedirect: { hostname: "example.org" } }],
            },
          ],
        },
        message: "RequestRedirect filter must not be used together with backendRefs",
      },
      {
        spec: { hostnames: ["*.*.example.com"] },
        message:
          'spec.hostnames[0]: Invalid value: "*.*.example.com": spec.hostnames[0] in body should match',
      },
      {
        spec: { rules: Array.from({ length: 17 }, () => ({})) },
        message: "spec.rules: Too many: 17: must have at most 16 items",
      },
    ],
  },
  {
    package: "istio",
    group: "networking.istio.io",
    versions: ["v1beta1", "v1alpha3"],
    kind: "VirtualService",
    plural: "virtualservices",
    shortNames: ["vs"],
    categories: ["istio-io", "networking-istio-io"],
    columns: [
      { name: "Gateways", type: "string", jsonPath: ".spec.gateways" },
      { name: "Hosts", type: "string", jsonPath: ".spec.hosts" },
      age,
    ],
    subresources: statusAlone,
    valid: {
      hosts: ["reviews"],
      http: [
        {
          match: [{ uri: { prefix: "/v2" } }, { headers: { user: { exact: "jason" } } }],
          route: [{ destination: { host: "reviews", subset: "v2" }, weight: 90 }],
          retries: { attempts: 3, perTryTimeout: "2s" },
        },
      ],
    },
    cells: [null, '["reviews"]'],
    change: { hosts: ["reviews", "ratings"] },
    disputed: ["details"],
    refused: [
      {
        spec: { http: [{ match: [{ uri: { prefix: "/a", exact: "/b" } }] }] },
        message:
          '<nil>: Invalid value: "": "spec.http[0].match[0].uri" must validate one and only one schema (oneOf). Found 2 valid alternatives',
      },
      {
        spec: { http: [{ fault: { abort: { httpStatus: "teapot" } } }] },
        message: "spec.http[0].fault.abort.httpStatus: Invalid value",
      },
    ],
  },
];

/** The definition of a kind. */
export function definitionOf(kind: OperatorKind) {
  const { group, plural, shortNames, categories, annotations = {}, columns, subresources, complete } = kind;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}`, annotations },
    spec: {
      group,
      scope: "Namespaced",
      names: {
        plural,
        singular: kind.kind.toLowerCase(),
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        ...(shortNames ? { shortNames } : {}),
        ...(categories ? { categories } : {}),
      },
      versions: kind.versions.map((version, index) => {
        const schema = packagedSchema({ package: kind.package, group, version, kind: kind.kind });
        return {
          name: version,
          served: true,
          storage: index === 0,
          schema: { openAPIV3Schema: index === 0 && complete ? complete(schema) : schema },
          ...(subresources ? { subresources } : {}),
          additionalPrinterColumns: columns,
        };
      }),
    },
  };
}
