/**
 * Calls `act` for each item in batches of 1, 2, 4, … so that a failure all would share, such as a quota, costs few
 * calls. Stops after the batch with a failure; answers what succeeded and the first failure.
 */
export async function slowStart<I, R>(
  items: readonly I[],
  act: (item: I) => Promise<R>,
): Promise<{ readonly done: readonly R[]; readonly failure: unknown; readonly failed: boolean }> {
  const done: R[] = [];
  let size = 1;
  for (let start = 0; start < items.length; start += size, size *= 2) {
    const results = await Promise.allSettled(items.slice(start, start + size).map((item) => act(item)));
    for (const result of results) if (result.status === "fulfilled") done.push(result.value);
    const rejected = results.find((result) => result.status === "rejected");
    if (rejected) return { done, failure: rejected.reason as unknown, failed: true };
  }
  return { done, failure: undefined, failed: false };
}

/** Calls `act` for all items at once; answers what succeeded and the first failure. */
export async function allAtOnce<I, R>(
  items: readonly I[],
  act: (item: I) => Promise<R>,
): Promise<{ readonly done: readonly R[]; readonly failure: unknown; readonly failed: boolean }> {
  const done: R[] = [];
  const results = await Promise.allSettled(items.map((item) => act(item)));
  for (const result of results) if (result.status === "fulfilled") done.push(result.value);
  const rejected = results.find((result) => result.status === "rejected");
  return { done, failure: rejected?.reason as unknown, failed: rejected !== undefined };
}
