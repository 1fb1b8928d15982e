/** Warnings longer than this in all are cut. */
const longestTotal = 4 * 1024;
/** What is left of each when they are cut. */
const longestCut = 256;

type Headers = Record<string, string | readonly string[]>;

/** The warnings of one answer; each is told once. */
export class Warnings {
  private readonly headers: Headers;
  private readonly texts: string[] = [];
  private length = 0;
  private cuts = false;

  constructor(headers: Headers) {
    this.headers = headers;
  }

  add(message: string): void {
    if (message === "" || this.texts.includes(message)) return;
    if (this.cuts && this.length >= longestTotal) return;
    this.texts.push(message);
    if (!this.cuts && this.length + lengthOf(message) > longestTotal) {
      this.cuts = true;
      this.length = 0;
      delete this.headers["warning"];
      for (const text of this.texts) this.write(text);
    } else this.write(message);
  }

  private write(message: string): void {
    const text = this.cuts ? Array.from(message).slice(0, longestCut).join("") : message;
    this.length += lengthOf(text);
    const told = this.headers["warning"] ?? [];
    this.headers["warning"] = [...(typeof told === "string" ? [told] : told), warningHeader(text)];
  }
}

const lengthOf = (text: string): number => Array.from(text).length;

/** A warning as RFC 7234 has it. */
function warningHeader(message: string): string {
  const text = message
    .replaceAll(/\p{Cc}/gu, " ")
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"');
  return `299 - "${Buffer.from(text).toString("latin1")}"`;
}
