import { namespaceMode, profileType } from "../../cri/index.ts";
import type { Image, Input } from "../../cri/index.ts";
import type { Container, Pod, SeccompProfile } from "../../api/types/core-v1.ts";
import { ContainerConfigError } from "../environment/environment.ts";

/** Where seccomp profiles of type Localhost are, beneath the kubelet's directory. */
export interface SecurityOptions {
  readonly seccompDirectory: string;
  readonly image: Image | undefined;
  /** Runtime id of the container whose process namespace an ephemeral container joins. */
  readonly targetId?: string | undefined;
}

/** Which namespaces a pod's containers share with the node or one another. */
export function namespaceOptions(pod: Pod, targetId?: string): Input<"NamespaceOption"> {
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace } = pod.spec;
  const pid = hostPID ? "node" : shareProcessNamespace ? "pod" : targetId ? "target" : "container";
  return {
    network: hostNetwork ? namespaceMode.node : namespaceMode.pod,
    pid: namespaceMode[pid],
    ipc: hostIPC ? namespaceMode.node : namespaceMode.pod,
    ...(pid === "target" ? { targetId: targetId ?? "" } : {}),
  };
}

export function seccompProfile(
  profile: SeccompProfile | undefined,
  directory: string,
): Input<"SecurityProfile"> {
  if (profile?.type === "RuntimeDefault") return { profileType: profileType.runtimeDefault };
  if (profile?.type === "Localhost")
    return {
      profileType: profileType.localhost,
      localhostRef: `${directory}/${profile.localhostProfile ?? ""}`,
    };
  return { profileType: profileType.unconfined };
}

const maskedPaths = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];
const readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/** A container's security context as the runtime takes it; rejects where a container that must not run as root would. */
export function linuxSecurityContext(
  pod: Pod,
  container: Container,
  options: SecurityOptions,
): Input<"LinuxContainerSecurityContext"> {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const user = own.runAsUser ?? shared.runAsUser;
  const group = own.runAsGroup ?? shared.runAsGroup;
  verifyNotRoot(pod, container, { user, image: options.image });
  const imageUser: Input<"LinuxContainerSecurityContext"> =
    options.image?.uid !== undefined
      ? { runAsUser: { value: options.image.uid.value } }
      : options.image?.username
        ? { runAsUsername: options.image.username }
        : { runAsUser: { value: 0 } };
  const privileged = own.privileged ?? false;
  const unmasked = privileged || own.procMount === "Unmasked";
  return {
    ...(user === undefined ? imageUser : { runAsUser: { value: user } }),
    ...(group === undefined ? {} : { runAsGroup: { value: group } }),
    privileged,
    readonlyRootfs: own.readOnlyRootFilesystem ?? false,
    noNewPrivs: own.allowPrivilegeEscalation === false,
    supplementalGroups: supplementalGroups(pod),
    supplementalGroupsPolicy: shared.supplementalGroupsPolicy === "Strict" ? 1 : 0,
    namespaceOptions: namespaceOptions(pod, options.targetId),
    seccomp: seccompProfile(own.seccompProfile ?? shared.seccompProfile, options.seccompDirectory),
    apparmor: { profileType: profileType.unconfined },
    capabilities: {
      addCapabilities: own.capabilities?.add ?? [],
      dropCapabilities: own.capabilities?.drop ?? [],
    },
    maskedPaths: unmasked ? [] : maskedPaths,
    readonlyPaths: unmasked ? [] : readonlyPaths,
  };
}

/** Groups of all of a pod's processes. */
export function supplementalGroups(pod: Pod): readonly number[] {
  const { supplementalGroups: groups = [], fsGroup } = pod.spec.securityContext ?? {};
  return fsGroup === undefined ? groups : [...groups, fsGroup];
}

function verifyNotRoot(
  pod: Pod,
  container: Container,
  { user, image }: { user: number | undefined; image: Image | undefined },
): void {
  const required = container.securityContext?.runAsNonRoot ?? pod.spec.securityContext?.runAsNonRoot ?? false;
  if (!required) return;
  const where = `(pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`;
  if (user === 0) throw new ContainerConfigError(`container's runAsUser breaks non-root policy ${where}`);
  if (user !== undefined) return;
  if (image?.uid === undefined && image?.username)
    throw new ContainerConfigError(
      `container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root ${where}`,
    );
  if ((image?.uid?.value ?? 0) === 0)
    throw new ContainerConfigError(`container has runAsNonRoot and image will run as root ${where}`);
}
