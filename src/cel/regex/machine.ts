import { Automaton } from "./automaton.ts";
import { testOf } from "./char-set.ts";
import { PatternError, type Assertion, type Pattern } from "./parse.ts";

/** One step of a compiled pattern. */
export type Instruction =
  | { readonly type: "character"; readonly test: (code: number) => boolean }
  | { readonly type: "split"; first: number; second: number }
  | { readonly type: "jump"; to: number }
  | { readonly type: "assert"; readonly assertion: Assertion }
  | { readonly type: "match" };

/** Where a pattern matched. */
export interface Match {
  readonly start: number;
  readonly end: number;
}

const mostInstructions = 50_000;

/** Runs a pattern in time linear in the text: all ways to match go forward together. */
export class Machine {
  readonly #program: readonly Instruction[];
  readonly #automaton: Automaton | undefined;

  constructor(pattern: Pattern, source: string) {
    const program: Instruction[] = [];
    emit(pattern, program, source);
    program.push({ type: "match" });
    this.#program = program;
    const isPlain = program.every(
      (each) => each.type !== "assert" || each.assertion === "textBegin" || each.assertion === "textEnd",
    );
    this.#automaton = isPlain ? new Automaton(program) : undefined;
  }

  /** Whether the pattern matches anywhere; `note` hears of the work that is done. */
  test(text: string, note: (steps: number) => void): boolean {
    if (this.#automaton) return this.#automaton.test(text, note);
    return this.find(text, 0, { onlyWhether: true, note }) !== undefined;
  }

  /** The first match from an index on; of those that begin there the one that a backtracking matcher would find. */
  find(
    text: string,
    from: number,
    options: { readonly onlyWhether: boolean; readonly note: (steps: number) => void },
  ): Match | undefined {
    let threads = new Threads(this.#program.length);
    let next = new Threads(this.#program.length);
    let found: Match | undefined;
    for (let index = from; ;) {
      if (!found) this.#follow(threads, { counter: 0, start: index, text, index });
      if (threads.count === 0) return found;
      options.note(threads.count);
      const code = text.codePointAt(index);
      const after = index + ((code ?? 0) > 0xffff ? 2 : 1);
      next.clear();
      for (let thread = 0; thread < threads.count; thread++) {
        const counter = threads.counterOf(thread);
        const start = threads.startOf(thread);
        const instruction = this.#program[counter] as Instruction;
        if (instruction.type === "match") {
          found = { start, end: index };
          if (options.onlyWhether) return found;
          break;
        }
        if (code !== undefined && instruction.type === "character" && instruction.test(code)) {
          this.#follow(next, { counter: counter + 1, start, text, index: after });
        }
      }
      if (code === undefined) return found;
      [threads, next] = [next, threads];
      index = after;
    }
  }

  /** Adds a thread and all that it reaches without a character, in order of preference. */
  #follow(
    threads: Threads,
    { counter, start, text, index }: { counter: number; start: number; text: string; index: number },
  ): void {
    const pending = [counter];
    while (pending.length > 0) {
      const current = pending.pop() as number;
      if (!threads.visit(current)) continue;
      const instruction = this.#program[current] as Instruction;
      switch (instruction.type) {
        case "jump":
          pending.push(instruction.to);
          break;
        case "split":
          pending.push(instruction.second, instruction.first);
          break;
        case "assert":
          if (holds(instruction.assertion, text, index)) pending.push(current + 1);
          break;
        default:
          threads.add(current, start);
      }
    }
  }
}

/** Ways to match that are still open, each instruction at most once. */
class Threads {
  readonly #counters: Int32Array;
  readonly #starts: Int32Array;
  readonly #visited: Int32Array;
  #round = 1;
  count = 0;

  constructor(size: number) {
    this.#counters = new Int32Array(size);
    this.#starts = new Int32Array(size);
    this.#visited = new Int32Array(size);
  }

  clear(): void {
    this.count = 0;
    this.#round++;
  }

  visit(counter: number): boolean {
    if (this.#visited[counter] === this.#round) return false;
    this.#visited[counter] = this.#round;
    return true;
  }

  add(counter: number, start: number): void {
    this.#counters[this.count] = counter;
    this.#starts[this.count++] = start;
  }

  counterOf(thread: number): number {
    return this.#counters[thread] as number;
  }

  startOf(thread: number): number {
    return this.#starts[thread] as number;
  }
}

const isWordAt = (text: string, index: number): boolean => /\w/.test(text.charAt(index));

function holds(assertion: Assertion, text: string, index: number): boolean {
  switch (assertion) {
    case "textBegin":
      return index === 0;
    case "textEnd":
      return index === text.length;
    case "lineBegin":
      return index === 0 || text.charAt(index - 1) === "\n";
    case "lineEnd":
      return index === text.length || text.charAt(index) === "\n";
    case "wordBoundary":
      return isWordAt(text, index - 1) !== isWordAt(text, index);
    case "noWordBoundary":
      return isWordAt(text, index - 1) === isWordAt(text, index);
  }
}

function emit(pattern: Pattern, program: Instruction[], source: string): void {
  if (program.length > mostInstructions) throw new PatternError("expression too large", source);
  switch (pattern.type) {
    case "empty":
      return;
    case "set":
      program.push({ type: "character", test: testOf(pattern.set) });
      return;
    case "assert":
      program.push({ type: "assert", assertion: pattern.assertion });
      return;
    case "concat":
      for (const item of pattern.items) emit(item, program, source);
      return;
    case "alternate":
      emitAlternatives(pattern.items, program, source);
      return;
    case "repeat":
      emitRepeat(pattern, program, source);
  }
}

function emitAlternatives(items: readonly Pattern[], program: Instruction[], source: string): void {
  const jumps: { type: "jump"; to: number }[] = [];
  items.forEach((item, index) => {
    if (index === items.length - 1) {
      emit(item, program, source);
      return;
    }
    const split: Instruction = { type: "split", first: program.length + 1, second: 0 };
    program.push(split);
    emit(item, program, source);
    const jump = { type: "jump" as const, to: 0 };
    jumps.push(jump);
    program.push(jump);
    split.second = program.length;
  });
  for (const jump of jumps) jump.to = program.length;
}

function emitRepeat(
  { item, min, max, greedy }: Extract<Pattern, { type: "repeat" }>,
  program: Instruction[],
  source: string,
): void {
  for (let count = 0; count < min; count++) emit(item, program, source);
  const optional = (body: () => void): void => {
    const split: Instruction = { type: "split", first: 0, second: 0 };
    program.push(split);
    const inside = program.length;
    body();
    const after = program.length;
    split.first = greedy ? inside : after;
    split.second = greedy ? after : inside;
  };
  if (max === Infinity) {
    const start = program.length;
    optional(() => {
      emit(item, program, source);
      program.push({ type: "jump", to: start });
    });
    return;
  }
  const splits: { type: "split"; first: number; second: number }[] = [];
  for (let count = min; count < max; count++) {
    const split = { type: "split" as const, first: program.length + 1, second: program.length + 1 };
    splits.push(split);
    program.push(split);
    emit(item, program, source);
  }
  for (const split of splits) {
    if (greedy) split.second = program.length;
    else split.first = program.length;
  }
}
