import { FieldPath, fieldErrorMessage, fieldErrors } from "../field-error.ts";
import { isQualifiedName } from "../names/index.ts";
import { checkedRequirement, SelectorError, type Operator, type Requirement } from "./requirement.ts";

type TokenType =
  | "end"
  | "error"
  | "identifier"
  | ")"
  | "("
  | ","
  | "!"
  | "="
  | "=="
  | "!="
  | ">"
  | "<"
  | "in"
  | "notin";

interface Token {
  readonly type: TokenType;
  readonly text: string;
}

const symbols: ReadonlySet<string> = new Set([")", "(", ",", "!", "=", "==", "!=", ">", "<"]);
const special = /[=!(),<>]/;
const whitespace = /[ \t\r\n]/;
const binaryOperators = "in, notin, =, ==, !=, gt, lt";
const endToken: Token = { type: "end", text: "" };

function scan(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let position = 0;
  while (position < text.length) {
    const character = text.charAt(position);
    if (whitespace.test(character)) {
      position++;
      continue;
    }
    if (character === "\0") break;
    const start = position;
    if (special.test(character)) {
      while (position < text.length && symbols.has(text.slice(start, position + 1))) position++;
      tokens.push({ type: text.slice(start, position) as TokenType, text: text.slice(start, position) });
      continue;
    }
    while (
      position < text.length &&
      !special.test(text.charAt(position)) &&
      !whitespace.test(text.charAt(position))
    ) {
      position++;
    }
    const word = text.slice(start, position);
    tokens.push({ type: word === "in" || word === "notin" ? word : "identifier", text: word });
  }
  return [...tokens, endToken];
}

/** Reads the conditions of `a=b,c!=d,e in (x,y),!f,g,h>1`, sorted by key. */
export function parseRequirements(text: string): readonly Requirement[] {
  const requirements = new Parser(scan(text)).parse();
  return requirements.sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0));
}

class Parser {
  private readonly tokens: readonly Token[];
  private position = 0;

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    for (;;) {
      const token = this.value(this.peek());
      if (token.type === "end") return requirements;
      if (token.type !== "identifier" && token.type !== "!") {
        throw new SelectorError(`found '${token.text}', expected: !, identifier, or 'end of string'`);
      }
      requirements.push(this.requirement());
      const after = this.value(this.next());
      if (after.type === "end") return requirements;
      if (after.type !== ",") {
        throw new SelectorError(`found '${after.text}', expected: ',' or 'end of string'`);
      }
      const following = this.value(this.peek());
      if (following.type !== "identifier" && following.type !== "!") {
        throw new SelectorError(`found '${following.text}', expected: identifier after ','`);
      }
    }
  }

  private peek(): Token {
    return this.tokens[this.position] ?? endToken;
  }

  private next(): Token {
    return this.tokens[this.position++] ?? endToken;
  }

  /** Where a key or value is expected, `in` and `notin` are plain words. */
  private value(token: Token): Token {
    return token.type === "in" || token.type === "notin" ? { type: "identifier", text: token.text } : token;
  }

  private requirement(): Requirement {
    try {
      return this.parseRequirement();
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      throw new SelectorError(`unable to parse requirement: ${error.message}`);
    }
  }

  private parseRequirement(): Requirement {
    let token = this.value(this.next());
    const negated = token.type === "!";
    if (negated) token = this.value(this.next());
    if (token.type !== "identifier") throw new SelectorError(`found '${token.text}', expected: identifier`);
    const key = token.text;
    const problems = isQualifiedName(key);
    if (problems.length > 0) {
      const error = fieldErrors.invalid(FieldPath.empty, key, problems.join("; "));
      throw new SelectorError(`<nil>: ${fieldErrorMessage(error)}`);
    }
    const following = this.peek().type;
    if (negated || following === "end" || following === ",") {
      return checkedRequirement({ key, operator: negated ? "!" : "exists", values: [] });
    }
    const operator = this.operator();
    const values = operator === "in" || operator === "notin" ? this.values() : [this.exactValue()];
    return checkedRequirement({ key, operator, values: [...new Set(values)].sort() });
  }

  private operator(): Operator {
    const token = this.next();
    switch (token.type) {
      case "in":
      case "notin":
      case "=":
      case "==":
      case "!=":
        return token.type;
      case ">":
        return "gt";
      case "<":
        return "lt";
      default:
        throw new SelectorError(`found '${token.text}', expected: ${binaryOperators}`);
    }
  }

  private exactValue(): string {
    const next = this.peek().type;
    if (next === "end" || next === ",") return "";
    const token = this.value(this.next());
    if (token.type === "identifier") return token.text;
    throw new SelectorError(`found '${token.text}', expected: identifier`);
  }

  private values(): readonly string[] {
    const open = this.next();
    if (open.type !== "(") throw new SelectorError(`found '${open.text}' expected: '('`);
    const first = this.value(this.peek());
    if (first.type === ")") {
      this.next();
      return [""];
    }
    if (first.type !== "identifier" && first.type !== ",") {
      throw new SelectorError(`found '${first.text}', expected: ',', ')' or identifier`);
    }
    const values = this.identifiers();
    this.next();
    return values;
  }

  /** Comma-separated values, each of which may be empty, up to the closing parenthesis. */
  private identifiers(): readonly string[] {
    const values: string[] = [];
    for (;;) {
      const token = this.value(this.next());
      const following = this.value(this.peek());
      if (token.type === "identifier") {
        values.push(token.text);
        if (following.type === ")") return values;
        if (following.type !== ",") {
          throw new SelectorError(`found '${following.text}', expected: ',' or ')'`);
        }
      } else if (token.type === ",") {
        if (values.length === 0 || following.type === "," || following.type === ")") values.push("");
        if (following.type === ")") return values;
      } else {
        throw new SelectorError(`found '${token.text}', expected: ',', or identifier`);
      }
    }
  }
}
