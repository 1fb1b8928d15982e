/** One kind of request: how many a second, and the processor time of one, client's share included. */
export interface CostRow {
  readonly what: string;
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
}

/** A request for the object of an index. */
export type Action = (index: number) => Promise<unknown>;

const concurrency = 32;

/** Runs an action so many times, some at once. */
export async function measure(
  what: string,
  work: { readonly count: number; readonly action: Action },
): Promise<CostRow> {
  const { count, action } = work;
  const before = process.cpuUsage();
  const start = performance.now();
  let next = 0;
  const worker = async () => {
    while (next < count) await action(next++);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return rowOf(what, { count, start, before });
}

/** The row of so many that were begun at `start`, when the process had used so much time. */
export function rowOf(
  what: string,
  measured: { readonly count: number; readonly start: number; readonly before: NodeJS.CpuUsage },
): CostRow {
  const { count, start, before } = measured;
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  return {
    what,
    perSecond: Math.round(count / seconds),
    cpuMicroseconds: Math.round((user + system) / count),
  };
}
