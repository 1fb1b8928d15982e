import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { Clock, Milliseconds } from "../base/index.ts";

const answerTimeout: Milliseconds = 2000;
/** Queries under way at once; further ones fail at once. */
const queriesAtOnce = 1000;

/** Sends queries of other zones to the machine's own resolvers, the first that answers. */
export interface Forwarder {
  /** The answer's bytes; rejects when no resolver answers. */
  forward(query: Uint8Array, transport: "udp" | "tcp"): Promise<Uint8Array>;
}

export interface ForwarderOptions {
  /** Addresses of resolvers, in the order to ask them. */
  readonly resolvers: readonly string[];
  /** Where resolvers listen; 53 unless told otherwise. */
  readonly port?: number;
  readonly clock: Clock;
}

export function createForwarder(options: ForwarderOptions): Forwarder {
  let underWay = 0;
  return {
    async forward(query, transport) {
      if (options.resolvers.length === 0) throw new Error("no resolver to forward to");
      if (underWay >= queriesAtOnce) throw new Error("too many queries under way");
      underWay++;
      try {
        return await firstAnswer(options, { query, transport });
      } finally {
        underWay--;
      }
    },
  };
}

async function firstAnswer(
  { resolvers, port = 53, clock }: ForwarderOptions,
  { query, transport }: { query: Uint8Array; transport: "udp" | "tcp" },
): Promise<Uint8Array> {
  let failure: unknown;
  for (const resolver of resolvers) {
    const ask = transport === "udp" ? askByUdp : askByTcp;
    try {
      return await ask({ query, resolver, port, clock });
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

interface Ask {
  readonly query: Uint8Array;
  readonly resolver: string;
  readonly port: number;
  readonly clock: Clock;
}

function askByUdp({ query, resolver, port, clock }: Ask): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(resolver.includes(":") ? "udp6" : "udp4");
    const finish = (settle: () => void) => {
      timer.cancel();
      socket.close();
      settle();
    };
    const timer = clock.after(answerTimeout, () =>
      finish(() => reject(new Error(`${resolver} does not answer`))),
    );
    socket.on("error", (error) => finish(() => reject(error)));
    socket.on("message", (message) => {
      // Whoever answers must know the query's number.
      if (message[0] === query[0] && message[1] === query[1]) finish(() => resolve(message));
    });
    // With a callback, a resolver that cannot be reached would be reported to it and not as an error.
    socket.once("connect", () => socket.send(query));
    socket.connect(port, resolver);
  });
}

function askByTcp({ query, resolver, port, clock }: Ask): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, resolver);
    let received = Buffer.alloc(0);
    const finish = (settle: () => void) => {
      timer.cancel();
      socket.destroy();
      settle();
    };
    const timer = clock.after(answerTimeout, () =>
      finish(() => reject(new Error(`${resolver} does not answer`))),
    );
    socket.on("error", (error) => finish(() => reject(error)));
    socket.on("end", () => finish(() => reject(new Error(`${resolver} closed the connection`))));
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2) return;
      const size = received.readUInt16BE(0);
      if (received.length >= size + 2) finish(() => resolve(received.subarray(2, size + 2)));
    });
    const length = Buffer.alloc(2);
    length.writeUInt16BE(query.length);
    socket.write(Buffer.concat([length, query]));
  });
}
