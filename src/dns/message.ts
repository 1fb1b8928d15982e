import dnsPacket, { type Answer, type Packet } from "dns-packet";

const headerLength = 12;
/** Pointers to earlier names have 14 bits. */
const farthestPointer = 0x3fff;

type Section = "answers" | "authorities" | "additionals";

/** Where the header counts the records of each section. */
const counts: readonly (readonly [Section, number])[] = [
  ["answers", 6],
  ["authorities", 8],
  ["additionals", 10],
];

/**
 * Encodes a reply in at most `limit` bytes, names of records compressed (RFC 1035, section 4.1.4). If answers do not
 * fit, it has those that do and is marked as truncated; additional records are left out without a mark.
 */
export function encodeReply(reply: Packet, limit: number): Buffer {
  const { answers: _answers, authorities: _authorities, additionals: _additionals, ...head } = reply;
  const start = dnsPacket.encode(head);
  const parts: Buffer[] = [start];
  const names = new Map<string, number>();
  const [question] = reply.questions ?? [];
  if (question) compress(question.name, { at: headerLength, names });
  let length = start.length;
  for (const [section, offset] of counts) {
    let count = 0;
    for (const record of reply[section] ?? []) {
      const bytes = encodeRecord(record, { at: length, names });
      if (length + bytes.length > limit) {
        if (section === "answers")
          start.writeUInt16BE(start.readUInt16BE(2) | dnsPacket.TRUNCATED_RESPONSE, 2);
        break;
      }
      parts.push(bytes);
      length += bytes.length;
      count++;
    }
    start.writeUInt16BE(count, offset);
  }
  return Buffer.concat(parts, length);
}

interface Place {
  /** Where in the message the bytes will be. */
  readonly at: number;
  /** Where names, and what they end with, are in the message. */
  readonly names: Map<string, number>;
}

function encodeRecord(record: Answer, place: Place): Buffer {
  const plain = dnsPacket.encode({ answers: [record] }).subarray(headerLength);
  // The root's name is one byte already.
  if (record.name === "." || record.name === "") return plain;
  const body = plain.subarray(Buffer.byteLength(record.name) + 2);
  return Buffer.concat([compress(record.name, place), body]);
}

/** The name's bytes: its labels as far as they are new, then a pointer to the rest. */
function compress(name: string, { at, names }: Place): Buffer {
  const labels = name.split(".");
  const parts: Buffer[] = [];
  let length = 0;
  for (const [index, label] of labels.entries()) {
    const rest = labels.slice(index).join(".");
    const known = names.get(rest);
    if (known !== undefined) {
      parts.push(Buffer.from([0xc0 | (known >> 8), known & 0xff]));
      return Buffer.concat(parts);
    }
    if (at + length <= farthestPointer) names.set(rest, at + length);
    const bytes = Buffer.from(label);
    parts.push(Buffer.from([bytes.length]), bytes);
    length += bytes.length + 1;
  }
  return Buffer.concat([...parts, Buffer.from([0])]);
}
