import { HeaderBlockReader, HeaderBlockWriter, concat } from "./header-block.ts";
import type { SpdyHeaders } from "./header-block.ts";

/** A frame of SPDY/3.1 (SPDY draft 3.1, section 2.6). */
export type SpdyFrame =
  | {
      readonly type: "data";
      readonly stream: number;
      readonly data: Uint8Array;
      /** Whether this is the sender's last. */
      readonly last: boolean;
    }
  | {
      readonly type: "synStream";
      readonly stream: number;
      readonly headers: SpdyHeaders;
      readonly last: boolean;
    }
  | {
      readonly type: "synReply";
      readonly stream: number;
      readonly headers: SpdyHeaders;
      readonly last: boolean;
    }
  | {
      readonly type: "headers";
      readonly stream: number;
      readonly headers: SpdyHeaders;
      readonly last: boolean;
    }
  | { readonly type: "reset"; readonly stream: number; readonly status: number }
  | { readonly type: "settings"; readonly values: ReadonlyMap<number, number> }
  | { readonly type: "ping"; readonly id: number }
  | { readonly type: "goAway"; readonly lastStream: number; readonly status: number }
  | { readonly type: "windowUpdate"; readonly stream: number; readonly delta: number };

/** Status of a reset stream (section 2.6.3). */
export const resetStatus = { protocolError: 1, invalidStream: 2, refusedStream: 3, cancel: 5 } as const;

/** Bytes that break the protocol; the connection cannot go on. */
export class SpdyProtocolError extends Error {
  override readonly name = "SpdyProtocolError";
}

const version = 3;
const headBytes = 8;
const flagLast = 1;
const largestControlFrame = 128 * 1024;

const kinds = {
  synStream: 1,
  synReply: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

/** Writes the frames of one direction of a connection, in their order: header compression has a state. */
export class SpdyEncoder {
  private readonly headers = new HeaderBlockWriter();

  encode(frame: SpdyFrame): Uint8Array {
    switch (frame.type) {
      case "data":
        return concat([this.dataHead(frame), frame.data]);
      case "synStream":
        return this.withHeaders(frame, [frame.stream, 0], Uint8Array.of(0, 0));
      case "synReply":
      case "headers":
        return this.withHeaders(frame, [frame.stream], new Uint8Array());
      case "reset":
        return control(kinds.reset, 0, numbers(frame.stream, frame.status));
      case "settings": {
        const entries = [...frame.values].flatMap(([id, value]) => [id, value]);
        return control(kinds.settings, 0, numbers(frame.values.size, ...entries));
      }
      case "ping":
        return control(kinds.ping, 0, numbers(frame.id));
      case "goAway":
        return control(kinds.goAway, 0, numbers(frame.lastStream, frame.status));
      case "windowUpdate":
        return control(kinds.windowUpdate, 0, numbers(frame.stream, frame.delta));
    }
  }

  /** What goes before the bytes of a data frame. */
  dataHead(frame: Extract<SpdyFrame, { type: "data" }>): Uint8Array {
    return numbers(frame.stream & 0x7fff_ffff, frame.data.length | ((frame.last ? flagLast : 0) << 24));
  }

  private withHeaders(
    frame: Extract<SpdyFrame, { headers: SpdyHeaders }>,
    ids: readonly number[],
    priority: Uint8Array,
  ): Uint8Array {
    const body = concat([numbers(...ids), priority, this.headers.write(frame.headers)]);
    return control(kinds[frame.type], frame.last ? flagLast : 0, body);
  }
}

function numbers(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => view.setUint32(index * 4, value >>> 0));
  return bytes;
}

function control(kind: number, flags: number, body: Uint8Array): Uint8Array {
  return concat([numbers(0x8000_0000 | (version << 16) | kind, (flags << 24) | body.length), body]);
}

type DecoderState =
  | { readonly type: "head" }
  | { readonly type: "control"; readonly kind: number; readonly flags: number; readonly length: number }
  | { readonly type: "data"; readonly stream: number; readonly last: boolean; remaining: number };

/** Reads the frames of one direction of a connection from its bytes, however they are cut. */
export class SpdyDecoder {
  private readonly headers = new HeaderBlockReader();
  private state: DecoderState = { type: "head" };
  private pending: Uint8Array = new Uint8Array();

  /** The frames that are complete now; large data frames come in pieces. Throws when the bytes make no sense. */
  push(chunk: Uint8Array): SpdyFrame[] {
    this.pending = this.pending.length === 0 ? chunk : concat([this.pending, chunk]);
    const frames: SpdyFrame[] = [];
    for (;;) {
      const before = this.pending.length;
      const state = this.state;
      if (state.type === "data") this.readData(state, frames);
      else if (state.type === "control") this.readControl(state, frames);
      else this.readHead(frames);
      if (this.pending.length === before) return frames;
    }
  }

  private consume(count: number): Uint8Array {
    const taken = this.pending.subarray(0, count);
    this.pending = this.pending.subarray(count);
    return taken;
  }

  private readHead(frames: SpdyFrame[]): void {
    if (this.pending.length < headBytes) return;
    const view = viewOf(this.consume(headBytes));
    const first = view.getUint32(0);
    const flags = view.getUint8(4);
    const length = view.getUint32(4) & 0xff_ffff;
    if (first >>> 31 === 0) {
      const last = (flags & flagLast) !== 0;
      if (length === 0) frames.push({ type: "data", stream: first, data: new Uint8Array(), last });
      else this.state = { type: "data", stream: first, last, remaining: length };
      return;
    }
    if (((first >>> 16) & 0x7fff) !== version) throw new SpdyProtocolError("not SPDY/3");
    if (length > largestControlFrame) throw new SpdyProtocolError("control frame too large");
    this.state = { type: "control", kind: first & 0xffff, flags, length };
  }

  private readData(state: Extract<DecoderState, { type: "data" }>, frames: SpdyFrame[]): void {
    const data = this.consume(Math.min(state.remaining, this.pending.length));
    if (data.length === 0) return;
    state.remaining -= data.length;
    const done = state.remaining === 0;
    frames.push({ type: "data", stream: state.stream, data, last: state.last && done });
    if (done) this.state = { type: "head" };
  }

  private readControl(state: Extract<DecoderState, { type: "control" }>, frames: SpdyFrame[]): void {
    if (this.pending.length < state.length) return;
    const body = this.consume(state.length);
    this.state = { type: "head" };
    const frame = this.controlFrame(state, body);
    if (frame) frames.push(frame);
  }

  /** Undefined for kinds that are not known, which are to be ignored. */
  private controlFrame(
    { kind, flags }: { readonly kind: number; readonly flags: number },
    body: Uint8Array,
  ): SpdyFrame | undefined {
    const view = viewOf(body);
    const number = (index: number) => {
      if (index * 4 + 4 > body.length) throw new SpdyProtocolError("control frame too short");
      return view.getUint32(index * 4);
    };
    const stream = () => number(0) & 0x7fff_ffff;
    const last = (flags & flagLast) !== 0;
    switch (kind) {
      case kinds.synStream:
        number(1);
        return { type: "synStream", stream: stream(), headers: this.headers.read(body.subarray(10)), last };
      case kinds.synReply:
        return { type: "synReply", stream: stream(), headers: this.headers.read(body.subarray(4)), last };
      case kinds.headers:
        return { type: "headers", stream: stream(), headers: this.headers.read(body.subarray(4)), last };
      case kinds.reset:
        return { type: "reset", stream: stream(), status: number(1) };
      case kinds.settings: {
        const values = new Map<number, number>();
        const count = Math.min(number(0), (body.length - 4) / 8);
        for (let index = 0; index < count; index++)
          values.set(number(1 + index * 2) & 0xff_ffff, number(2 + index * 2));
        return { type: "settings", values };
      }
      case kinds.ping:
        return { type: "ping", id: number(0) };
      case kinds.goAway:
        return { type: "goAway", lastStream: stream(), status: number(1) };
      case kinds.windowUpdate:
        return { type: "windowUpdate", stream: stream(), delta: number(1) & 0x7fff_ffff };
      default:
        return undefined;
    }
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
