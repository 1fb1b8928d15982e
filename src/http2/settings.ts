import { Buffer } from "node:buffer";
import { ConnectionError, errorCode } from "./errors.ts";
import { defaultFrameBytes, frameHeadBytes, frameType, writeFrameHead } from "./frames.ts";

/** RFC 9113, section 6.5.2. */
const parameter = {
  headerTableSize: 0x1,
  enablePush: 0x2,
  maxConcurrentStreams: 0x3,
  initialWindowSize: 0x4,
  maxFrameSize: 0x5,
  maxHeaderListSize: 0x6,
} as const;

const settingBytes = 6;
export const largestWindow = 2 ** 31 - 1;
const largestFrame = 2 ** 24 - 1;

/** What a peer may say of how it wants to be sent to. */
export interface PeerSettings {
  headerTableSize?: number;
  initialWindowSize?: number;
  maxFrameSize?: number;
}

/** Reads a frame of settings; of one that comes twice the last holds. */
export function readSettings(payload: Buffer): PeerSettings {
  if (payload.length % settingBytes !== 0)
    throw new ConnectionError(errorCode.frameSizeError, "settings are cut off");
  const settings: PeerSettings = {};
  for (let at = 0; at < payload.length; at += settingBytes) {
    const value = payload.readUInt32BE(at + 2);
    switch (payload.readUInt16BE(at)) {
      case parameter.headerTableSize:
        settings.headerTableSize = value;
        break;
      case parameter.enablePush:
        if (value > 1) throw new ConnectionError(errorCode.protocolError, "push is neither on nor off");
        break;
      case parameter.initialWindowSize:
        if (value > largestWindow)
          throw new ConnectionError(errorCode.flowControlError, "the window is too large");
        settings.initialWindowSize = value;
        break;
      case parameter.maxFrameSize:
        if (value < defaultFrameBytes || value > largestFrame)
          throw new ConnectionError(errorCode.protocolError, "no size for a frame");
        settings.maxFrameSize = value;
        break;
      default:
    }
  }
  return settings;
}

/** The frame with which a server begins. */
export function ownSettings(values: {
  readonly maxConcurrentStreams: number;
  readonly initialWindowSize: number;
  readonly maxHeaderListSize: number;
}): Buffer {
  const pairs = [
    [parameter.maxConcurrentStreams, values.maxConcurrentStreams],
    [parameter.initialWindowSize, values.initialWindowSize],
    [parameter.maxHeaderListSize, values.maxHeaderListSize],
  ] as const;
  const length = pairs.length * settingBytes;
  const frame = Buffer.alloc(frameHeadBytes + length);
  let at = writeFrameHead(frame, 0, { type: frameType.settings, flags: 0, stream: 0, length });
  for (const [name, value] of pairs) at = frame.writeUInt32BE(value, frame.writeUInt16BE(name, at));
  return frame;
}
