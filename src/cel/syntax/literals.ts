import type { TokenType } from "./lexer.ts";
import { UnescapeError, unescapeBytes, unescapeString } from "./unescape.ts";
import { Double, Uint, fitsInt, fitsUint, intOf, type Value } from "../values/value.ts";

/** The value that a token stands for, its sign included; throws `UnescapeError`. */
export function readLiteral(type: TokenType, text: string): Value {
  switch (type) {
    case "'true'":
      return true;
    case "'false'":
      return false;
    case "NUM_INT":
      return readInt(text);
    case "NUM_UINT": {
      const value = BigInt(text.slice(0, -1));
      if (!fitsUint(value)) throw new UnescapeError("invalid uint literal");
      return new Uint(value);
    }
    case "NUM_FLOAT": {
      const value = Number(text);
      if (!Number.isFinite(value)) throw new UnescapeError("invalid double literal");
      return new Double(value);
    }
    case "STRING":
      return unescapeString(text);
    case "BYTES":
      return unescapeBytes(text.slice(1));
    default:
      return null;
  }
}

function readInt(text: string): Value {
  const negative = text.startsWith("-");
  const magnitude = BigInt(negative ? text.slice(1) : text);
  const value = negative ? -magnitude : magnitude;
  if (!fitsInt(value)) throw new UnescapeError("invalid int literal");
  return intOf(value);
}
