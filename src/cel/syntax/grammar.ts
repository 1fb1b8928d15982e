import type { TokenType } from "./lexer.ts";
import { tokenSet, type Follow } from "./token-stream.ts";

/** Words that cannot be names. */
export const reserved: ReadonlySet<string> = new Set(
  "as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);

/** Operators that compare. */
export const relations: ReadonlyMap<TokenType, string> = new Map([
  ["'<'", "_<_"],
  ["'<='", "_<=_"],
  ["'>='", "_>=_"],
  ["'>'", "_>_"],
  ["'=='", "_==_"],
  ["'!='", "_!=_"],
  ["'in'", "@in"],
]);
/** Operators of sums. */
export const sums: ReadonlyMap<TokenType, string> = new Map([
  ["'+'", "_+_"],
  ["'-'", "_-_"],
]);
/** Operators of products. */
export const products: ReadonlyMap<TokenType, string> = new Map([
  ["'*'", "_*_"],
  ["'/'", "_/_"],
  ["'%'", "_%_"],
]);

const primaryTokens: readonly TokenType[] = [
  "'['",
  "'{'",
  "'('",
  "'.'",
  "'true'",
  "'false'",
  "'null'",
  "NUM_FLOAT",
  "NUM_INT",
  "NUM_UINT",
  "STRING",
  "BYTES",
  "IDENTIFIER",
];
/** What an expression may begin with. */
export const startOfExpression = tokenSet(...primaryTokens, "'-'", "'!'");
/** What an element or a key may begin with. */
export const startOfOptional = tokenSet(...startOfExpression, "'?'");
/** What may come after `[`. */
export const startOfList = tokenSet(...startOfOptional, "']'", "','");
/** What may come after `{`. */
export const startOfMap = tokenSet(...startOfOptional, "'}'", "','");
/** What a field may be named by. */
export const startOfField = tokenSet("IDENTIFIER", "ESC_IDENTIFIER");
/** What may come after `Type{`. */
export const startOfFields = tokenSet(...startOfField, "'?'", "'}'", "','");
/** What may go on after a value. */
export const afterMember = tokenSet("'.'", "'['");
/** What may come after an operand. */
export const afterOperand: Follow = {
  tokens: tokenSet(...relations.keys(), ...sums.keys(), ...products.keys(), "'&&'", "'||'", "'?'"),
  open: true,
};
/** What may come after an expression between brackets. */
export const inside = (...tokens: readonly TokenType[]): Follow => ({
  tokens: tokenSet(...tokens),
  open: false,
});
/** What may come after the whole. */
export const afterStart = inside("<EOF>");
/** What may come after a value and its selections. */
export const afterMembers: Follow = { tokens: afterMember, open: true };
