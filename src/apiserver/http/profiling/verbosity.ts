import type { PathHandler } from "../endpoints.ts";

const root = "/debug/flags";

/** Lets those who may set how much is logged, while the server runs. */
export function verbosityPath(setVerbosity: (verbosity: number) => void): PathHandler {
  return async ({ exchange, headers }) => {
    const answer = (status: number, text: string) => {
      exchange.respond(
        status,
        { ...headers, "content-type": "text/plain", "x-content-type-options": "nosniff" },
        Buffer.from(text),
      );
      return true;
    };
    if (exchange.path !== root && !exchange.path.startsWith(`${root}/`)) return false;
    if (exchange.path !== `${root}/v`) {
      exchange.respond(
        200,
        { ...headers, "content-type": "text/html; charset=utf-8" },
        Buffer.from(indexPage),
      );
      return true;
    }
    if (exchange.method !== "PUT") return answer(406, "unsupported http method");
    const text = Buffer.from(await exchange.body()).toString();
    if (!/^[+-]?\d+$/.test(text)) {
      const why = `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`;
      return answer(400, `failed set klog.logging.verbosity ${text}: ${why}`);
    }
    setVerbosity(Number(text));
    return answer(200, `successfully set klog.logging.verbosity to ${text}`);
  };
}

const indexPage = `<html>
<head>
<title>${root}/</title>
</head>
<body>
${root}/<br>
<br>
flags:<br>
<table>

<tr>v<br>

</table>
<br>
full flags configurable<br>
</body>
</html>
`;
