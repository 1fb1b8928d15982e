export { DecodeError, cannotBeHandled } from "./decode-error.ts";
export {
  decodeJson,
  decodeValue,
  encodeJson,
  parseJson,
  strictDecodingError,
  type Decoded,
  type DecodeOptions,
} from "./json.ts";
export { zeroOfStruct } from "./convert.ts";
export { formatDuration, normalizeMicroTime, normalizeTime, parseDuration } from "./time.ts";
