import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { imageArchive } from "./archive.ts";
import type { ArchiveEntry } from "./archive.ts";
import { imageArchitecture } from "./architecture.ts";

const directories = [
  "bin",
  "etc",
  "home",
  "root",
  "tmp",
  "usr",
  "usr/bin",
  "var",
  "var/tmp",
  "dev",
  "proc",
  "sys",
];
const passwd = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n";
const group = "root:x:0:\nnobody:x:65534:\n";

/** An image archive made from a static busybox, such as that of Debian's busybox-static, with a link for each applet. */
export async function makeBusyboxImage(options: {
  /** Default `/bin/busybox`. */
  readonly program?: string;
  /** Full names with tags. */
  readonly names: readonly string[];
}): Promise<Uint8Array> {
  const program = options.program ?? "/bin/busybox";
  const [content, { stdout }] = await Promise.all([
    readFile(program),
    promisify(execFile)(program, ["--list"]),
  ]);
  const applets = stdout.split("\n").filter((name) => name !== "" && name !== "busybox");
  const files: ArchiveEntry[] = [
    ...directories.map((path) => ({
      path: `${path}/`,
      type: "directory" as const,
      mode: path.endsWith("tmp") ? 0o1777 : 0o755,
    })),
    { path: "bin/busybox", mode: 0o755, content },
    ...applets.map((name) => ({ path: `bin/${name}`, link: "/bin/busybox", mode: 0o777 })),
    { path: "etc/passwd", content: passwd },
    { path: "etc/group", content: group },
  ];
  return imageArchive({
    names: options.names,
    architecture: imageArchitecture(),
    files,
    config: {
      Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      Cmd: ["sh"],
    },
  });
}
