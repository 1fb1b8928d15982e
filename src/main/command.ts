import { UsageError, describeFlags, parseFlags, type FlagDefinition, type FlagValues } from "./flags.ts";
import { etcdFlags } from "./etcd-flags.ts";
import { frontFlags } from "./front-flags.ts";
import { StartError } from "./daemon.ts";
import { defaultDirectory } from "./layout.ts";
import { snapshotFlags } from "./snapshot-flags.ts";
import { storageFlags } from "./storage-flags.ts";

/** What a command gets besides its flags. */
export interface CommandContext {
  /** The file that starts this program; daemons are started with it. */
  readonly launcher: string;
  readonly print: (line: string) => void;
  /** Keeps what has been compiled by now for the next start; for daemons, once they are ready. */
  readonly keepCompiledCode: () => void;
  /** Arguments that are no flags. */
  readonly positionals: readonly string[];
}

interface Command {
  readonly summary: string;
  readonly flags: Readonly<Record<string, FlagDefinition>>;
  /** Arguments that are no flags, as the usage line shows them; absent: there are none. */
  readonly takes?: string;
  /** Started by other commands, not by people. */
  readonly internal?: true;
  /** Answers the exit code. */
  run(flags: FlagValues, context: CommandContext): Promise<number>;
}

const directoryFlag: FlagDefinition = {
  type: "string",
  placeholder: "DIR",
  description: `where everything of the cluster lives (default ${defaultDirectory()})`,
};

// Each command loads its own code: none pays for another's.
const commands: Readonly<Record<string, Command>> = {
  up: {
    summary: "start a cluster in the background, or start it again with the same data",
    flags: {
      dir: directoryFlag,
      port: {
        type: "integer",
        placeholder: "PORT",
        description: "port of the API server (default 6443)",
        minimum: 1,
        maximum: 65535,
      },
      nodes: {
        type: "integer",
        placeholder: "N",
        description:
          "0: the control plane alone; 1: with a node on this machine (default 1 for root, else 0)",
        minimum: 0,
        maximum: 1,
      },
      "enable-admission-plugins": {
        type: "string",
        placeholder: "NAME,...",
        description: "admission plugins to run besides those that always do",
      },
      "disable-admission-plugins": {
        type: "string",
        placeholder: "NAME,...",
        description: "admission plugins not to run",
      },
      "legacy-service-account-tokens": {
        type: "boolean",
        description: "make token secrets for service accounts, as before v1.24",
      },
      "service-cluster-ip-range": {
        type: "string",
        placeholder: "CIDR[,CIDR]",
        description: "addresses of services: one range, or one of IPv4 and one of IPv6",
      },
      "service-node-port-range": {
        type: "string",
        placeholder: "FIRST-LAST",
        description: "ports of nodes for services (default 30000-32767)",
      },
      "runtime-config": {
        type: "string",
        placeholder: "KEY=BOOL,...",
        description: "API versions to turn on or off: api/all, api/beta, GROUP/VERSION[/RESOURCE]",
      },
      ...storageFlags,
      ...frontFlags,
    },
    run: async (flags, context) => (await import("./up.ts")).up(flags, context),
  },
  down: {
    summary: "stop the cluster; its data stay",
    flags: { dir: directoryFlag },
    run: async (flags, context) => (await import("./down.ts")).down(flags, context),
  },
  delete: {
    summary: "stop the cluster and remove its data",
    flags: { dir: directoryFlag },
    run: async (flags, context) => (await import("./down.ts")).remove(flags, context),
  },
  status: {
    summary: "show whether the cluster runs, and its processes",
    flags: { dir: directoryFlag },
    run: async (flags, context) => (await import("./status.ts")).status(flags, context),
  },
  store: {
    summary: "check the files of a stopped cluster's store, or repair them",
    flags: { dir: directoryFlag },
    takes: "check | repair",
    run: async (flags, context) => (await import("./store.ts")).store(flags, context),
  },
  image: {
    summary: "bring images to the node: import FILE..., or make busybox NAME...",
    flags: { dir: directoryFlag },
    takes: "import FILE... | busybox NAME...",
    run: async (flags, context) => (await import("./image.ts")).image(flags, context),
  },
  snapshot: {
    summary: "save a cluster's data in etcd's format, restore them, or look at a snapshot",
    flags: { dir: directoryFlag, ...snapshotFlags },
    takes: "save FILE | restore FILE | status FILE",
    run: async (flags, context) => (await import("./snapshot.ts")).snapshot(flags, context),
  },
  etcd: {
    summary: "serve the store alone, as etcd v3",
    flags: etcdFlags,
    run: async (flags, context) => (await import("./etcd.ts")).etcd(flags, context),
  },
  version: {
    summary: "print the version",
    flags: {},
    run: async (_flags, { print }) => (await import("./version.ts")).version(print),
  },
  "control-plane": {
    summary: "run the control plane in the foreground",
    internal: true,
    flags: { dir: directoryFlag },
    run: async (flags, context) => (await import("./control-plane.ts")).controlPlane(flags, context),
  },
  node: {
    summary: "run a node in the foreground",
    internal: true,
    flags: { dir: directoryFlag },
    run: async (flags, context) => (await import("./node.ts")).node(flags, context),
  },
};

/** Runs the command line; answers the exit code: 0 done, 1 failed, 2 misused. */
export async function main(
  args: readonly string[],
  options: Pick<CommandContext, "launcher" | "keepCompiledCode">,
): Promise<number> {
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  const complain = (line: string) => void process.stderr.write(`${line}\n`);
  // A reader that leaves early, as head does, ends no command half-way.
  process.stdout.on("error", ignoreClosedPipe);
  const [name = "help", ...rest] = args;
  if (name === "help" || name === "--help" || name === "-h") {
    print(overview());
    return 0;
  }
  const command = commands[name === "--version" ? "version" : name];
  if (command === undefined) {
    complain(`Error: unknown command ${JSON.stringify(name)} for "kubets"\nRun 'kubets help' for usage.`);
    return 2;
  }
  if (rest.includes("--help") || rest.includes("-h")) {
    print(usage(name, command));
    return 0;
  }
  try {
    const { flags, positionals } = parseFlags(rest, command.flags);
    if (positionals.length > 0 && command.takes === undefined) {
      throw new UsageError(`unexpected argument: ${positionals.join(" ")}`);
    }
    return await command.run(flags, { ...options, print, positionals });
  } catch (error) {
    if (error instanceof UsageError) {
      complain(`Error: ${error.message}`);
      return 2;
    }
    if (error instanceof StartError) complain(`Error: ${error.message}`);
    else complain(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return 1;
  }
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}

function overview(): string {
  const shown = Object.entries(commands).filter(([, command]) => command.internal !== true);
  const rows = shown.map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`);
  return [
    "kubets: Kubernetes v1.36 in TypeScript, a whole cluster from one command.",
    "",
    "Usage: kubets COMMAND [flags]",
    "",
    "Commands:",
    ...rows,
    "",
    "Run 'kubets COMMAND --help' for a command's flags.",
  ].join("\n");
}

function usage(name: string, { summary, flags, takes }: Command): string {
  const lines = [
    `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`,
    "",
    `Usage: kubets ${name}${takes === undefined ? "" : ` ${takes}`} [flags]`,
  ];
  return Object.keys(flags).length === 0
    ? lines.join("\n")
    : [...lines, "", "Flags:", describeFlags(flags)].join("\n");
}
