import type { Instruction } from "./machine.ts";

/** A set of instructions that are tried together, and where characters lead from it. */
interface State {
  readonly counters: readonly number[];
  readonly matches: boolean;
  readonly next: Map<number, State>;
}

/** Sets and ways between them that are kept; when there are more, all are found out anew. */
const mostStates = 1_000;
const mostWays = 20_000;

/** What finding out where a character leads costs beside a thread that goes one character forward. */
const stepFactor = 8;

/**
 * Tells whether a program matches anywhere in a text. Which instructions are tried together is found out once for a set
 * of them and a character: most characters then cost a look-up. Only for programs that assert nothing but the ends of
 * the text.
 */
export class Automaton {
  readonly #program: readonly Instruction[];
  readonly #states = new Map<string, State>();
  readonly #first: State;
  #ways = 0;

  constructor(program: readonly Instruction[]) {
    this.#program = program;
    this.#first = this.#stateOf([0], { begin: true, end: false });
  }

  /** Calls `note` with what finding out more took. */
  test(text: string, note: (steps: number) => void): boolean {
    let state = this.#first;
    for (let index = 0; index < text.length && !state.matches;) {
      const code = text.codePointAt(index) as number;
      const after = index + (code > 0xffff ? 2 : 1);
      const isLast = after === text.length;
      state = (isLast ? undefined : state.next.get(code)) ?? this.#step(state, { code, isLast, note });
      index = after;
    }
    return state.matches || (text === "" && this.#stateOf([0], { begin: true, end: true }).matches);
  }

  #step(
    { counters, next }: State,
    {
      code,
      isLast,
      note,
    }: { readonly code: number; readonly isLast: boolean; readonly note: (steps: number) => void },
  ): State {
    const reached = [];
    for (const counter of counters) {
      const instruction = this.#program[counter];
      if (instruction?.type === "character" && instruction.test(code)) reached.push(counter + 1);
    }
    const state = this.#stateOf([...reached, 0], { begin: false, end: isLast });
    note((counters.length + state.counters.length) * stepFactor);
    if (isLast) return state;
    if (++this.#ways > mostWays) this.#forget();
    next.set(code, state);
    return state;
  }

  #forget(): void {
    this.#states.clear();
    this.#first.next.clear();
    this.#ways = 0;
  }

  /** All that is reached from some instructions without a character. */
  #stateOf(
    from: readonly number[],
    { begin, end }: { readonly begin: boolean; readonly end: boolean },
  ): State {
    const seen = new Set<number>();
    const counters: number[] = [];
    const pending = [...from];
    let matches = false;
    while (pending.length > 0) {
      const counter = pending.pop() as number;
      if (seen.has(counter)) continue;
      seen.add(counter);
      const instruction = this.#program[counter] as Instruction;
      if (instruction.type === "jump") pending.push(instruction.to);
      else if (instruction.type === "split") pending.push(instruction.first, instruction.second);
      else if (instruction.type === "match") matches = true;
      else if (instruction.type === "character") counters.push(counter);
      else if (instruction.assertion === "textBegin" ? begin : end) pending.push(counter + 1);
    }
    counters.sort((one, other) => one - other);
    const key = `${matches} ${counters.join(" ")}`;
    const known = this.#states.get(key);
    if (known) return known;
    if (this.#states.size >= mostStates) this.#forget();
    const state = { counters, matches, next: new Map<number, State>() };
    this.#states.set(key, state);
    return state;
  }
}
