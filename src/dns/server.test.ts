import { createSocket } from "node:dgram";
import { connect } from "node:net";
import dnsPacket, { type Packet } from "dns-packet";
import { expect, test } from "vitest";
import { silentLogger, systemClock } from "../base/index.ts";
import { serveDns } from "./server.ts";
import { Zone, type ZoneView } from "./zone.ts";

const many = Array.from({ length: 60 }, (_, index) => `10.0.0.${index}`);
const view: ZoneView = {
  service: ({ name }) =>
    name === "web" || name === "many"
      ? ({
          metadata: { name, namespace: "n" },
          spec: { clusterIPs: name === "web" ? ["10.96.0.5"] : many },
        } as never)
      : undefined,
  slices: () => [],
  hasNamespace: () => true,
  serviceByAddress: () => undefined,
  slicesByAddress: () => [],
};

async function withServer(action: (port: number) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const { port, stopped } = await serveDns(
    {
      zone: new Zone({ domain: "cluster.local", view }),
      domain: "cluster.local",
      forwarder: { forward: () => Promise.reject(new Error("no resolver")) },
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

const queryFor = (name: string): Buffer =>
  dnsPacket.encode({
    type: "query",
    id: 7,
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ type: "A", name }],
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
      0,
      dnsPacket.TRUNCATED_RESPONSE,
    ]);
    expect((await byTcp(port, queryFor("many.n.svc.cluster.local"))).answers?.length).toBe(60);
    expect((await byUdp(port, queryFor("example.org"))).rcode).toBe("SERVFAIL");
    const garbage = Buffer.concat([queryFor("web").subarray(0, 12), Buffer.from([0xff, 0xff])]);
    expect((await byUdp(port, garbage)).rcode).toBe("FORMERR");
  });
});
