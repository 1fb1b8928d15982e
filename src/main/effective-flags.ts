import type { ClusterConfiguration } from "./configuration.ts";

/** Upstream's flags of the API server that are lists: they are shown in brackets. */
const lists: ReadonlySet<string> = new Set([
  "cors-allowed-origins",
  "disable-admission-plugins",
  "enable-admission-plugins",
  "etcd-servers",
  "requestheader-allowed-names",
  "requestheader-extra-headers-prefix",
  "requestheader-group-headers",
  "requestheader-uid-headers",
  "requestheader-username-headers",
  "strict-transport-security-directives",
]);

/** What is in force where nothing was said. */
const defaults: Readonly<Record<string, string>> = {
  "anonymous-auth": "true",
  "audit-log-compress": "false",
  "audit-log-format": "json",
  "audit-log-maxage": "0",
  "audit-log-maxbackup": "0",
  "audit-log-maxsize": "0",
  "audit-log-mode": "blocking",
  "cors-allowed-origins": "",
  "disable-admission-plugins": "",
  "enable-admission-plugins": "",
  "enable-priority-and-fairness": "true",
  "etcd-servers": "",
  "feature-gates": "",
  "goaway-chance": "0",
  "max-mutating-requests-inflight": "200",
  "max-requests-inflight": "400",
  "min-request-timeout": "1800",
  profiling: "true",
  "request-timeout": "1m0s",
  "requestheader-allowed-names": "front-proxy-client",
  "requestheader-extra-headers-prefix": "X-Remote-Extra-",
  "requestheader-group-headers": "X-Remote-Group",
  "requestheader-uid-headers": "X-Remote-Uid",
  "requestheader-username-headers": "X-Remote-User",
  "runtime-config": "",
  "service-node-port-range": "30000-32767",
  "shutdown-delay-duration": "0s",
  "strict-transport-security-directives": "",
};

/** The API server's settings in force, as upstream's flags: what `/flagz` shows. */
export function effectiveFlags(configuration: ClusterConfiguration): Readonly<Record<string, string>> {
  const { front = {}, storage = {}, runtimeConfig, serviceNodePortRange } = configuration;
  const { enableAdmissionPlugins, disableAdmissionPlugins, secondaryServiceCIDR } = configuration;
  const said: Readonly<Record<string, string | undefined>> = {
    ...front,
    ...storage,
    "secure-port": String(configuration.port),
    "service-cluster-ip-range": [configuration.serviceCIDR, secondaryServiceCIDR].filter(Boolean).join(","),
    "runtime-config": runtimeConfig,
    "service-node-port-range": serviceNodePortRange,
    "enable-admission-plugins": enableAdmissionPlugins?.join(","),
    "disable-admission-plugins": disableAdmissionPlugins?.join(","),
  };
  const names = new Set([...Object.keys(defaults), ...Object.keys(said)]);
  return Object.fromEntries(
    [...names].flatMap((name) => {
      const value = said[name] ?? defaults[name];
      return value === undefined ? [] : [[name, lists.has(name) ? `[${value}]` : value]];
    }),
  );
}
