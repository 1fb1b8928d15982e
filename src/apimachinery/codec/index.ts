export { DecodeError, unreadableKind, unrecognized } from "./decode-error.ts";
export {
  decodeJson,
  decodeParsed,
  decodeValue,
  duplicateFields,
  encodeJson,
  oddNumbers,
  parseJson,
  strictDecodingError,
  warningsOf,
  yamlProblem,
  type Decoded,
  type DecodeOptions,
} from "./json.ts";
export { decodeBase64, encodeBase64 } from "./base64.ts";
export { cborNames, decodeCbor, decodeCborValue, encodeCbor, encodeCborEvent } from "./cbor.ts";
export { zeroOfStruct } from "./convert.ts";
export { numberKey, type NumberTexts } from "./number-texts.ts";
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
export { decodeYaml, decodeYamlDocuments, readYaml, type YamlDocument } from "./yaml.ts";
export { encodeYaml } from "./yaml-encode.ts";
