/** A place in a source: lines count from one, columns (in code points) from zero. */
export interface Location {
  readonly line: number;
  readonly column: number;
}

/** What is said of the whole source: it has no place. */
export const noLocation: Location = { line: -1, column: -1 };

/** Something wrong with an expression, found before it runs. */
export interface Issue {
  readonly location: Location;
  readonly message: string;
}

/** The text of an expression, its lines and its length in code points. */
export class Source {
  readonly text: string;
  readonly lines: readonly string[];
  readonly #lineOffsets: readonly number[];
  #pairsBefore: Uint32Array | undefined;

  constructor(text: string) {
    this.text = text;
    this.lines = text.split("\n");
    let offset = 0;
    this.#lineOffsets = this.lines.map((line) => {
      const start = offset;
      offset += line.length + 1;
      return start;
    });
  }

  /** The place of an offset in UTF-16 units. */
  locationOf(offset: number): Location {
    let [line, next] = [0, this.#lineOffsets.length];
    while (next - line > 1) {
      const middle = (line + next) >> 1;
      if ((this.#lineOffsets[middle] ?? 0) <= offset) line = middle;
      else next = middle;
    }
    const start = this.#lineOffsets[line] ?? 0;
    this.#pairsBefore ??= countPairs(this.text);
    const pairs = (this.#pairsBefore[offset] ?? 0) - (this.#pairsBefore[start] ?? 0);
    return { line: line + 1, column: Math.min(offset, this.text.length) - start - pairs };
  }
}

/** How many pairs of surrogates end before each offset. */
function countPairs(text: string): Uint32Array {
  const counts = new Uint32Array(text.length + 1);
  for (let index = 0; index < text.length; index++) {
    const isSecond = index > 0 && codePointLength(text.slice(index - 1, index + 1)) === 1;
    counts[index + 1] = (counts[index] ?? 0) + (isSecond ? 1 : 0);
  }
  return counts;
}

/** Number of code points: CEL's `size` of a string. */
export function codePointLength(text: string): number {
  let surrogatePairs = 0;
  for (let index = 0; index < text.length - 1; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0xd800 || unit > 0xdbff) continue;
    const next = text.charCodeAt(index + 1);
    if (next >= 0xdc00 && next <= 0xdfff) {
      surrogatePairs++;
      index++;
    }
  }
  return text.length - surrogatePairs;
}

/** Issues beyond this are counted, not shown. */
const mostIssuesShown = 100;
/** Lines of more bytes are not shown. */
const longestLineShown = 16_384;

/** Issues in cel-go's form: sorted by place, each with its line and a mark below it. */
export function formatIssues(issues: readonly Issue[], source: Source): string {
  const first = issues
    .slice(0, mostIssuesShown)
    .sort(
      (one, other) => one.location.line - other.location.line || one.location.column - other.location.column,
    );
  const shown = first.map((issue) => formatIssue(issue, source));
  const more = issues.length - mostIssuesShown;
  return [...shown, ...(more > 0 ? [`${more} more errors were truncated`] : [])].join("\n");
}

function formatIssue({ location, message }: Issue, source: Source): string {
  const head = `ERROR: <input>:${location.line}:${location.column + 1}: ${message}`;
  const line = source.lines[location.line - 1];
  if (line === undefined || new TextEncoder().encode(line).length > longestLineShown) return head;
  const shown = line.replaceAll("\t", " ");
  const characters = Array.from(shown);
  // Characters of more than one byte are taken to be two columns wide.
  const isWide = (character: string | undefined) => (character?.codePointAt(0) ?? 0) >= 0x80;
  const dots = characters.slice(0, location.column).map((character) => (isWide(character) ? "．" : "."));
  const mark = isWide(characters[location.column]) ? "＾" : "^";
  return `${head}\n | ${shown}\n | ${dots.join("")}${mark}`;
}
