import { imageArchive } from "./archive.ts";
import { imageArchitecture } from "./architecture.ts";
import { pauseProgram } from "./pause-program.ts";

/** The name under which sandboxes' image is imported. */
export const pauseImageName = "registry.k8s.io/pause:3.10";

/** The image archive of pods' sandboxes, made on the spot. */
export function makePauseImage(): Uint8Array {
  const architecture = imageArchitecture();
  return imageArchive({
    names: [pauseImageName],
    architecture,
    files: [{ path: "pause", mode: 0o755, content: pauseProgram(architecture) }],
    config: { Entrypoint: ["/pause"], User: "65535:65535" },
  });
}
