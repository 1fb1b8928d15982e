export { DecodeError, cannotBeHandled, unreadableKind, unrecognized } from "./decode-error.ts";
export {
  decodeJson,
  decodeValue,
  duplicateFields,
  encodeJson,
  parseJson,
  strictDecodingError,
  type Decoded,
  type DecodeOptions,
} from "./json.ts";
export { decodeCbor, decodeCborValue, encodeCbor, encodeCborEvent } from "./cbor.ts";
export { zeroOfStruct } from "./convert.ts";
export { BackwardWriter, wireType } from "./wire.ts";
export { formatDuration, normalizeMicroTime, normalizeTime, parseDuration } from "./time.ts";
export {
  decodeProtobuf,
  encodeProtobuf,
  decodeWatchEvent,
  encodeWatchFrame,
  hasProtobuf,
  isProtobuf,
  readEnvelope,
  type ProtobufEnvelope,
  type TypeSource,
} from "./protobuf.ts";
export { scanJson } from "./scan.ts";
export { decodeYaml, decodeYamlDocuments, encodeYaml } from "./yaml.ts";
