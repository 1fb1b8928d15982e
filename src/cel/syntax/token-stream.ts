import { escapeControls, tokenTypes, type Token, type TokenType } from "./lexer.ts";

/** A set of tokens that would have been right. */
export type TokenSet = ReadonlySet<TokenType>;

export const tokenSet = (...types: readonly TokenType[]): TokenSet => new Set(types);

/** What may come after a rule where it is used; `open` says that the user's own end may come too. */
export interface Follow {
  readonly tokens: TokenSet;
  readonly open: boolean;
}

/** Unwinds to the rule that catches it: what follows cannot be read where it stands. */
export class Mismatch {
  readonly message: string;
  readonly offset: number;

  constructor(message: string, offset: number) {
    this.message = message;
    this.offset = offset;
  }
}

/** Unwinds the whole parser. */
export class GiveUp {
  readonly message: string | undefined;

  constructor(message?: string) {
    this.message = message;
  }
}

const mostRecoveries = 30;
const mostTokensSkipped = 256;

const shown = (token: Token) => `'${escapeControls(token.text)}'`;

function listed(types: TokenSet): string {
  const sorted = tokenTypes.filter((type) => types.has(type));
  return sorted.length === 1 ? (sorted[0] ?? "") : `{${sorted.join(", ")}}`;
}

/**
 * Reads tokens and recovers from wrong ones as the parsers do that ANTLR makes: a token too many is dropped, a missing
 * one is imagined, else the rule ends and tokens are skipped until one that may follow.
 */
export class TokenStream {
  readonly #tokens: readonly Token[];
  readonly #report: (offset: number, message: string) => void;
  readonly #follow: Follow[] = [];
  #position = 0;
  #recovering = false;
  #recoveries = 0;
  #lastErrorPosition = -1;

  constructor(tokens: readonly Token[], report: (offset: number, message: string) => void) {
    this.#tokens = tokens;
    this.#report = report;
  }

  peek(ahead = 0): Token {
    const last = this.#tokens.length - 1;
    return this.#tokens[Math.min(this.#position + ahead, last)] as Token;
  }

  at(type: TokenType, ahead = 0): boolean {
    return this.peek(ahead).type === type;
  }

  advance(): Token {
    const token = this.peek();
    if (token.type !== "<EOF>") this.#position++;
    this.#recovering = false;
    return token;
  }

  /** Takes the token if it is of the type. */
  take(type: TokenType): Token | undefined {
    return this.at(type) ? this.advance() : undefined;
  }

  /** Takes a token of the type, or reports. With `follow`, what may come after it here, a missing one is imagined. */
  expect(type: TokenType, follow?: TokenSet): Token {
    if (this.at(type)) return this.advance();
    const wanted = tokenSet(type);
    this.#countRecovery();
    if (this.#dropUnwanted(wanted)) return this.advance();
    if (!follow || !(follow.has(this.peek().type) || this.#isContinuation())) throw this.mismatch(wanted);
    this.#reportOnce(`missing ${type} at ${shown(this.peek())}`, this.peek().start);
    this.#recovering = true;
    return { type, text: `<missing ${type}>`, start: this.peek().start };
  }

  /** Makes sure that one of several tokens comes, dropping one too many. */
  sync(types: TokenSet): void {
    if (types.has(this.peek().type)) return;
    if (!this.#dropUnwanted(types)) throw this.mismatch(types);
  }

  mismatch(types: TokenSet): Mismatch {
    const token = this.peek();
    return new Mismatch(`mismatched input ${shown(token)} expecting ${listed(types)}`, token.start);
  }

  noAlternative(from: number, to: number): Mismatch {
    const texts: string[] = [];
    for (let ahead = from; ahead <= to; ahead++)
      if (!this.at("<EOF>", ahead)) texts.push(this.peek(ahead).text);
    return new Mismatch(
      `no viable alternative at input '${escapeControls(texts.join(""))}'`,
      this.peek(to).start,
    );
  }

  /** Runs a rule; if it fails, reports, skips what cannot follow, and answers the substitute. */
  rule<Result>(follow: Follow, read: () => Result, substitute: () => Result): Result {
    this.#follow.push(follow);
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
      this.#reportOnce(error.message, error.offset);
      this.#recover();
      return substitute();
    } finally {
      this.#follow.pop();
    }
  }

  #recover(): void {
    this.#countRecovery();
    if (this.#lastErrorPosition === this.#position && !this.at("<EOF>")) this.#position++;
    this.#lastErrorPosition = this.#position;
    let skipped = 0;
    while (!this.at("<EOF>") && !this.#follow.some(({ tokens }) => tokens.has(this.peek().type))) {
      if (skipped++ >= mostTokensSkipped) {
        throw new GiveUp(`error recovery token lookahead limit exceeded: ${mostTokensSkipped}`);
      }
      this.#position++;
    }
  }

  /** Whether the token may come after the rules that are being read. */
  #isContinuation(): boolean {
    const { type } = this.peek();
    for (let index = this.#follow.length - 1; index >= 0; index--) {
      const { tokens, open } = this.#follow[index] as Follow;
      if (tokens.has(type)) return true;
      if (!open) return false;
    }
    return false;
  }

  #dropUnwanted(wanted: TokenSet): boolean {
    if (!wanted.has(this.peek(1).type) || this.at("<EOF>")) return false;
    const token = this.peek();
    this.#reportOnce(`extraneous input ${shown(token)} expecting ${listed(wanted)}`, token.start);
    this.#position++;
    this.#recovering = false;
    return true;
  }

  #reportOnce(message: string, offset: number): void {
    if (!this.#recovering) this.#report(offset, `Syntax error: ${message}`);
    this.#recovering = true;
  }

  #countRecovery(): void {
    if (this.#recoveries++ < mostRecoveries) return;
    this.#report(this.peek().start, `Syntax error: error recovery attempt limit exceeded: ${mostRecoveries}`);
    throw new GiveUp();
  }
}
