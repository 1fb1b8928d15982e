// Small steps shared by the tools; no dependency, since they run before any is installed.
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export const root = new URL("../..", import.meta.url).pathname;

/** Runs a program in the repository with its output shown; answers whether it succeeded. */
export function run(program, args, options = {}) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: "inherit", ...options });
  if (error) console.error(`${program}: ${error.message}`);
  return status === 0;
}

/** Installs npm packages where they are missing or older than the lock file; answers whether they are there. */
export function installPackages() {
  // Through a link npm would empty the folder of another checkout.
  if (lstatSync(join(root, "node_modules"), { throwIfNoEntry: false })?.isSymbolicLink()) return true;
  const marker = join(root, "node_modules/.package-lock.json");
  const lock = join(root, "package-lock.json");
  if (existsSync(marker) && statSync(marker).mtimeMs >= statSync(lock).mtimeMs) return true;
  console.log("Installing npm packages (npm ci) ...");
  return run("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
}

/** Debian packages that a node needs, with a file that shows that each is there. */
export const nodePackages = {
  containerd: "/usr/bin/containerd",
  runc: "/usr/sbin/runc",
  crun: "/usr/bin/crun",
  conmon: "/usr/bin/conmon",
  "containernetworking-plugins": "/usr/lib/cni/bridge",
  nftables: "/usr/sbin/nft",
  iproute2: "/usr/sbin/ip",
  conntrack: "/usr/sbin/conntrack",
};

/** What tests and the README's tour use besides: a static busybox for images, kubectl, Python's client. */
export const testPackages = {
  "busybox-static": "/bin/busybox",
  "etcd-client": "/usr/bin/etcdctl",
  "etcd-server": "/usr/bin/etcd",
  "kubernetes-client": "/usr/bin/kubectl",
  "python3-kubernetes": "/usr/lib/python3/dist-packages/kubernetes/__init__.py",
};

const isRoot = () => process.getuid?.() === 0;

function isDebian() {
  if (!existsSync("/etc/os-release")) return false;
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync("/etc/os-release", "utf8"));
}

/** Installs what is missing of `packages` where that can be done; answers the names still missing. */
export function installDebianPackages(packages) {
  const missing = () =>
    Object.entries(packages)
      .filter(([, file]) => !existsSync(file))
      .map(([name]) => name);
  const wanted = missing();
  if (wanted.length === 0 || !isRoot() || !isDebian()) return wanted;
  console.log(`Installing Debian packages: ${wanted.join(" ")} ...`);
  const quiet = { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
  const apt = ["-qq", "-o", "DPkg::Lock::Timeout=120"];
  run("apt-get", [...apt, "update"], quiet);
  run("apt-get", [...apt, "install", "-y", "--no-install-recommends", ...wanted], quiet);
  return missing();
}
