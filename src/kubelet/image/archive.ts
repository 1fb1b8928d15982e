import { createHash } from "node:crypto";

/** A file, directory or symbolic link of an image. */
export interface ArchiveEntry {
  /** Without leading slash. */
  readonly path: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly content?: Uint8Array | string;
  /** Target of a symbolic link. */
  readonly link?: string;
  readonly type?: "file" | "directory" | "link" | "hardlink";
}

const blockSize = 512;
const typeFlags = { file: "0", hardlink: "1", link: "2", directory: "5" } as const;

/** A tar archive in the ustar format; times are zero, so that equal contents give equal bytes. */
function tarArchive(entries: readonly ArchiveEntry[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    const content = typeof entry.content === "string" ? Buffer.from(entry.content) : entry.content;
    const size = content?.length ?? 0;
    parts.push(tarHeader(entry, size));
    if (!content) continue;
    parts.push(content, new Uint8Array((blockSize - (size % blockSize)) % blockSize));
  }
  parts.push(new Uint8Array(2 * blockSize));
  return Buffer.concat(parts);
}

function tarHeader(entry: ArchiveEntry, size: number): Uint8Array {
  const header = Buffer.alloc(blockSize);
  const type = entry.type ?? (entry.link === undefined ? "file" : "link");
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
  header.write(entry.path, 0, 100);
  header.write(`${octal(entry.mode ?? (type === "directory" ? 0o755 : 0o644), 7)}\0`, 100);
  header.write(`${octal(entry.uid ?? 0, 7)}\0${octal(entry.gid ?? 0, 7)}\0`, 108);
  header.write(`${octal(size, 11)}\0${octal(0, 11)}\0        ${typeFlags[type]}`, 124);
  header.write(entry.link ?? "", 157, 100);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148);
  return header;
}

/** What an image's configuration says of the containers made from it. */
export interface ImageConfig {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
}

/** An OCI image layout as one tar archive, as `ctr images import` takes it. */
export function imageArchive(options: {
  /** Full name with tag, e.g. `docker.io/library/busybox:latest`. */
  readonly names: readonly string[];
  readonly architecture: string;
  readonly files: readonly ArchiveEntry[];
  readonly config: ImageConfig;
}): Uint8Array {
  const layer = tarArchive(options.files);
  const config = json({
    architecture: options.architecture,
    os: "linux",
    created: "1970-01-01T00:00:00Z",
    config: options.config,
    rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
    history: [],
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: descriptor("application/vnd.oci.image.config.v1+json", config),
    layers: [descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
  });
  const index = json({
    schemaVersion: 2,
    manifests: options.names.map((name) => ({
      ...descriptor("application/vnd.oci.image.manifest.v1+json", manifest),
      platform: { architecture: options.architecture, os: "linux" },
      annotations: { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": name },
    })),
  });
  return tarArchive([
    { path: "oci-layout", content: JSON.stringify({ imageLayoutVersion: "1.0.0" }) },
    { path: "index.json", content: index },
    ...[config, manifest, layer].map((content) => ({ path: blobPath(content), content })),
  ]);
}

const json = (value: object) => Buffer.from(JSON.stringify(value));
const digestOf = (content: Uint8Array) => `sha256:${createHash("sha256").update(content).digest("hex")}`;
const blobPath = (content: Uint8Array) => `blobs/sha256/${digestOf(content).slice("sha256:".length)}`;

function descriptor(mediaType: string, content: Uint8Array) {
  return { mediaType, digest: digestOf(content), size: content.length };
}
