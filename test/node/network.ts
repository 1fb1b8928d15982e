import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import type { Milliseconds } from "../../src/base/index.ts";
import { runProgram, type RunProgram } from "../../src/machine/index.ts";

const needed = ["/usr/sbin/nft", "/usr/sbin/conntrack", "/usr/sbin/ip", "/usr/bin/nsenter"];

/** Why packets cannot be sent through rules here; undefined when they can. */
export function reasonToSkip(): string | undefined {
  if (process.getuid?.() !== 0) return "not root";
  const missing = needed.filter(
    (file) => !existsSync(file) && !existsSync(file.replace("/usr/sbin", "/sbin")),
  );
  return missing.length > 0 ? `missing: ${missing.join(", ")}` : undefined;
}

export type Place = "node" | "pod-1" | "pod-2" | "outside";

/** Addresses in the network: pods behind the node's bridge, an outside client on a wire to the node. */
export const addresses = {
  bridge: "10.1.0.254",
  "pod-1": "10.1.0.1",
  "pod-2": "10.1.0.2",
  node: "192.0.2.1",
  outside: "192.0.2.2",
} as const;

/** Serves TCP and UDP on port 8080: answers a line with who it is, whom it sees, and what was said. */
const server = `
const name = process.argv[1];
const text = (from, said) => name + " " + from.replace("::ffff:", "") + " " + String(said).trim() + "\\n";
require("net").createServer((socket) => {
  socket.on("error", () => socket.destroy());
  socket.on("data", (said) => socket.write(text(socket.remoteAddress, said)));
}).listen(8080, "0.0.0.0", () => {
  const udp = require("dgram").createSocket("udp4");
  udp.on("message", (said, from) => udp.send(text(from.address, said), from.port, from.address));
  udp.bind(8080, () => console.log("ready"));
});`;

/** Sends each line of its input to an address and prints the answer: over one TCP connection, one for each line, or one UDP socket. */
const client = `
const [kind, host, port] = process.argv.slice(1);
const print = (said) => process.stdout.write(String(said));
const connect = () => {
  const socket = require("net").connect(Number(port), host);
  socket.on("error", (error) => print("failed " + error.code + "\\n"));
  return socket.on("data", print);
};
let send;
if (kind === "udp") {
  const socket = require("dgram").createSocket("udp4");
  socket.connect(Number(port), host);
  socket.on("error", (error) => print("failed " + error.code + "\\n"));
  socket.on("message", print);
  send = (line) => socket.send(line);
} else if (kind === "tcp") {
  const socket = connect();
  send = (line) => socket.write(line);
} else send = (line) => { const socket = connect(); socket.once("data", () => socket.end()); socket.write(line); };
process.stdin.on("data", (lines) => send(lines)).on("end", () => process.exit());
print("ready\\n");`;

/** Whom to send to; `each` opens a connection for each line. */
export type Destination = `${"tcp" | "each" | "udp"} ${string} ${number}`;

export interface Conversation {
  /** The answer to a line; `silence` when there is none in time. */
  say(line: string): Promise<string>;
  end(): Promise<void>;
}

/** A node with two pods and an outside neighbour, each a network namespace of this test's own. */
export class TestNetwork {
  private readonly id = `kt${process.pid}`;
  private readonly children: ChildProcess[] = [];

  readonly onNode: RunProgram = (program, args, options) =>
    runProgram("nsenter", [`--net=${this.file("node")}`, program, ...args], options);

  async start(): Promise<void> {
    for (const place of ["node", "pod-1", "pod-2", "outside"] as const) {
      await runProgram("ip", ["netns", "add", this.name(place)]);
      await this.run(place, "ip link set lo up");
    }
    await this.run(
      "node",
      `ip link add br0 type bridge && ip addr add ${addresses.bridge}/24 dev br0 && ip link set br0 up`,
    );
    for (const setting of [
      "ipv4/ip_forward",
      "ipv4/conf/all/route_localnet",
      "bridge/bridge-nf-call-iptables",
    ]) {
      await this.run("node", `[ ! -e /proc/sys/net/${setting} ] || echo 1 > /proc/sys/net/${setting}`);
    }
    for (const pod of ["pod-1", "pod-2"] as const) {
      await this.wire(pod, { prefix: 24 });
      // A packet to the pod's own service goes back through the port it came from, as with CNI's hairpinMode.
      await this.run("node", `ip link set to-${pod} master br0 && bridge link set dev to-${pod} hairpin on`);
      await this.run(pod, `ip route add default via ${addresses.bridge}`);
      const child = this.spawn(pod, ["-e", server, pod]);
      await once(child.stdout ?? child, "data");
    }
    await this.wire("outside", { prefix: 24 });
    await this.run("node", `ip addr add ${addresses.node}/24 dev to-outside`);
    await this.run("outside", `ip route add default via ${addresses.node}`);
  }

  run(place: Place, script: string): Promise<string> {
    return runProgram("nsenter", [`--net=${this.file(place)}`, "sh", "-c", script]);
  }

  /** Opens a TCP connection or UDP socket from a place. */
  async talk(place: Place, to: Destination): Promise<Conversation> {
    const child = this.spawn(place, ["-e", client, ...to.split(" ")]);
    let heard = "";
    let wake = () => undefined as void;
    child.stdout?.on("data", (bytes) => {
      heard += String(bytes);
      wake();
    });
    const hear = (limit: Milliseconds) =>
      new Promise<string>((resolve) => {
        const timer = setTimeout(() => resolve("silence"), limit);
        wake = () => {
          const end = heard.indexOf("\n");
          if (end < 0) return;
          clearTimeout(timer);
          resolve(heard.slice(0, end));
          heard = heard.slice(end + 1);
          wake = () => undefined;
        };
        wake();
      });
    if ((await hear(20_000)) !== "ready") throw new Error("the client did not start");
    return {
      say(line) {
        child.stdin?.write(`${line}\n`);
        return hear(1000);
      },
      end: () => ended(child, () => child.stdin?.end()),
    };
  }

  /** The answers to so many lines, each over a connection of its own. */
  async ask(place: Place, to: `${string} ${number}`, times = 1): Promise<string[]> {
    const conversation = await this.talk(place, `each ${to}`);
    const answers: string[] = [];
    for (let round = 0; round < times; round++) answers.push(await conversation.say("hello"));
    await conversation.end();
    return answers;
  }

  async stop(): Promise<void> {
    for (const child of this.children) if (child.exitCode === null) await ended(child, () => child.kill());
    for (const place of ["pod-1", "pod-2", "outside", "node"] as const)
      await runProgram("ip", ["netns", "delete", this.name(place)]);
  }

  private async wire(place: Exclude<Place, "node">, { prefix }: { prefix: number }): Promise<void> {
    await this.run(
      "node",
      `ip link add to-${place} type veth peer name eth0 netns ${this.name(place)} && ip link set to-${place} up`,
    );
    await this.run(place, `ip addr add ${addresses[place]}/${prefix} dev eth0 && ip link set eth0 up`);
  }

  private spawn(place: Place, args: readonly string[]): ChildProcess {
    const child = spawn("nsenter", [`--net=${this.file(place)}`, process.execPath, ...args], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.children.push(child);
    return child;
  }

  private readonly name = (place: Place): string => `${this.id}-${place}`;
  private readonly file = (place: Place): string => `/run/netns/${this.name(place)}`;
}

async function ended(child: ChildProcess, ask: () => void): Promise<void> {
  const exit = once(child, "exit");
  ask();
  await exit;
}
