import { invariant } from "../base/index.ts";
import { isWithin, singleKey } from "./key-range.ts";
import type {
  Compare,
  KeyRange,
  Operation,
  OperationResult,
  Outcome,
  RangeResult,
  Transaction,
} from "./mvcc.ts";
import { planPut } from "./plan.ts";
import {
  type Change,
  type Key,
  keyOf,
  type LeaseId,
  type Revision,
  StoreError,
  type Versioned,
} from "./store.ts";

/** Which part of a range is asked for. */
export interface Part {
  readonly limit: number;
  readonly countOnly: boolean;
}

/** What a transaction is planned on: the newest state, with all that was planned before it. */
export interface State {
  readonly revision: Revision;
  current(key: Key): Versioned | undefined;
  read(range: KeyRange, part: Part): RangeResult;
  /** What could be read at the revision; throws as a read there does. */
  past(range: KeyRange, part: Part & { readonly at: Revision }): RangeResult;
  /** Throws `leaseNotFound` unless keys may be put on the lease. */
  requireLease(lease: LeaseId): void;
}

/** What a transaction will have done, and its changes, which all make the revision after the state's. */
export interface Plan {
  readonly outcome: Outcome;
  readonly changes: readonly Change[];
}

const everything: Part = { limit: 0, countOnly: false };

/** Decides a transaction; throws when it cannot be done, and changes nothing. */
export function planTransaction(transaction: Transaction, state: State): Plan {
  requireDistinctKeys(transaction);
  const branch = choose(transaction, state);
  const planner = new Planner(state);
  return { outcome: planner.run(branch), changes: planner.changes };
}

/** Whether no branch of the transaction can change anything. */
export function isReadOnly({ success, failure }: Transaction): boolean {
  const reads = (operation: Operation) =>
    operation.type === "range" || (operation.type === "transaction" && isReadOnly(operation.transaction));
  return success.every(reads) && failure.every(reads);
}

/** What the range holds once the changes, the last one of each key, have been made to the state. */
export function readOver(
  state: Pick<State, "current" | "read">,
  changes: readonly Change[],
  { range, part }: { readonly range: KeyRange; readonly part: Part },
): RangeResult {
  if (changes.length === 0) return state.read(range, part);
  const changed = new Map(changes.map((change) => [keyOf(change), change]));
  const gone = changes.filter((change) => change.type === "delete").length;
  const limit = part.limit || Infinity;
  const base = state.read(range, { ...part, limit: part.limit && part.limit + gone });
  let { count } = base;
  const items = base.items.filter((item) => !changed.has(item.key));
  for (const change of changes) {
    if (state.current(keyOf(change))) count--;
    if (change.type !== "put") continue;
    count++;
    if (!part.countOnly) items.push(change.current);
  }
  const isWhole = base.items.length === base.count;
  // Of a page, what lies behind its last key is unknown: no change there may slip in.
  const last = base.items.at(-1)?.key;
  const known = isWhole || last === undefined ? items : items.filter(({ key }) => key <= last);
  return { items: known.toSorted(byKey).slice(0, limit), count };
}

const byKey = (left: Versioned, right: Versioned) => (left.key < right.key ? -1 : 1);

/** A transaction whose comparisons are decided, with those inside it. */
interface Branch {
  readonly succeeded: boolean;
  readonly steps: readonly (Exclude<Operation, { type: "transaction" }> | Branch)[];
}

function choose(transaction: Transaction, state: State): Branch {
  const succeeded = transaction.compare.every((compare) => holds(compare, state));
  const operations = succeeded ? transaction.success : transaction.failure;
  const steps = operations.map((operation) =>
    operation.type === "transaction" ? choose(operation.transaction, state) : operation,
  );
  return { succeeded, steps };
}

function holds(compare: Compare, state: State): boolean {
  const key = singleKey(compare.range);
  const found = key === undefined ? state.read(compare.range, everything).items : [state.current(key)];
  const items = found.filter((item) => item !== undefined);
  // No bytes and no value at all look the same to clients: neither compares.
  if (items.length === 0) return compare.target !== "value" && fulfils(compare, undefined);
  return items.every((item) => fulfils(compare, item));
}

function fulfils({ target, result, operand }: Compare, item: Versioned | undefined): boolean {
  const order = orderOf(target, { item, operand });
  switch (result) {
    case "equal":
      return order === 0;
    case "notEqual":
      return order !== 0;
    case "greater":
      return order > 0;
    case "less":
      return order < 0;
  }
}

function orderOf(
  target: Compare["target"],
  { item, operand }: { readonly item: Versioned | undefined; readonly operand: Compare["operand"] },
): number {
  switch (target) {
    case "version":
      return (item?.version ?? 0) - Number(operand);
    case "create":
      return (item?.createRevision ?? 0) - Number(operand);
    case "mod":
      return (item?.modRevision ?? 0) - Number(operand);
    case "lease":
      return orderOfIds(item?.lease ?? "0", String(operand));
    case "value":
      invariant(item && operand instanceof Uint8Array, "values are compared with bytes");
      return orderOfBytes(item.value, operand);
  }
}

function orderOfIds(left: LeaseId, right: LeaseId): number {
  const difference = BigInt(left) - BigInt(right);
  return difference === 0n ? 0 : difference > 0n ? 1 : -1;
}

function orderOfBytes(left: Uint8Array, right: Uint8Array): number {
  const common = Math.min(left.length, right.length);
  for (let at = 0; at < common; at++) {
    const difference = left[at]! - right[at]!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

class Planner {
  readonly changes: Change[] = [];
  /** The last change of each key. */
  private readonly latest = new Map<Key, Change>();
  private readonly state: State;

  constructor(state: State) {
    this.state = state;
  }

  run({ succeeded, steps }: Branch): Outcome {
    const results = steps.map((step) => this.step(step));
    return { succeeded, revision: this.revision, results };
  }

  private get revision(): Revision {
    return this.state.revision + (this.changes.length > 0 ? 1 : 0);
  }

  private step(step: Branch["steps"][number]): OperationResult {
    if (!("type" in step)) return { type: "transaction", outcome: this.run(step) };
    switch (step.type) {
      case "range":
        return { type: "range", ...this.range(step) };
      case "put":
        return { type: "put", previous: this.put(step) };
      case "delete":
        return { type: "delete", deleted: this.delete(step.range) };
    }
  }

  private range({ range, at, limit = 0, countOnly = false }: Operation & { type: "range" }): RangeResult {
    return at ? this.state.past(range, { at, limit, countOnly }) : this.read(range, { limit, countOnly });
  }

  private read(range: KeyRange, part: Part): RangeResult {
    const own = [...this.latest.values()].filter((change) => isWithin(keyOf(change), range));
    return readOver(this.state, own, { range, part });
  }

  private put(operation: Operation & { type: "put" }): Versioned | undefined {
    const { key } = operation;
    const before = this.current(key);
    const value = operation.value ?? before?.value;
    const keepsLease = operation.lease === "keep";
    if (value === undefined || (keepsLease && !before)) throw new StoreError("invalid", "key not found");
    const lease = keepsLease ? before?.lease : operation.lease;
    if (lease !== undefined && !keepsLease) this.state.requireLease(lease);
    const content = lease === undefined ? { key, value } : { key, value, lease };
    const place = this.changes.length;
    this.make(planPut(content, { before, revision: this.state.revision + 1, place }));
    return before;
  }

  private delete(range: KeyRange): readonly Versioned[] {
    const { items } = this.read(range, everything);
    const revision = this.state.revision + 1;
    for (const previous of items) {
      this.make({ type: "delete", key: previous.key, revision, previous });
    }
    return items;
  }

  private current(key: Key): Versioned | undefined {
    const own = this.latest.get(key);
    if (!own) return this.state.current(key);
    return own.type === "put" ? own.current : undefined;
  }

  private make(change: Change): void {
    this.changes.push(change);
    this.latest.set(keyOf(change), change);
  }
}

/** The keys that operations put, and the ranges that they delete, whichever branches are taken. */
interface Touched {
  readonly puts: Set<Key>;
  readonly deletes: KeyRange[];
}

/** Throws `invalid` when a branch could change a key twice; deletions of one key may repeat. */
function requireDistinctKeys({ success, failure }: Transaction): void {
  for (const operations of [success, failure]) {
    if (operations.length > 1 || operations[0]?.type === "transaction") touchedBy(operations);
  }
}

function touchedBy(operations: readonly Operation[]): Touched {
  const puts = new Set<Key>();
  const deletes = operations.flatMap((operation) =>
    operation.type === "delete" && !operation.meetsPuts ? [operation.range] : [],
  );
  const take = (key: Key) => {
    if (puts.has(key) || deletes.some((range) => isWithin(key, range))) {
      throw new StoreError("invalid", "duplicate key given in txn request");
    }
    puts.add(key);
  };
  for (const operation of operations) {
    if (operation.type !== "transaction") continue;
    const success = touchedBy(operation.transaction.success);
    const failure = touchedBy(operation.transaction.failure);
    // Only one of the two branches is taken: they may put the same keys.
    for (const key of new Set([...success.puts, ...failure.puts])) take(key);
    deletes.push(...success.deletes, ...failure.deletes);
  }
  for (const operation of operations) if (operation.type === "put") take(operation.key);
  return { puts, deletes };
}
