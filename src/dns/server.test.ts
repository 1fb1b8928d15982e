import { createSocket } from "node:dgram";
import { connect } from "node:net";
import dnsPacket, { type Packet } from "dns-packet";
import { expect, test } from "vitest";
import { silentLogger, systemClock } from "../base/index.ts";
import type { Forwarder } from "./forwarder.ts";
import { serveDns } from "./server.ts";
import { Zone, type ZoneView } from "./zone.ts";

const many = Array.from({ length: 60 }, (_, index) => `10.0.0.${index}`);
const specs: Record<string, object> = {
  web: { clusterIPs: ["10.96.0.5"] },
  many: { clusterIPs: many },
  inside: { type: "ExternalName", externalName: "web.n.svc.cluster.local" },
  outside: { type: "ExternalName", externalName: "example.org" },
  nowhere: { type: "ExternalName", externalName: "silent.example.org" },
  circle: { type: "ExternalName", externalName: "circle.n.svc.cluster.local" },
};
const view: ZoneView = {
  service: ({ name }) => {
    const spec = specs[name];
    return spec && ({ metadata: { name, namespace: "n" }, spec } as never);
  },
  slices: () => [],
  hasNamespace: () => true,
  serviceByAddress: () => undefined,
  slicesByAddress: () => [],
};

/** Knows one name, answers to others that there is no such. */
const forwarder: Forwarder = {
  async forward(bytes) {
    const { id = 0, questions = [] } = dnsPacket.decode(Buffer.from(bytes));
    const [{ name, type } = { name: "", type: "A" }] = questions;
    if (name.startsWith("silent")) throw new Error("no resolver");
    const known = name === "example.org" && type === "A";
    return dnsPacket.encode({
      type: "response",
      id,
      flags: known ? 0 : 3,
      questions,
      answers: known ? [{ type: "A", name, ttl: 60, data: "192.0.2.80" }] : [],
    });
  },
};

async function withServer(action: (port: number) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const { port, stopped } = await serveDns(
    {
      zone: new Zone({ domain: "cluster.local", view }),
      domain: "cluster.local",
      forwarder,
      address: "127.0.0.1",
      port: 0,
      clock: systemClock,
      logger: silentLogger,
    },
    stop.signal,
  );
  await action(port);
  stop.abort();
  await stopped;
}

const queryFor = (name: string, more: Partial<Packet> = {}): Buffer =>
  dnsPacket.encode({
    type: "query",
    id: 7,
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ type: "A", name }],
    ...more,
  });

function byUdp(port: number, query: Buffer): Promise<Packet & { rcode?: string }> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.on("message", (message) => {
      socket.close();
      resolve(dnsPacket.decode(message));
    });
    socket.send(query, port, "127.0.0.1");
  });
}

function byTcp(port: number, query: Buffer): Promise<Packet> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      const framed = dnsPacket.streamEncode(dnsPacket.decode(query));
      // In two pieces: messages need not come whole.
      socket.write(framed.subarray(0, 5));
      socket.write(framed.subarray(5));
    });
    const chunks: Buffer[] = [];
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      const all = Buffer.concat(chunks);
      if (all.length < 2 || all.length < all.readUInt16BE(0) + 2) return;
      socket.destroy();
      resolve(dnsPacket.streamDecode(all));
    });
  });
}

test("answers over UDP and TCP, truncates what UDP cannot carry, and says what has no answer", async () => {
  await withServer(async (port) => {
    const answered = await byUdp(port, queryFor("web.n.svc.cluster.local"));
    expect(answered.answers).toMatchObject([{ type: "A", data: "10.96.0.5" }]);
    const missing = await byUdp(port, queryFor("none.n.svc.cluster.local"));
    expect([missing.rcode, missing.authorities?.[0]?.type]).toEqual(["NXDOMAIN", "SOA"]);
    const large = await byUdp(port, queryFor("many.n.svc.cluster.local"));
    expect([large.answers?.length, (large.flags ?? 0) & dnsPacket.TRUNCATED_RESPONSE]).toEqual([
      29,
      dnsPacket.TRUNCATED_RESPONSE,
    ]);
    expect((await byTcp(port, queryFor("many.n.svc.cluster.local"))).answers?.length).toBe(60);
    expect((await byUdp(port, queryFor("silent.example.org"))).rcode).toBe("SERVFAIL");
    const garbage = Buffer.concat([queryFor("web").subarray(0, 12), Buffer.from([0xff, 0xff])]);
    expect((await byUdp(port, garbage)).rcode).toBe("FORMERR");
  });
});

const shown = ({ answers = [] }: Packet) =>
  answers.map((one) => `${one.name} ${one.type} ${String((one as { data?: unknown }).data)}`);

test.each([
  { name: "example.org", code: "NOERROR", gives: ["example.org A 192.0.2.80"] },
  { name: "other.example.org", code: "NXDOMAIN", gives: [] },
  {
    name: "inside.n.svc.cluster.local",
    code: "NOERROR",
    gives: [
      "inside.n.svc.cluster.local CNAME web.n.svc.cluster.local",
      "web.n.svc.cluster.local A 10.96.0.5",
    ],
  },
  {
    name: "outside.n.svc.cluster.local",
    code: "NOERROR",
    gives: ["outside.n.svc.cluster.local CNAME example.org", "example.org A 192.0.2.80"],
  },
  {
    name: "nowhere.n.svc.cluster.local",
    code: "NOERROR",
    gives: ["nowhere.n.svc.cluster.local CNAME silent.example.org"],
  },
])("$name answers $code with all that an alias leads to", async ({ name, code, gives }) => {
  await withServer(async (port) => {
    const reply = await byUdp(port, queryFor(name));
    expect([reply.rcode, ...shown(reply)]).toEqual([code, ...gives]);
  });
});

test("aliases alone when asked for them, and an end to circles", async () => {
  await withServer(async (port) => {
    const questions = [{ type: "CNAME" as const, name: "inside.n.svc.cluster.local" }];
    expect(shown(await byUdp(port, queryFor("", { questions })))).toHaveLength(1);
    expect(shown(await byUdp(port, queryFor("circle.n.svc.cluster.local")))).toHaveLength(9);
  });
});

test("a client that knows the extensions may have more by UDP, one that asks otherwise nothing", async () => {
  await withServer(async (port) => {
    const extension = { type: "OPT", name: ".", udpPayloadSize: 4096 } as never;
    const large = await byUdp(port, queryFor("many.n.svc.cluster.local", { additionals: [extension] }));
    expect([large.answers?.length, large.additionals?.map(({ type }) => type)]).toEqual([60, ["OPT"]]);
    const status = await byUdp(port, queryFor("web.n.svc.cluster.local", { flags: 2 << 11 }));
    expect(status.rcode).toBe("NOTIMP");
  });
});
