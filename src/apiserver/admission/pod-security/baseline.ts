import type { LifecycleHandler, Probe, SELinuxOptions } from "../../../api/types/core-v1.ts";
import {
  badSetters,
  containerCheck,
  containersOf,
  containersText,
  namesOf,
  plural,
  quoteAll,
  setterCheck,
  sortedSet,
  unlessOwnUsers,
  valuesOf,
} from "./checks.ts";
import type { AnyContainer, Check, Judge, JudgedPod } from "./checks.ts";

const defaultCapabilities = new Set([
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
]);

const seLinuxTypes = ["", "container_t", "container_init_t", "container_kvm_t"];

const safeSysctls = [
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_unprivileged_port_start",
];
const sysctlsOf127 = [...safeSysctls, "net.ipv4.ip_local_reserved_ports"];
const sysctlsOf129 = [
  ...sysctlsOf127,
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
];
const sysctlsOf132 = [...sysctlsOf129, "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"];

/** `procMount` must be left alone. */
export const procMount: Judge = (pod) => {
  const bad = (container: AnyContainer) => (container.securityContext?.procMount ?? "Default") !== "Default";
  const names = namesOf(pod, bad);
  if (names.length === 0) return undefined;
  const types = sortedSet(
    containersOf(pod)
      .filter(bad)
      .map(({ securityContext }) => securityContext?.procMount ?? ""),
  );
  const detail = `${containersText(names)} must not set securityContext.procMount to ${quoteAll(types)}`;
  return { reason: "procMount", detail };
};

/** Whether a seccomp profile confines. */
export const isSeccompType = (type: string | undefined): boolean =>
  type === "RuntimeDefault" || type === "Localhost";

/** Profiles that are set must confine. */
export const seccompTypes: Judge = (pod) => {
  const bad = ({ seccompProfile }: { readonly seccompProfile?: { readonly type: string } }) =>
    seccompProfile !== undefined && !isSeccompType(seccompProfile.type);
  const setters = badSetters(pod, bad);
  if (setters.length === 0) return undefined;
  const types = valuesOf(pod, (context) => (bad(context) ? context.seccompProfile?.type : undefined));
  const detail = `${setters.join(" and ")} must not set securityContext.seccompProfile.type to ${quoteAll(types)}`;
  return { reason: "seccompProfile", detail };
};

const hostProcess = setterCheck({
  isBad: ({ windowsOptions }) => windowsOptions?.hostProcess === true,
  reason: "hostProcess",
  mustNot: "securityContext.windowsOptions.hostProcess=true",
});

/** What keeps pods from known ways of taking over their node. In the order in which upstream tells of them. */
export const baselineChecks: readonly Check[] = [
  { id: "appArmorProfile", level: "baseline", versions: [{ since: 0, judge: appArmor }] },
  { id: "capabilities_baseline", level: "baseline", versions: [{ since: 0, judge: addedCapabilities }] },
  { id: "hostNamespaces", level: "baseline", versions: [{ since: 0, judge: hostNamespaces }] },
  { id: "hostPathVolumes", level: "baseline", versions: [{ since: 0, judge: hostPaths }] },
  { id: "hostPorts", level: "baseline", versions: [{ since: 0, judge: hostPorts }] },
  { id: "hostProbesAndHostLifecycle", level: "baseline", versions: [{ since: 34, judge: probedHosts }] },
  {
    id: "privileged",
    level: "baseline",
    versions: [
      {
        since: 0,
        judge: containerCheck({
          isBad: ({ securityContext }) => securityContext?.privileged === true,
          reason: "privileged",
          must: "must not set securityContext.privileged=true",
        }),
      },
    ],
  },
  {
    id: "procMount",
    level: "baseline",
    versions: [
      { since: 0, judge: procMount },
      { since: 35, judge: unlessOwnUsers(procMount) },
    ],
  },
  {
    id: "seLinuxOptions",
    level: "baseline",
    versions: [
      { since: 0, judge: seLinuxOptions(seLinuxTypes) },
      { since: 31, judge: seLinuxOptions([...seLinuxTypes, "container_engine_t"]) },
    ],
  },
  {
    id: "seccompProfile_baseline",
    level: "baseline",
    versions: [
      { since: 0, judge: seccompAnnotations },
      { since: 19, judge: seccompTypes },
    ],
  },
  {
    id: "sysctls",
    level: "baseline",
    versions: [
      { since: 0, judge: sysctls(safeSysctls) },
      { since: 27, judge: sysctls(sysctlsOf127) },
      { since: 29, judge: sysctls(sysctlsOf129) },
      { since: 32, judge: sysctls(sysctlsOf132) },
    ],
  },
  { id: "windowsHostProcess", level: "baseline", versions: [{ since: 0, judge: hostProcess }] },
];

const appArmorAnnotation = "container.apparmor.security.beta.kubernetes.io/";

function appArmor(pod: JudgedPod): ReturnType<Judge> {
  const bad = ({ appArmorProfile }: { readonly appArmorProfile?: { readonly type: string } }) =>
    appArmorProfile !== undefined && !["RuntimeDefault", "Localhost"].includes(appArmorProfile.type);
  const annotations = Object.entries(pod.metadata?.annotations ?? {})
    .filter(
      ([key, value]) =>
        key.startsWith(appArmorAnnotation) &&
        value !== "" &&
        value !== "runtime/default" &&
        !value.startsWith("localhost/"),
    )
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort();
  const setters = [
    ...badSetters(pod, bad),
    ...(annotations.length > 0 ? [plural("annotation", annotations.length)] : []),
  ];
  if (setters.length === 0) return undefined;
  const types = valuesOf(pod, (context) => (bad(context) ? context.appArmorProfile?.type : undefined));
  const values = [...types, ...annotations];
  return {
    reason: plural("forbidden AppArmor profile", values.length),
    detail: `${setters.join(" and ")} must not set AppArmor profile type to ${quoteAll(values)}`,
  };
}

function addedCapabilities(pod: JudgedPod): ReturnType<Judge> {
  return addedBeyond(pod, { allowed: defaultCapabilities, reason: "non-default capabilities" });
}

/** Containers that add capabilities beyond those allowed. */
export function addedBeyond(
  pod: JudgedPod,
  options: { readonly allowed: ReadonlySet<string>; readonly reason: string },
): ReturnType<Judge> {
  const beyond = ({ securityContext }: AnyContainer) =>
    (securityContext?.capabilities?.add ?? []).filter((name) => !options.allowed.has(name));
  const names = namesOf(pod, (container) => beyond(container).length > 0);
  if (names.length === 0) return undefined;
  const added = quoteAll(sortedSet(containersOf(pod).flatMap(beyond)));
  const detail = `${containersText(names)} must not include ${added} in securityContext.capabilities.add`;
  return { reason: options.reason, detail };
}

function hostNamespaces({ spec }: JudgedPod): ReturnType<Judge> {
  const shared = (["hostIPC", "hostNetwork", "hostPID"] as const).filter((name) => spec[name]);
  return shared.length === 0 ? undefined : { reason: "host namespaces", detail: shared.join(", ") };
}

function hostPaths({ spec }: JudgedPod): ReturnType<Judge> {
  const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath).map(({ name }) => name);
  if (names.length === 0) return undefined;
  return { reason: "hostPath volumes", detail: `${plural("volume", names.length)} ${quoteAll(names)}` };
}

function hostPorts(pod: JudgedPod): ReturnType<Judge> {
  const portsOf = ({ ports = [] }: AnyContainer) => ports.flatMap(({ hostPort }) => hostPort || []);
  const names = namesOf(pod, (container) => portsOf(container).length > 0);
  if (names.length === 0) return undefined;
  const ports = sortedSet(containersOf(pod).flatMap(portsOf).map(String));
  const use = names.length === 1 ? "uses" : "use";
  const detail = `${containersText(names)} ${use} ${plural("hostPort", ports.length)} ${ports.join(", ")}`;
  return { reason: "hostPort", detail };
}

function probedHosts(pod: JudgedPod): ReturnType<Judge> {
  const hostsOf = (handler: Probe | LifecycleHandler | undefined) =>
    [handler?.httpGet?.host, handler?.tcpSocket?.host].filter((host) => host !== undefined && host !== "");
  const allOf = ({ livenessProbe, readinessProbe, startupProbe, lifecycle }: AnyContainer) =>
    [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop].flatMap(
      hostsOf,
    ) as string[];
  const names = sortedSet(namesOf(pod, (container) => allOf(container).length > 0));
  if (names.length === 0) return undefined;
  const hosts = sortedSet(containersOf(pod).flatMap(allOf));
  const use = names.length === 1 ? "uses" : "use";
  const what = plural("probe or lifecycle host", hosts.length);
  return {
    reason: "probe or lifecycle host",
    detail: `${containersText(names)} ${use} ${what} ${quoteAll(hosts)}`,
  };
}

function seLinuxOptions(allowed: readonly string[]): Judge {
  const badType = (options: SELinuxOptions) => !allowed.includes(options.type ?? "");
  const bad = ({ seLinuxOptions: options }: { readonly seLinuxOptions?: SELinuxOptions }) =>
    options !== undefined && (badType(options) || Boolean(options.user) || Boolean(options.role));
  return (pod) => {
    const setters = badSetters(pod, bad);
    if (setters.length === 0) return undefined;
    const types = valuesOf(pod, ({ seLinuxOptions: options }) =>
      options && badType(options) ? options.type : undefined,
    );
    const sets = (field: "user" | "role") =>
      valuesOf(pod, ({ seLinuxOptions: options }) => options?.[field] || undefined).length > 0;
    const problems = [
      ...(types.length > 0 ? [`${plural("type", types.length)} ${quoteAll(types)}`] : []),
      ...(sets("user") ? ["user may not be set"] : []),
      ...(sets("role") ? ["role may not be set"] : []),
    ];
    const detail = `${setters.join(" and ")} set forbidden securityContext.seLinuxOptions: ${problems.join("; ")}`;
    return { reason: "seLinuxOptions", detail };
  };
}

const seccompAnnotation = "seccomp.security.alpha.kubernetes.io/pod";
const containerSeccompAnnotation = "container.seccomp.security.alpha.kubernetes.io/";

function seccompAnnotations(pod: JudgedPod): ReturnType<Judge> {
  const { annotations = {} } = pod.metadata ?? {};
  const keys = [seccompAnnotation, ...containersOf(pod).map(({ name }) => containerSeccompAnnotation + name)];
  const bad = sortedSet(
    keys.flatMap((key) => {
      const value = annotations[key];
      const fine =
        value === undefined ||
        value === "runtime/default" ||
        value === "docker/default" ||
        value.startsWith("localhost/");
      return fine ? [] : [`${key}=${JSON.stringify(value)}`];
    }),
  );
  if (bad.length === 0) return undefined;
  return {
    reason: "seccompProfile",
    detail: `forbidden ${plural("annotation", bad.length)} ${bad.join(", ")}`,
  };
}

function sysctls(allowed: readonly string[]): Judge {
  return ({ spec }) => {
    const bad = (spec.securityContext?.sysctls ?? [])
      .map(({ name }) => name)
      .filter((name) => !allowed.includes(name));
    return bad.length === 0 ? undefined : { reason: "forbidden sysctls", detail: bad.join(", ") };
  };
}
