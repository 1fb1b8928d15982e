import {
  operators,
  qualifiedNameOf,
  type Expression,
  type MapEntry,
  type NodeId,
  type StructField,
} from "./ast.ts";
import { MacroBuilder, NodeBuilder, type Positions } from "./builder.ts";
import { codePointLength, noLocation, type Issue, type Source } from "./issues.ts";
import { tokenize, type Token, type TokenType } from "./lexer.ts";
import {
  reserved,
  relations,
  sums,
  products,
  startOfExpression,
  startOfOptional,
  startOfList,
  startOfMap,
  startOfField,
  startOfFields,
  afterMember,
  afterOperand,
  inside,
  afterStart,
  afterMembers,
} from "./grammar.ts";
import { isProblem, type Macro } from "./macros.ts";
import { readLiteral } from "./literals.ts";
import { GiveUp, TokenStream, tokenSet, type Follow } from "./token-stream.ts";
import { UnescapeError } from "./unescape.ts";

/** How an expression is read. */
export interface ParserOptions {
  readonly macros: readonly Macro[];
  /** Whether `a.?b`, `a[?b]` and `{?a: b}` are allowed. */
  readonly optionalSyntax: boolean;
  /** How deep expressions may nest; cel-go's default unless given. */
  readonly maxDepth?: number;
}

/** What the parser makes of a source. The tree is complete only without issues. */
export interface Parsed {
  readonly expression: Expression;
  readonly positions: Positions;
  readonly issues: readonly Issue[];
}

const defaultMaxDepth = 250;
const mostCodePoints = 100_000;

/** Reads a source; problems are told in cel-go's words. */
export function parse(source: Source, options: ParserOptions): Parsed {
  const issues: Issue[] = [];
  const size = codePointLength(source.text);
  const parser = new Parser(source, options, issues);
  if (size > mostCodePoints) {
    const message = `expression code point size exceeds limit: size: ${size}, limit ${mostCodePoints}`;
    return {
      expression: parser.nothing(0),
      positions: new Map(),
      issues: [{ location: noLocation, message }],
    };
  }
  return { expression: parser.start(), positions: parser.nodes.positions, issues };
}

class Parser {
  readonly nodes = new NodeBuilder();
  readonly #source: Source;
  readonly #options: ParserOptions;
  readonly #issues: Issue[];
  readonly #maxDepth: number;
  readonly #chains = new Map<NodeId, number>();
  #tokens = new TokenStream([], () => {});
  #depth = 0;

  constructor(source: Source, options: ParserOptions, issues: Issue[]) {
    this.#source = source;
    this.#options = options;
    this.#issues = issues;
    this.#maxDepth = options.maxDepth ?? defaultMaxDepth;
  }

  start(): Expression {
    const report = (offset: number, message: string) => this.#report(offset, message);
    this.#tokens = new TokenStream(tokenize(this.#source.text, report), report);
    try {
      let result = this.nothing(0);
      this.#tokens.rule(
        afterStart,
        () => {
          result = this.#expression(afterStart);
          this.#tokens.expect("<EOF>");
        },
        () => {},
      );
      return result;
    } catch (error) {
      if (!(error instanceof GiveUp)) throw error;
      if (error.message !== undefined) this.#issues.push({ location: noLocation, message: error.message });
      return this.nothing(0);
    }
  }

  /** Stands where an expression cannot be read. */
  nothing(offset: number): Expression {
    return { kind: "literal", id: this.nodes.id(offset), value: null };
  }

  #report(offset: number, message: string): void {
    this.#issues.push({ location: this.#source.locationOf(offset), message });
  }

  #expression(follow: Follow): Expression {
    if (++this.#depth > this.#maxDepth) {
      throw new GiveUp(`expression recursion limit exceeded: ${this.#maxDepth}`);
    }
    const result = this.#tokens.rule(
      follow,
      () => {
        const condition = this.#logical("'||'", operators.or, () =>
          this.#logical("'&&'", operators.and, () => this.#relation()),
        );
        const question = this.#tokens.take("'?'");
        if (!question) return condition;
        const id = this.nodes.id(question.start);
        const accepted = this.#logical("'||'", operators.or, () =>
          this.#logical("'&&'", operators.and, () => this.#relation()),
        );
        this.#tokens.expect("':'");
        const refused = this.#expression({ tokens: tokenSet(), open: true });
        return this.#chain({
          kind: "call",
          id,
          name: operators.conditional,
          args: [condition, accepted, refused],
        });
      },
      () => this.nothing(this.#tokens.peek().start),
    );
    this.#depth--;
    return result;
  }

  /** A chain of one logical operator, as a balanced tree. */
  #logical(type: TokenType, name: string, operand: () => Expression): Expression {
    const terms = [operand()];
    const ids: NodeId[] = [];
    for (let token = this.#tokens.take(type); token; token = this.#tokens.take(type)) {
      const term = operand();
      ids.push(this.nodes.id(token.start));
      terms.push(term);
    }
    const balance = (low: number, high: number): Expression => {
      const middle = (low + high + 1) >> 1;
      const left = middle === low ? terms[middle] : balance(low, middle - 1);
      const right = middle === high ? terms[middle + 1] : balance(middle + 1, high);
      return {
        kind: "call",
        id: ids[middle] as NodeId,
        name,
        args: [left as Expression, right as Expression],
      };
    };
    return ids.length === 0 ? (terms[0] as Expression) : balance(0, ids.length - 1);
  }

  #relation(): Expression {
    return this.#binary(relations, () =>
      this.#binary(sums, () => this.#binary(products, () => this.#unary())),
    );
  }

  #binary(names: ReadonlyMap<TokenType, string>, operand: () => Expression): Expression {
    let left = operand();
    for (;;) {
      const name = names.get(this.#tokens.peek().type);
      if (name === undefined) return left;
      const id = this.nodes.id(this.#tokens.advance().start);
      left = this.#chain({ kind: "call", id, name, args: [left, operand()] });
    }
  }

  #unary(): Expression {
    return this.#tokens.rule(
      afterOperand,
      () => {
        this.#tokens.sync(startOfExpression);
        const sign = this.#tokens.peek().type;
        if (sign === "'!'") return this.#repeated("'!'", operators.not);
        if (sign === "'-'" && !this.#isNumber(1)) return this.#repeated("'-'", operators.negate);
        return this.#member();
      },
      () => this.nothing(this.#tokens.peek().start),
    );
  }

  #isNumber(ahead: number): boolean {
    return this.#tokens.at("NUM_INT", ahead) || this.#tokens.at("NUM_FLOAT", ahead);
  }

  /** Signs that come twice cancel each other out. */
  #repeated(type: TokenType, name: string): Expression {
    const first = this.#tokens.peek();
    let count = 0;
    while (this.#tokens.at(type)) {
      const next = this.#tokens.peek(1).type;
      if (type === "'-'" && count > 0 && !startOfExpression.has(next)) throw this.#tokens.noAlternative(0, 1);
      this.#tokens.advance();
      count++;
    }
    const id = this.nodes.id(first.start);
    const operand = this.#member();
    return count % 2 === 0 ? operand : { kind: "call", id, name, args: [operand] };
  }

  #member(): Expression {
    return this.#tokens.rule(
      afterMembers,
      () => {
        let target = this.#primary();
        for (;;) {
          if (this.#tokens.at("'.'")) target = this.#select(target);
          else if (this.#tokens.at("'['")) target = this.#index(target);
          else return target;
        }
      },
      () => this.nothing(this.#tokens.peek().start),
    );
  }

  #select(target: Expression): Expression {
    const optional = this.#tokens.at("'?'", 1);
    const isField = startOfField.has(this.#tokens.peek(optional ? 2 : 1).type);
    if (!isField && !optional) {
      if (target.kind === "identifier" || qualifiedNameOf(target) !== undefined) {
        this.#tokens.advance();
        throw this.#tokens.mismatch(tokenSet("IDENTIFIER"));
      }
      throw this.#tokens.noAlternative(0, 1);
    }
    const dot = this.#tokens.advance();
    if (optional) this.#tokens.advance();
    if (!isField) throw this.#tokens.mismatch(startOfField);
    const { name, escaped } = this.#fieldName(this.#tokens.advance());
    if (optional) return this.#optionalSelect(dot, target, name);
    const open = escaped ? undefined : this.#tokens.take("'('");
    if (open) return this.#chain(this.#call(name, open, target));
    return this.#chain({
      kind: "select",
      id: this.nodes.id(dot.start),
      operand: target,
      field: name,
      testOnly: false,
    });
  }

  #optionalSelect(dot: Token, target: Expression, name: string): Expression {
    this.#requireOptionals(dot, "'.?'");
    const field: Expression = { kind: "literal", id: this.nodes.id(dot.start), value: name };
    const id = this.nodes.id(dot.start);
    return this.#chain({ kind: "call", id, name: operators.optionalSelect, args: [target, field] });
  }

  #fieldName(token: Token): { name: string; escaped: boolean } {
    if (token.type !== "ESC_IDENTIFIER") return { name: token.text, escaped: false };
    this.#report(token.start, "unsupported syntax: '`'");
    return { name: token.text.slice(1, -1), escaped: true };
  }

  #requireOptionals(token: Token, syntax: string): void {
    if (!this.#options.optionalSyntax) this.#report(token.start, `unsupported syntax ${syntax}`);
  }

  #index(target: Expression): Expression {
    const open = this.#tokens.advance();
    const optional = this.#tokens.take("'?'");
    if (optional) this.#requireOptionals(open, "'[?'");
    const id = this.nodes.id(open.start);
    const index = this.#expression(inside("']'"));
    this.#tokens.expect("']'", afterMember);
    const name = optional ? operators.optionalIndex : operators.index;
    return this.#chain({ kind: "call", id, name, args: [target, index] });
  }

  #primary(): Expression {
    return this.#tokens.rule(
      afterMembers,
      () => {
        const token = this.#tokens.peek();
        switch (token.type) {
          case "'('": {
            this.#tokens.advance();
            const nested = this.#expression(inside("')'"));
            this.#tokens.expect("')'", afterMember);
            return nested;
          }
          case "'['":
            return this.#list();
          case "'{'":
            return this.#map();
          case "'.'":
          case "IDENTIFIER":
            return this.#name();
          default:
            this.#tokens.sync(tokenSet(...startOfExpression));
            return this.#literal();
        }
      },
      () => this.nothing(this.#tokens.peek().start),
    );
  }

  #literal(): Expression {
    const first = this.#tokens.advance();
    const token = first.type === "'-'" ? this.#tokens.advance() : first;
    const text = token === first ? token.text : `-${token.text}`;
    try {
      const value = readLiteral(token.type, text);
      return { kind: "literal", id: this.nodes.id(first.start), value };
    } catch (error) {
      if (!(error instanceof UnescapeError)) throw error;
      this.#report(first.start, error.message);
      return this.nothing(first.start);
    }
  }

  #name(): Expression {
    const dot = this.#tokens.take("'.'");
    if (dot && !this.#tokens.at("IDENTIFIER")) {
      const message = `no viable alternative at input '.${this.#tokens.at("<EOF>") ? "" : this.#tokens.peek().text}'`;
      throw Object.assign(this.#tokens.mismatch(startOfField), { message });
    }
    const typeLength = this.#typeNameLength();
    if (typeLength > 0) return this.#struct(dot, typeLength);
    const token = this.#tokens.advance();
    const name = (dot ? "." : "") + token.text;
    const isReserved = reserved.has(token.text);
    if (isReserved) this.#report((dot ?? token).start, `reserved identifier: ${token.text}`);
    const open = this.#tokens.take("'('");
    if (open) return this.#call(name, open);
    if (isReserved) return this.nothing(token.start);
    return { kind: "identifier", id: this.nodes.id(token.start), name };
  }

  /** Number of tokens of a dotted name that a brace follows, or none. */
  #typeNameLength(): number {
    let length = 1;
    while (this.#tokens.at("'.'", length) && this.#tokens.at("IDENTIFIER", length + 1)) length += 2;
    return this.#tokens.at("'{'", length) ? length : 0;
  }

  #struct(dot: Token | undefined, length: number): Expression {
    let typeName = dot ? "." : "";
    for (let count = 0; count < length; count++) typeName += this.#tokens.advance().text;
    const open = this.#tokens.advance();
    const id = this.nodes.id(open.start);
    this.#tokens.sync(startOfFields);
    const fields = this.#separated(startOfFields, "'}'", () => this.#structField());
    this.#tokens.expect("'}'", afterMember);
    return { kind: "struct", id, typeName, fields };
  }

  #structField(): StructField {
    const optional = this.#tokens.take("'?'");
    if (optional) this.#requireOptionals(optional, "'?'");
    this.#tokens.sync(startOfField);
    const { name } = this.#fieldName(this.#tokens.advance());
    const colon = this.#tokens.expect("':'");
    const id = this.nodes.id(colon.start);
    const value = this.#expression(inside("','", "'}'"));
    return { id, name, value, optional: optional !== undefined };
  }

  #list(): Expression {
    const id = this.nodes.id(this.#tokens.advance().start);
    const optionalIndices: number[] = [];
    let count = 0;
    this.#tokens.sync(startOfList);
    const elements = this.#separated(startOfOptional, "']'", () => {
      const optional = this.#tokens.take("'?'");
      if (optional) {
        this.#requireOptionals(optional, "'?'");
        optionalIndices.push(count);
      }
      count++;
      return this.#expression(inside("','", "']'"));
    });
    this.#tokens.expect("']'", afterMember);
    return { kind: "list", id, elements, optionalIndices };
  }

  #map(): Expression {
    const id = this.nodes.id(this.#tokens.advance().start);
    this.#tokens.sync(startOfMap);
    const entries = this.#separated(startOfOptional, "'}'", () => this.#mapEntry());
    this.#tokens.expect("'}'", afterMember);
    return { kind: "map", id, entries };
  }

  #mapEntry(): MapEntry {
    const optional = this.#tokens.take("'?'");
    if (optional) this.#requireOptionals(optional, "'?'");
    const key = this.#expression(inside("':'"));
    const colon = this.#tokens.expect("':'");
    const id = this.nodes.id(colon.start);
    const value = this.#expression(inside("','", "'}'"));
    return { id, key, value, optional: optional !== undefined };
  }

  /** Items between commas, one more comma at the end allowed. */
  #separated<Item>(start: ReadonlySet<TokenType>, close: TokenType, item: () => Item): Item[] {
    const items: Item[] = [];
    this.#tokens.rule(
      inside("','", close),
      () => {
        const starts = () =>
          start.has(this.#tokens.peek().type) && !this.#tokens.at("','") && !this.#tokens.at(close);
        if (!starts()) return;
        items.push(item());
        while (this.#tokens.at("','") && !this.#tokens.at(close, 1)) {
          this.#tokens.advance();
          items.push(item());
        }
      },
      () => {},
    );
    this.#tokens.sync(tokenSet("','", close));
    this.#tokens.take("','");
    return items;
  }

  #call(name: string, open: Token, target?: Expression): Expression {
    const id = this.nodes.id(open.start);
    const args: Expression[] = [];
    this.#tokens.sync(tokenSet(...startOfExpression, "')'"));
    if (!this.#tokens.at("')'")) {
      do args.push(this.#expression(inside("','", "')'")));
      while (this.#tokens.take("','"));
    }
    this.#tokens.expect("')'", afterMember);
    return (
      this.#expandMacro(name, open, { target, args }) ?? {
        kind: "call",
        id,
        name,
        args,
        ...(target && { target }),
      }
    );
  }

  #expandMacro(
    name: string,
    open: Token,
    { target, args }: { readonly target: Expression | undefined; readonly args: readonly Expression[] },
  ): Expression | undefined {
    const macro = this.#options.macros.find(
      (each) =>
        each.name === name && each.argumentCount === args.length && each.member === (target !== undefined),
    );
    const build = new MacroBuilder(this.nodes, open.start);
    const result = macro?.expand({ args, build, ...(target && { target }) });
    if (!result || !isProblem(result)) return result;
    this.#report(result.at ? this.nodes.offsetOf(result.at.id) : open.start, result.message);
    return this.nothing(open.start);
  }

  /** Bounds chains of operators and selections: what walks the tree recurs along them. */
  #chain(node: Expression): Expression {
    const below = node.kind === "call" ? [...(node.target ? [node.target] : []), ...node.args] : [];
    const operands = node.kind === "select" ? [node.operand] : below;
    const length = 1 + Math.max(0, ...operands.map((operand) => this.#chains.get(operand.id) ?? 0));
    if (length > this.#maxDepth) throw new GiveUp("max recursion depth exceeded");
    this.#chains.set(node.id, length);
    return node;
  }
}
