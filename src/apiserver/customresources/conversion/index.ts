export type { ConverterParts } from "./converter.ts";
export { remoteVersions } from "./remote-versions.ts";
