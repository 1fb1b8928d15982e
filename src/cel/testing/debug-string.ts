import { goQuote } from "../../apimachinery/index.ts";
import type { Expression, Literal } from "../syntax/ast.ts";
import { shownKey } from "../values/maps.ts";
import { Double, Uint } from "../values/value.ts";

const kindNames = {
  identifier: "Expr_IdentExpr",
  select: "Expr_SelectExpr",
  call: "Expr_CallExpr",
  list: "Expr_ListExpr",
  map: "Expr_StructExpr",
  struct: "Expr_StructExpr",
  comprehension: "Expr_ComprehensionExpr",
} as const;

function literalKind({ value }: Literal): string {
  if (value === null) return "Null";
  if (value instanceof Double) return "Double";
  if (value instanceof Uint) return "Uint64";
  if (value instanceof Uint8Array) return "Bytes";
  if (typeof value === "string") return "String";
  return typeof value === "boolean" ? "Bool" : "Int64";
}

/** What cel-go's debug output says of the kind of a node. */
export function kindOf(expression: Expression): string {
  if (expression.kind === "literal") return `^#*expr.Constant_${literalKind(expression)}Value#`;
  return `^#*expr.${kindNames[expression.kind]}#`;
}

function shownLiteral({ value }: Literal): string {
  if (value instanceof Double) {
    const { value: number } = value;
    if (Math.abs(number) < 1e6) return Object.is(number, -0) ? "-0" : String(number);
    return number.toExponential().replace(/e\+(\d)$/, "e+0$1");
  }
  if (value instanceof Uint) return `${value.value}u`;
  if (value instanceof Uint8Array) return `b${quoteBytes(value)}`;
  return typeof value === "string" ? goQuote(value) : shownKey(value);
}

/** Bytes as Go quotes them: what is no text is escaped byte by byte. */
function quoteBytes(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  if (!text.includes("\ufffd")) return goQuote(text);
  const shown = [...bytes].map((byte) =>
    byte < 0x80 ? goQuote(String.fromCharCode(byte)).slice(1, -1) : `\\x${byte.toString(16)}`,
  );
  return `"${shown.join("")}"`;
}

/** A tree as cel-go's debug output shows it, without line breaks; `adorn` tells more of each node. */
export function debugString(expression: Expression, adorn: (node: Expression) => string): string {
  const show = (node: Expression): string => `${body(node)}${adorn(node)}`;
  const entry = adorn(expression).startsWith("^#") ? "^#*expr.Expr_CreateStruct_Entry#" : "";
  const body = (node: Expression): string => {
    switch (node.kind) {
      case "literal":
        return shownLiteral(node);
      case "identifier":
        return node.name;
      case "select":
        return `${show(node.operand)}.${node.field}${node.testOnly ? "~test-only~" : ""}`;
      case "call":
        return `${node.target ? `${show(node.target)}.` : ""}${node.name}(${node.args.map(show).join(",")})`;
      case "list":
        return `[${node.elements.map(show).join(",")}]`;
      case "map": {
        const entries = node.entries.map(
          ({ key, value, optional }) => `${optional ? "?" : ""}${show(key)}:${show(value)}${entry}`,
        );
        return `{${entries.join(",")}}`;
      }
      case "struct": {
        const fields = node.fields.map(
          ({ name, value, optional }) => `${optional ? "?" : ""}${name}:${show(value)}${entry}`,
        );
        return `${node.typeName}{${fields.join(",")}}`;
      }
      case "comprehension":
        return [
          `__comprehension__(// Variable${node.variable}`,
          `// Target${show(node.range)}`,
          `// Accumulator${node.accumulator}`,
          `// Init${show(node.initial)}`,
          `// LoopCondition${show(node.condition)}`,
          `// LoopStep${show(node.step)}`,
          `// Result${show(node.result)})`,
        ].join(",");
    }
  };
  return show(expression);
}

/** cel-go's output without what only lays it out. */
export const compact = (text: string): string => text.replaceAll(/\s*\n\s*/g, "");
