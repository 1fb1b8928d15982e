import { Transform } from "node:stream";

/** How links of a proxied server are seen from outside. */
export interface LinkBase {
  /** Scheme, host and port of the proxied server. */
  readonly origin: string;
  /** Path under which the server's root is seen, without a slash at its end. */
  readonly prefix: string;
}

/** A link within the proxied server's own host, led through the proxy; relative ones and those elsewhere stay. */
export function proxiedLink(link: string, { origin, prefix }: LinkBase): string {
  const own = link.startsWith(`${origin}/`) ? link.slice(origin.length) : link;
  if (!own.startsWith("/") || own.startsWith("//") || own.startsWith(prefix)) return link;
  return `${prefix}${own}`;
}

/** Attributes of HTML that hold a link, by element. */
const linkAttributes: Readonly<Record<string, readonly string[]>> = {
  a: ["href"],
  applet: ["codebase"],
  area: ["href"],
  audio: ["src"],
  base: ["href"],
  blockquote: ["cite"],
  body: ["background"],
  button: ["formaction"],
  command: ["icon"],
  del: ["cite"],
  embed: ["src"],
  form: ["action"],
  frame: ["longdesc", "src"],
  head: ["profile"],
  html: ["manifest"],
  iframe: ["longdesc", "src"],
  img: ["longdesc", "src", "usemap"],
  input: ["formaction", "src", "usemap"],
  ins: ["cite"],
  link: ["href"],
  object: ["classid", "codebase", "data", "usemap"],
  q: ["cite"],
  script: ["src"],
  source: ["src"],
  video: ["poster", "src"],
};

/** A comment, or an opening tag with its attributes, quoted values whole; the end is missing where the text ends first. */
const markup = /<!--[\s\S]*?(-->|$)|<([a-z][a-z0-9]*)((?:[^>"']|"[^"]*(?:"|$)|'[^']*(?:'|$))*)(>|$)/gi;
/** Names begin where no name goes on: others would be looked for at each of their letters. */
const attribute = /(?<![^\s"'<>/=])([^\s"'<>/=]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'=<>`]+)/g;
/** Elements whose content is text, whatever it looks like. */
const rawElements = /^(script|style|textarea|title)$/i;
/** Markup that does not end within so many bytes is passed on as it is. */
const longestMarkup = 65_536;

/** Rewrites the links of an HTML page that passes through; all other bytes stay as they are. */
export function rewriteLinks(base: LinkBase): Transform {
  let rest = "";
  let raw: string | undefined;
  const step = (last: boolean): Buffer => {
    const { done, left, inside } = rewriteMarkup(rest, { base, raw, last });
    rest = left;
    raw = inside;
    return Buffer.from(done, "latin1");
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, next) {
      // One character a byte: whatever the page's encoding, markup is ASCII in it.
      rest += chunk.toString("latin1");
      next(null, step(false));
    },
    flush(next) {
      next(null, step(true));
    },
  });
}

interface Progress {
  readonly done: string;
  /** The start of markup whose end has not come. */
  readonly left: string;
  /** The element whose raw content goes on. */
  readonly inside: string | undefined;
}

function rewriteMarkup(
  text: string,
  { base, raw, last }: { base: LinkBase; raw: string | undefined; last: boolean },
): Progress {
  let done = "";
  let at = 0;
  let inside = raw;
  for (;;) {
    if (inside !== undefined) {
      const end = indexFrom(new RegExp(`</${inside}[\\s>/]`, "gi"), { text, at });
      // What may be the start of the element's end is kept back.
      if (end === undefined)
        return unfinished(text, { done, at, start: text.lastIndexOf("<"), inside, last });
      done += text.slice(at, end);
      at = end;
      inside = undefined;
    }
    markup.lastIndex = at;
    const match = markup.exec(text);
    if (!match) return unfinished(text, { done, at, start: text.search(/<!?-?$/), inside, last });
    const [whole, commentEnd = "", element = "", attributes = "", tagEnd = ""] = match;
    const start = match.index;
    if (commentEnd + tagEnd === "") return unfinished(text, { done, at, start, inside, last });
    done += text.slice(at, start);
    done += element === "" ? whole : `<${element}${rewriteAttributes(attributes, { element, base })}>`;
    at = start + whole.length;
    if (rawElements.test(element)) inside = element;
  }
}

function indexFrom(pattern: RegExp, { text, at }: { text: string; at: number }): number | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.index;
}

/** Keeps back what may be the `start` of markup. */
function unfinished(
  text: string,
  position: { done: string; at: number; start: number; inside: string | undefined; last: boolean },
): Progress {
  const { done, at, start, inside, last } = position;
  if (last || start < at || text.length - start > longestMarkup)
    return { done: done + text.slice(at), left: "", inside };
  return { done: done + text.slice(at, start), left: text.slice(start), inside };
}

function rewriteAttributes(text: string, { element, base }: { element: string; base: LinkBase }): string {
  const names = linkAttributes[element.toLowerCase()];
  if (!names) return text;
  return text.replaceAll(attribute, (whole, name: string, equals: string, value: string) => {
    if (!names.includes(name.toLowerCase())) return whole;
    const quote = /^["']/.exec(value)?.[0] ?? "";
    const link = quote === "" ? value : value.slice(1, -1);
    return `${name}${equals}${quote}${proxiedLink(link, base)}${quote}`;
  });
}
