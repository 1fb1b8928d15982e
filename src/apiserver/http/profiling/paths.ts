import { getHeapStatistics } from "node:v8";
import { gzipSync } from "node:zlib";
import type { Clock, Milliseconds } from "../../../base/index.ts";
import type { PathHandler } from "../endpoints.ts";
import type { Incoming } from "../filters/filter.ts";
import { sendText } from "../respond.ts";
import { encodeProfile } from "./pprof.ts";
import { ProcessProfiler } from "./profiler.ts";
import type { Profiled } from "./profiler.ts";

const root = "/debug/pprof/";
const defaultSeconds = 30;
/** No profile goes on for longer. */
const longestSeconds = 600;
const millisecondsPerSecond: Milliseconds = 1_000;

/** Serves profiles of the process for `go tool pprof`; with `format=v8` for the tools of browsers. */
export function profilingPaths(clock: Clock): { readonly serve: PathHandler; readonly close: () => void } {
  const profiler = new ProcessProfiler(clock);
  const serve: PathHandler = async (request) => {
    const { exchange, headers } = request;
    if (exchange.path === "/debug/pprof") {
      const all = { ...headers, location: root, "content-type": "text/html; charset=utf-8" };
      exchange.respond(302, all, Buffer.from(`<a href="${root}">Found</a>.\n\n`));
      return true;
    }
    if (!exchange.path.startsWith(root)) return false;
    // From now on it is known what is allocated.
    await profiler.start();
    await servePage(request, { page: exchange.path.slice(root.length), profiler });
    return true;
  };
  return { serve, close: () => profiler.close() };
}

async function servePage(
  request: Incoming,
  { page, profiler }: { readonly page: string; readonly profiler: ProcessProfiler },
): Promise<void> {
  const { exchange, headers } = request;
  switch (page) {
    case "":
      exchange.respond(
        200,
        { ...headers, "content-type": "text/html; charset=utf-8" },
        Buffer.from(indexPage),
      );
      return;
    case "profile": {
      const found = await profiler.cpu(secondsOf(exchange.query) * millisecondsPerSecond, exchange.signal);
      if (found) return send(request, { name: "profile", found });
      const text = "Could not enable CPU profiling: cpu profiling already in use\n";
      return sendText(exchange, { status: 500, text, headers });
    }
    case "heap":
      if ((exchange.query.get("debug") ?? "0") === "0") {
        return send(request, { name: "heap", found: await profiler.heap() });
      }
      return sendText(exchange, { status: 200, text: heapText(), headers });
    default:
      return sendText(exchange, { status: 404, text: "Unknown profile\n", headers });
  }
}

function secondsOf(query: URLSearchParams): number {
  const seconds = Number(query.get("seconds") ?? defaultSeconds);
  return seconds > 0 ? Math.min(seconds, longestSeconds) : defaultSeconds;
}

function send(
  { exchange, headers }: Incoming,
  { name, found }: { readonly name: "profile" | "heap"; readonly found: Profiled },
): void {
  const isRaw = exchange.query.get("format") === "v8";
  const file = isRaw ? `${name === "heap" ? "kube-apiserver.heap" : "kube-apiserver.cpu"}profile` : name;
  const all = {
    ...headers,
    "content-type": isRaw ? "application/json" : "application/octet-stream",
    "content-disposition": `attachment; filename="${file}"`,
    "x-content-type-options": "nosniff",
  };
  const body = isRaw ? Buffer.from(JSON.stringify(found.raw)) : gzipSync(encodeProfile(found.profile));
  exchange.respond(200, all, body);
}

/** The process's memory, a number a line. */
function heapText(): string {
  const lines = { ...process.memoryUsage(), ...getHeapStatistics() };
  return `${Object.entries(lines)
    .map(([name, bytes]) => `${name} ${bytes}`)
    .join("\n")}\n`;
}

const indexPage = `<html>
<head>
<title>${root}</title>
</head>
<body>
${root}<br>
<br>
Types of profiles available:
<table>
<tr><td><a href='heap'>heap</a></td><td>what is there of what has been allocated since this page was first asked for; debug=1: the size of all</td></tr>
<tr><td><a href='profile'>profile</a></td><td>where time goes, for seconds=${defaultSeconds}</td></tr>
</table>
<p>For go tool pprof; with format=v8 for the tools of browsers.</p>
</body>
</html>
`;
