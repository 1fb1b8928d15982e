/** This machine's processor as images name it. */
export function imageArchitecture(): "amd64" | "arm64" {
  if (process.arch === "x64") return "amd64";
  if (process.arch === "arm64") return "arm64";
  throw new Error(`containers are not supported on ${process.arch} processors`);
}
