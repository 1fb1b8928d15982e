import { gunzipSync } from "node:zlib";
import { schemas } from "../../../api/index.ts";
import { decodeCborValue, decodeProtobuf, readYaml } from "../../../apimachinery/codec/index.ts";

/** What is kept of a body to be recorded; of longer ones nothing. */
export const longestRecordedBody = 64 * 1024 * 1024;

/** The value that a body holds, in whatever encoding; undefined when it is no object. */
export async function valueOfBody(
  bytes: Uint8Array,
  { contentType = "", compressed = false }: { readonly contentType?: string; readonly compressed?: boolean },
): Promise<unknown> {
  const plain = compressed ? gunzipSync(bytes) : bytes;
  const [type = ""] = contentType.split(";");
  try {
    if (type.endsWith("protobuf")) return decodeProtobuf(plain, schemas);
    if (type.endsWith("cbor")) return decodeCborValue(plain);
    if (type.endsWith("yaml")) return (await readYaml(Buffer.from(plain).toString())).value;
    if (!type.endsWith("json") && type !== "") return undefined;
    return JSON.parse(Buffer.from(plain).toString()) as unknown;
  } catch {
    // What cannot be read was refused for it: its answer says so.
    return undefined;
  }
}
