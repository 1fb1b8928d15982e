/** One choice of an Accept header. */
export interface MediaRange {
  /** `application/json`, `application/*`, `*` + `/*`. */
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const maximumRanges = 32;

/** The choices of an Accept header, best first; nothing said means anything goes. */
export function parseAccept(header: string | undefined): readonly MediaRange[] {
  if (header === undefined || header.trim() === "") return [{ type: "*/*", parameters: new Map() }];
  return header
    .split(",", maximumRanges)
    .map(parseRange)
    .filter((range) => range.quality > 0)
    .sort((a, b) => b.quality - a.quality);
}

function parseRange(text: string): MediaRange & { readonly quality: number } {
  const [type = "", ...rest] = text.split(";").map((part) => part.trim());
  const parameters = new Map(
    rest.map((part): [string, string] => {
      const cut = part.indexOf("=");
      return cut < 0 ? [part, ""] : [part.slice(0, cut).trim(), part.slice(cut + 1).trim()];
    }),
  );
  const quality = Number(parameters.get("q") ?? "1");
  return { type: type.toLowerCase(), parameters, quality: Number.isNaN(quality) ? 1 : quality };
}

/** Whether a range such as `application/*` takes a media type. */
export function accepts(range: MediaRange, mediaType: string): boolean {
  if (range.type === mediaType || range.type === "*/*") return true;
  return range.type.endsWith("/*") && mediaType.startsWith(range.type.slice(0, -1));
}
