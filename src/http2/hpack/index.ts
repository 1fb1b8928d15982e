export { HeaderDecoder } from "./decoder.ts";
export type { RawHeaders } from "./decoder.ts";
export { encodedBound, HeaderEncoder } from "./encoder.ts";
export type { HeaderList } from "./encoder.ts";
