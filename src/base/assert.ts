/** A broken invariant: a bug of ours, never a user's fault. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Throws when an invariant does not hold. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
