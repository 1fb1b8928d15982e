/** A URL's parts that checks look at. */
export interface GoUrl {
  readonly scheme: string;
  /** `name:password`, when there is an @. */
  readonly user?: string;
  readonly host: string;
  readonly query: string;
  readonly fragment: string;
}

/** A URL as upstream's parser, which is more lenient than the platform's, takes it apart; or why it cannot. */
export function parseGoUrl(text: string): GoUrl | { readonly problem: string } {
  const [beforeFragment = "", fragment = ""] = cut(text, "#");
  const parsed = parse(beforeFragment);
  const problem = typeof parsed === "string" ? parsed : escapeProblem(fragment);
  if (typeof parsed === "string" || problem !== undefined) {
    return { problem: `parse ${JSON.stringify(text)}: ${problem ?? ""}` };
  }
  return { ...parsed, fragment };
}

// oxlint-disable-next-line no-control-regex
const controlCharacter = /[\u0000-\u001f\u007f]/;
const schemePattern = /^([A-Za-z][A-Za-z0-9+.-]*):/;

function parse(text: string): Omit<GoUrl, "fragment"> | string {
  if (controlCharacter.test(text)) return "net/url: invalid control character in URL";
  if (text.startsWith(":")) return "missing protocol scheme";
  const match = schemePattern.exec(text);
  const scheme = (match?.[1] ?? "").toLowerCase();
  const [rest = "", query = ""] = cut(text.slice(match?.[0].length ?? 0), "?");
  const none = { scheme, host: "", query };
  if (!rest.startsWith("/")) {
    if (scheme !== "") return none;
    const [segment = ""] = rest.split("/");
    return segment.includes(":") ? "first path segment in URL cannot contain colon" : none;
  }
  const hasAuthority = rest.startsWith("//") && (scheme !== "" || !rest.startsWith("///"));
  const end = hasAuthority ? rest.indexOf("/", 2) : 0;
  const authority = hasAuthority ? rest.slice(2, end < 0 ? undefined : end) : "";
  const path = end < 0 ? "" : rest.slice(end);
  const at = authority.lastIndexOf("@");
  const host = authority.slice(at + 1);
  const problem =
    hostProblem(host) ?? userProblem(authority.slice(0, Math.max(at, 0))) ?? escapeProblem(path);
  if (problem !== undefined) return problem;
  return at < 0 ? { ...none, host } : { ...none, host, user: authority.slice(0, at) };
}

function hostProblem(host: string): string | undefined {
  const literalEnd = host.lastIndexOf("]");
  if (host.startsWith("[") && literalEnd < 0) return "missing ']' in host";
  const portStart = host.startsWith("[") ? literalEnd + 1 : host.lastIndexOf(":");
  const port = portStart < 0 ? "" : host.slice(portStart);
  if (port !== "" && !/^:[0-9]*$/.test(port)) return `invalid port ${JSON.stringify(port)} after host`;
  const escape = /%(?!25)(.{0,2})/.exec(host);
  if (escape) return `invalid URL escape ${JSON.stringify(escape[0])}`;
  const character = /[\s"<>\\^`{|}]/.exec(host);
  return character ? `invalid character ${JSON.stringify(character[0])} in host name` : undefined;
}

function userProblem(user: string): string | undefined {
  return /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user) ? escapeProblem(user) : "net/url: invalid userinfo";
}

function escapeProblem(text: string): string | undefined {
  const match = /%(?![0-9A-Fa-f]{2}).{0,2}/.exec(text);
  return match ? `invalid URL escape ${JSON.stringify(match[0])}` : undefined;
}

function cut(text: string, separator: string): readonly string[] {
  const index = text.indexOf(separator);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}
