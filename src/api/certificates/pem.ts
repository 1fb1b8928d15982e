import { fromBase64Bytes } from "../core/data.ts";

/** One block of PEM: what it says to be, and what is in it. */
export interface PemBlock {
  readonly type: string;
  readonly hasHeaders: boolean;
  readonly bytes: Uint8Array;
}

const begin = /^-----BEGIN (.*)-----$/;

/** The blocks of a text; what is around them, and what is no block as a whole, is passed over. */
export function pemBlocks(text: string): readonly PemBlock[] {
  const blocks: PemBlock[] = [];
  let open: { readonly type: string; readonly lines: string[] } | undefined;
  for (const line of text.split("\n")) {
    const trimmed = line.trimEnd();
    const type = begin.exec(trimmed)?.[1];
    if (type !== undefined) open = { type, lines: [] };
    else if (open !== undefined && trimmed === `-----END ${open.type}-----`) {
      const block = blockOf(open.type, open.lines);
      if (block !== undefined) blocks.push(block);
      open = undefined;
    } else open?.lines.push(trimmed);
  }
  return blocks;
}

function blockOf(type: string, lines: readonly string[]): PemBlock | undefined {
  const headers = lines.findIndex((line) => !line.includes(":"));
  const body = lines.slice(Math.max(headers, 0)).join("").replace(/\s/g, "");
  const bytes = body.length % 4 === 0 ? fromBase64Bytes(body) : undefined;
  return bytes && { type, hasHeaders: headers > 0, bytes };
}

/** The blocks of base64 of PEM, as fields of bytes hold it in JSON. */
export const pemBlocksOfBase64 = (base64: string | undefined): readonly PemBlock[] => {
  const bytes = fromBase64Bytes(base64 ?? "");
  return bytes === undefined ? [] : pemBlocks(new TextDecoder("latin1").decode(bytes));
};
