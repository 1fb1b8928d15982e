import { Session } from "node:inspector/promises";
import type { Profiler, Runtime } from "node:inspector";
import type { Clock, Milliseconds } from "../../../base/index.ts";
import type { Frame, Profile } from "./pprof.ts";

/** As Go's: a hundred samples a second, and one of the heap for each half megabyte. */
const samplingMicroseconds = 10_000;
const heapSamplingBytes = 512 * 1024;
const nanosecondsPerMillisecond = 1_000_000n;

/** A profile, and the same as V8 tells it. */
export interface Profiled {
  readonly profile: Profile;
  readonly raw: object;
}

/** V8's sampled heap, of which Node.js' types do not tell all. */
interface SampledHeap {
  readonly head: SampledNode;
  readonly samples: readonly { readonly nodeId: number }[];
}

interface SampledNode {
  readonly id: number;
  readonly callFrame: Runtime.CallFrame;
  readonly selfSize: number;
  readonly children: readonly SampledNode[];
}

/** Looks into the process that it is in, by V8's own profilers. */
export class ProcessProfiler {
  private readonly clock: Clock;
  private readonly session = new Session();
  private profiling = false;
  private ready: Promise<void> | undefined;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Begins to take samples of what is allocated: those of before are not known. */
  start(): Promise<void> {
    return (this.ready ??= this.connect());
  }

  /** Where time goes for so long; undefined while somebody else looks. */
  async cpu(duration: Milliseconds, signal: AbortSignal): Promise<Profiled | undefined> {
    await this.start();
    if (this.profiling) return undefined;
    this.profiling = true;
    try {
      await this.session.post("Profiler.start");
      await this.clock.sleep(duration, signal).catch(() => undefined);
      const { profile } = await this.session.post("Profiler.stop");
      return { profile: cpuProfile(profile, this.clock.now()), raw: profile };
    } finally {
      this.profiling = false;
    }
  }

  /** What is there of what has been allocated since the start. */
  async heap(): Promise<Profiled> {
    await this.start();
    const { profile } = await this.session.post("HeapProfiler.getSamplingProfile");
    return { profile: heapProfile(profile as object as SampledHeap, this.clock.now()), raw: profile };
  }

  close(): void {
    if (this.ready) this.session.disconnect();
    this.ready = undefined;
  }

  private async connect(): Promise<void> {
    this.session.connect();
    await this.session.post("Profiler.enable");
    await this.session.post("Profiler.setSamplingInterval", { interval: samplingMicroseconds });
    await this.session.post("HeapProfiler.startSampling", { samplingInterval: heapSamplingBytes });
  }
}

const unnamed = "(anonymous)";

const frameOf = ({ functionName, url, lineNumber }: Runtime.CallFrame): Frame => ({
  name: functionName === "" ? unnamed : functionName,
  file: url,
  line: Math.max(lineNumber + 1, 0),
});

/** V8's CPU profile as Go has them: of each stack how often it was seen and for how long; time without work is left out. */
export function cpuProfile(raw: Profiler.Profile, now: Milliseconds): Profile {
  const nodes = new Map(raw.nodes.map((node) => [node.id, node]));
  const parents = new Map<number, number>();
  for (const { id, children = [] } of raw.nodes) for (const child of children) parents.set(child, id);
  const seen = new Map<number, { count: number; microseconds: number }>();
  const { samples = [], timeDeltas = [] } = raw;
  for (const [index, id] of samples.entries()) {
    const sum = seen.get(id) ?? { count: 0, microseconds: 0 };
    sum.count += 1;
    // A sample stands for the time until the next one.
    sum.microseconds += Math.max(timeDeltas[index + 1] ?? 0, 0);
    seen.set(id, sum);
  }
  const stackOf = (leaf: number): readonly Frame[] => {
    const stack: Frame[] = [];
    for (let id: number | undefined = leaf; id !== undefined; id = parents.get(id)) {
      const { callFrame } = nodes.get(id)!;
      if (callFrame.functionName !== "(root)") stack.push(frameOf(callFrame));
    }
    return stack;
  };
  return {
    measures: [
      ["samples", "count"],
      ["cpu", "nanoseconds"],
    ],
    samples: Array.from(seen, ([id, { count, microseconds }]) => ({
      stack: stackOf(id),
      values: [count, microseconds * 1_000],
    })).filter(({ stack }) => stack.length > 0 && stack[0]!.name !== "(idle)"),
    timeNanoseconds: BigInt(Math.floor(now)) * nanosecondsPerMillisecond,
    durationNanoseconds: BigInt(Math.round((raw.endTime - raw.startTime) * 1_000)),
    period: { measure: ["cpu", "nanoseconds"], value: samplingMicroseconds * 1_000 },
  };
}

/** V8's sampled heap as Go has it: of each stack what it allocated that is still there. */
export function heapProfile(raw: SampledHeap, now: Milliseconds): Profile {
  const objects = new Map<number, number>();
  for (const { nodeId } of raw.samples) objects.set(nodeId, (objects.get(nodeId) ?? 0) + 1);
  const samples: { readonly stack: readonly Frame[]; readonly values: readonly number[] }[] = [];
  const walk = (node: SampledNode, callers: readonly Frame[]) => {
    const isRoot = node.callFrame.functionName === "(root)";
    const stack = isRoot ? callers : [frameOf(node.callFrame), ...callers];
    if (node.selfSize > 0 && stack.length > 0) {
      samples.push({ stack, values: [objects.get(node.id) ?? 0, node.selfSize] });
    }
    for (const child of node.children) walk(child, stack);
  };
  walk(raw.head, []);
  return {
    measures: [
      ["inuse_objects", "count"],
      ["inuse_space", "bytes"],
    ],
    samples,
    timeNanoseconds: BigInt(Math.floor(now)) * nanosecondsPerMillisecond,
    durationNanoseconds: 0n,
    period: { measure: ["space", "bytes"], value: heapSamplingBytes },
  };
}
