import type { Pod } from "../../api/types/core-v1.ts";

/** Kernel settings that are a pod's own and cannot harm others. */
const safeSysctls: ReadonlySet<string> = new Set([
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_wmem",
]);

/** Why a pod may not have one of the kernel settings it asks for. */
export function forbiddenSysctl({ spec }: Pod): string | undefined {
  for (const { name } of spec.securityContext?.sysctls ?? []) {
    const dotted = name.replaceAll("/", ".");
    if (!safeSysctls.has(dotted)) return `forbidden sysctl: "${name}" not allowlisted`;
    if (spec.hostNetwork && dotted.startsWith("net."))
      return `forbidden sysctl: "${name}" not allowed with host net enabled`;
    if (spec.hostIPC && !dotted.startsWith("net."))
      return `forbidden sysctl: "${name}" not allowed with host ipc enabled`;
  }
  return undefined;
}
