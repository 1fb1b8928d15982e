import type { Clock, Milliseconds } from "../../base/index.ts";
import { CriError } from "../../cri/index.ts";
import type { CriClient, Image, Input } from "../../cri/index.ts";
import type { Container, Pod, Secret } from "../../api/types/core-v1.ts";
import { nextBackOff } from "../plan/back-off.ts";
import type { BackOff } from "../plan/back-off.ts";
import { StartError } from "./start-error.ts";

/** An event about a container. */
export interface ContainerEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export interface ImageRequest {
  readonly pod: Pod;
  readonly container: Pick<Container, "image" | "imagePullPolicy">;
  readonly secrets: readonly Secret[];
  readonly record: (event: ContainerEvent) => void;
  readonly signal: AbortSignal;
}

const attemptsKept = 1000;

/** Sees to it that images are on the node, by their pull policy, with back-off after failures. */
export class Images {
  private readonly cri: CriClient;
  private readonly clock: Clock;
  private readonly failures = new Map<string, { backOff: BackOff; message: string }>();

  constructor(options: { cri: CriClient; clock: Clock }) {
    this.cri = options.cri;
    this.clock = options.clock;
  }

  /** Answers the image; throws a `StartError` when it cannot be had now. */
  async ensure(request: ImageRequest): Promise<Image> {
    const name = request.container.image ?? "";
    const policy = request.container.imagePullPolicy ?? defaultPolicy(name);
    const reference = normalized(name);
    if (reference === undefined) {
      const message = `Failed to apply default image tag "${name}": couldn't parse image name "${name}": invalid reference format`;
      request.record({ type: "Warning", reason: "InspectFailed", message });
      throw new StartError("InvalidImageName", message);
    }
    const present = await this.find(reference);
    if (present && policy !== "Always") {
      const message = `Container image "${name}" already present on machine and can be accessed by the pod`;
      request.record({ type: "Normal", reason: "Pulled", message });
      return present;
    }
    if (policy === "Never") {
      const message = `Container image "${name}" is not present with pull policy of Never`;
      request.record({ type: "Warning", reason: "ErrImageNeverPull", message });
      throw new StartError("ErrImageNeverPull", message);
    }
    return this.pull(request, reference);
  }

  private async pull(request: ImageRequest, reference: string): Promise<Image> {
    const name = request.container.image ?? "";
    const key = `${request.pod.metadata.uid} ${reference}`;
    this.checkBackOff(key, request);
    request.record({ type: "Normal", reason: "Pulling", message: `Pulling image "${name}"` });
    const started = this.clock.now();
    try {
      await this.pullWithAny(reference, request);
    } catch (error) {
      this.noteFailure(key, { error, request });
    }
    const image = await this.find(reference);
    if (!image) throw new StartError("ErrImagePull", `image "${name}" is not there after it was pulled`);
    this.failures.delete(key);
    const took = duration(this.clock.now() - started);
    const message = `Successfully pulled image "${name}" in ${took} (${took} including waiting). Image size: ${image.size} bytes.`;
    request.record({ type: "Normal", reason: "Pulled", message });
    return image;
  }

  private checkBackOff(key: string, request: ImageRequest): void {
    const failure = this.failures.get(key);
    const now = this.clock.now();
    if (!failure || now >= failure.backOff.updatedAt + failure.backOff.delay) return;
    const message = `Back-off pulling image "${request.container.image}"`;
    request.record({ type: "Normal", reason: "BackOff", message });
    throw new StartError("ImagePullBackOff", `${message}: ErrImagePull: ${failure.message}`, {
      retryAt: failure.backOff.updatedAt + failure.backOff.delay,
    });
  }

  private noteFailure(key: string, { error, request }: { error: unknown; request: ImageRequest }): never {
    const text = error instanceof CriError ? error.message : String(error);
    const message =
      error instanceof CriError
        ? error.rpcText
        : `failed to pull image "${request.container.image}": ${text}`;
    request.record({
      type: "Warning",
      reason: "Failed",
      message: `Failed to pull image "${request.container.image}": ${message}`,
    });
    const now = this.clock.now();
    if (this.failures.size > attemptsKept) this.failures.clear();
    const backOff = nextBackOff(this.failures.get(key)?.backOff, now);
    this.failures.set(key, { backOff, message });
    throw new StartError("ErrImagePull", message, { retryAt: now + backOff.delay });
  }

  private async pullWithAny(reference: string, request: ImageRequest): Promise<void> {
    const logins = registryLogins(reference, request.secrets);
    let problem: unknown;
    for (const auth of logins.length > 0 ? logins : [undefined]) {
      try {
        await this.cri.pullImage({ image: { image: reference }, auth }, { signal: request.signal });
        return;
      } catch (error) {
        problem = error;
      }
    }
    throw problem;
  }

  private async find(reference: string): Promise<Image | undefined> {
    const { image } = await this.cri.imageStatus({ image: { image: reference } });
    return image;
  }
}

const defaultPolicy = (name: string) =>
  /:[^/]+$/.test(name.split("@")[0] ?? "") && !name.endsWith(":latest") ? "IfNotPresent" : "Always";

const repositoryPattern = /^(?:[a-zA-Z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:(?:\.|_{1,2}|-+|\/)[a-z0-9]+)*$/;

/** The image's name with a tag or digest, or undefined when it cannot be one. */
function normalized(name: string): string | undefined {
  const [path = "", digest] = name.split("@");
  const tag = /:([^/:]+)$/.exec(path)?.[1];
  const repository = tag === undefined ? path : path.slice(0, -(tag.length + 1));
  if (!repositoryPattern.test(repository)) return undefined;
  if (tag !== undefined && !/^\w[\w.-]{0,127}$/.test(tag)) return undefined;
  if (digest !== undefined) return /^[a-z0-9]+:[a-f0-9]{32,}$/.test(digest) ? name : undefined;
  return tag === undefined ? `${name}:latest` : name;
}

/** Go's way to write a short duration. */
function duration(span: Milliseconds): string {
  return span < 1000 ? `${Math.round(span)}ms` : `${(span / 1000).toFixed(3).replace(/\.?0+$/, "")}s`;
}

interface DockerEntry {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
}

/** Credentials of pull secrets for the registry that an image is on. */
function registryLogins(reference: string, secrets: readonly Secret[]): Input<"AuthConfig">[] {
  const first = reference.split("/")[0] ?? "";
  const host = reference.includes("/") && /[.:]|^localhost$/.test(first) ? first : "index.docker.io";
  return secrets.flatMap((secret) =>
    Object.entries(dockerConfig(secret))
      .filter(([registry]) => matchesRegistry(registry, { host, reference }))
      .map(([, entry]) => {
        const [username = "", ...rest] = Buffer.from(entry.auth ?? "", "base64")
          .toString()
          .split(":");
        return { username: entry.username ?? username, password: entry.password ?? rest.join(":") };
      }),
  );
}

function matchesRegistry(
  registry: string,
  { host, reference }: { host: string; reference: string },
): boolean {
  const wanted = registry
    .replace(/^https?:\/\//, "")
    .replace(/\/v[12]\/?$/, "")
    .replace(/\/$/, "");
  return (
    wanted === host ||
    reference.startsWith(`${wanted}/`) ||
    (wanted === "docker.io" && host === "index.docker.io")
  );
}

function dockerConfig(secret: Secret): Readonly<Record<string, DockerEntry>> {
  const modern = secret.data?.[".dockerconfigjson"];
  const legacy = secret.data?.[".dockercfg"];
  try {
    const text = Buffer.from(modern ?? legacy ?? "", "base64").toString();
    const parsed = JSON.parse(text) as { auths?: Record<string, DockerEntry> };
    return modern === undefined ? parsed : (parsed.auths ?? {});
  } catch {
    return {};
  }
}
