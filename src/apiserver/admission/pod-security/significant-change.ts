import type { Pod } from "../../../api/types/core-v1.ts";
import type { AnyContainer } from "./checks.ts";

const seccompAnnotation = "seccomp.security.alpha.kubernetes.io/pod";
const containerSeccompAnnotation = "container.seccomp.security.alpha.kubernetes.io/";

/** Whether an update changes something that the checks look at and that may change: images, ephemeral containers. */
export function isSignificantChange(pod: Pod, old: Pod): boolean {
  const annotation = (key: string) => pod.metadata.annotations?.[key] !== old.metadata.annotations?.[key];
  if (annotation(seccompAnnotation)) return true;
  const changed = (container: AnyContainer, before: AnyContainer | undefined) =>
    container.image !== before?.image || annotation(containerSeccompAnnotation + container.name);
  const differs = (now: readonly AnyContainer[] = [], then: readonly AnyContainer[] = []) =>
    now.length !== then.length || now.some((container, index) => changed(container, then[index]));
  if (differs(pod.spec.containers, old.spec.containers)) return true;
  if (differs(pod.spec.initContainers, old.spec.initContainers)) return true;
  const before = old.spec.ephemeralContainers ?? [];
  return (pod.spec.ephemeralContainers ?? []).some((container) => {
    const same = before.find(({ name }) => name === container.name);
    return !same || changed(container, same);
  });
}
