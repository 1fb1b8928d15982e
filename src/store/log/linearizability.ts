/** What a client asked of a key and was answered; times are a count of all calls and answers. */
export interface Call {
  readonly key: string;
  readonly invoked: number;
  /** Infinity: no answer came, so that the call may have had its effect at any time since, or never. */
  readonly answered: number;
  readonly action: Action;
}

/** A key is a register that holds a text or nothing. */
export type Action =
  | { readonly type: "read"; readonly result: string | undefined }
  | { readonly type: "put"; readonly value: string }
  | { readonly type: "delete" }
  /** Puts the value if the key holds `expected`; `done`: it did. */
  | {
      readonly type: "swap";
      readonly expected: string | undefined;
      readonly value: string;
      readonly done: boolean;
    };

/**
 * The keys whose calls cannot be put in one order in which each has its effect between its call and its answer
 * (Wing and Gong, "Testing and verifying concurrent objects"; a history is linearizable if it is so key by key).
 */
export function notLinearizable(history: readonly Call[]): readonly string[] {
  const keys = [...new Set(history.map(({ key }) => key))];
  return keys.filter((key) => !hasOrder(history.filter((call) => call.key === key)));
}

function hasOrder(unsorted: readonly Call[]): boolean {
  const calls = unsorted.toSorted((left, right) => left.invoked - right.invoked);
  const isDone = calls.map(() => false);
  const seen = new Set<string>();
  return canGoOn(undefined, 0);

  /** Whether the calls that are left can follow when the register holds the value; all before `first` are done. */
  function canGoOn(value: string | undefined, first: number): boolean {
    while (isDone[first]) first++;
    // What was called after another was answered comes after it.
    let firstAnswer = Infinity;
    for (let at = first; at < calls.length && calls[at]!.invoked < firstAnswer; at++) {
      if (!isDone[at]) firstAnswer = Math.min(firstAnswer, calls[at]!.answered);
    }
    if (firstAnswer === Infinity) return true;
    const name = `${first} ${value} ${isDone.slice(first).map(Number).join("")}`;
    if (seen.has(name)) return false;
    seen.add(name);
    for (let at = first; at < calls.length && calls[at]!.invoked < firstAnswer; at++) {
      const next = isDone[at] ? undefined : after(value, calls[at]!.action);
      if (!next) continue;
      isDone[at] = true;
      if (canGoOn(next.value, first)) return true;
      isDone[at] = false;
    }
    return false;
  }
}

/** What the register holds after the action; undefined when the action cannot have been answered so. */
function after(
  value: string | undefined,
  action: Action,
): { readonly value: string | undefined } | undefined {
  switch (action.type) {
    case "read":
      return action.result === value ? { value } : undefined;
    case "put":
      return { value: action.value };
    case "delete":
      return { value: undefined };
    case "swap":
      if ((action.expected === value) !== action.done) return undefined;
      return { value: action.done ? action.value : value };
  }
}
