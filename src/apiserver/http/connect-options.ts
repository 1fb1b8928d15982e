import { flagOf } from "./query.ts";

const flags = ["stdin", "stdout", "stderr", "tty"];
const texts = ["container", "path"];

/** The options of a connection as an object of their kind, which admission is shown. */
export function connectOptions(
  kind: string,
  query: URLSearchParams,
  { rest = "" }: { readonly rest?: string } = {},
): Readonly<Record<string, unknown>> {
  const options: Record<string, unknown> = { kind, apiVersion: "v1" };
  for (const name of flags) if (flagOf(query, name)) options[name] = true;
  for (const name of texts) if (query.get(name)) options[name] = query.get(name);
  // A proxy is told of what is behind it in the path of the request.
  if (rest !== "" && kind.endsWith("ProxyOptions")) options["path"] = rest.replace(/^\/*/, "/");
  const command = query.getAll("command");
  if (command.length > 0) options["command"] = command;
  const ports = query
    .getAll("ports")
    .flatMap((list) => list.split(","))
    .map(Number);
  if (ports.length > 0) options["ports"] = ports;
  return options;
}
