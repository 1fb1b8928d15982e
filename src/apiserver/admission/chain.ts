import type { Resource } from "../../apimachinery/index.ts";
import type { AdmissionPlugin, AdmissionRequest, DynamicObserver } from "./plugin.ts";

/** The plugins that concern one operation on one resource. */
export interface AdmissionSteps {
  readonly admitting: readonly Required<Pick<AdmissionPlugin, "name" | "admit">>[];
  /** Those that hear of what has no object to change. */
  readonly hearing: readonly Required<Pick<AdmissionPlugin, "name" | "hear">>[];
  readonly validating: readonly Required<Pick<AdmissionPlugin, "name" | "validate">>[];
  /** Carries out all of a step, of which the observer hears; absent: nobody listens. */
  readonly whole?: Readonly<Record<"admit" | "validate", <T>(run: () => Promise<T>) => Promise<T>>>;
}

/** Whether a plugin, or all of one step, refused, and how long it took. */
export type NoteOutcome = (outcome: { readonly rejected: boolean; readonly seconds: number }) => void;

/** Hears how plugins and steps went. */
export interface AdmissionObserver {
  /** For one plugin, or for the whole step without a name; asked once, called often. */
  of(step: {
    readonly name?: string;
    readonly operation: AdmissionRequest["operation"];
    readonly type: "admit" | "validate";
  }): NoteOutcome;
  /** Seconds of a clock that only runs forward. */
  now(): number;
  /** Hears of webhooks. */
  readonly dynamic?: DynamicObserver;
}

/** Operations and resources whose steps are remembered; custom resources come and go. */
const rememberedSteps = 4096;

/** All plugins in order; most requests concern few of them. */
export class AdmissionChain {
  readonly plugins: readonly AdmissionPlugin[];
  private readonly steps = new Map<string, AdmissionSteps>();
  private observer: AdmissionObserver | undefined;

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.plugins = plugins;
  }

  /** From now on `observer` hears of every step. */
  observe(observer: AdmissionObserver): void {
    this.observer = observer;
    this.steps.clear();
    if (!observer.dynamic) return;
    for (const plugin of this.plugins) plugin.observe?.(observer.dynamic);
  }

  stepsFor(
    operation: AdmissionRequest["operation"],
    resource: Pick<Resource, "group" | "plural">,
  ): AdmissionSteps {
    const key = `${operation}/${resource.group}/${resource.plural}`;
    const known = this.steps.get(key);
    if (known) return known;
    if (this.steps.size >= rememberedSteps) this.steps.clear();
    const concerned = this.plugins.filter(
      ({ operations, resources }) =>
        operations.includes(operation) &&
        (!resources ||
          resources.some(({ group, plural }) => group === resource.group && plural === resource.plural)),
    );
    const { observer } = this;
    const admitting = concerned.flatMap((plugin) => (plugin.admit ? [boundTo(plugin, "admit")] : []));
    const hearing = concerned.flatMap((plugin) => (plugin.hear ? [boundTo(plugin, "hear")] : []));
    const validating = concerned.flatMap((plugin) => (plugin.validate ? [boundTo(plugin, "validate")] : []));
    const steps: AdmissionSteps = {
      admitting: admitting.map(({ name, run }) => ({
        name,
        admit: observer ? timed(run, { observer, step: { name, operation, type: "admit" } }) : run,
      })) as AdmissionSteps["admitting"],
      hearing: hearing.map(({ name, run }) => ({
        name,
        hear: observer ? timed(run, { observer, step: { name, operation, type: "admit" } }) : run,
      })) as AdmissionSteps["hearing"],
      validating: validating.map(({ name, run }) => ({
        name,
        validate: observer ? timed(run, { observer, step: { name, operation, type: "validate" } }) : run,
      })) as AdmissionSteps["validating"],
      ...(observer ? { whole: wholeSteps(observer, operation) } : {}),
    };
    this.steps.set(key, steps);
    return steps;
  }
}

type Run = (request: never) => unknown;

function wholeSteps(
  observer: AdmissionObserver,
  operation: AdmissionRequest["operation"],
): NonNullable<AdmissionSteps["whole"]> {
  const timing = (type: "admit" | "validate") => {
    const note = observer.of({ operation, type });
    return <T>(run: () => Promise<T>): Promise<T> => {
      const started = observer.now();
      return settled(run(), (rejected) => note({ rejected, seconds: observer.now() - started }));
    };
  };
  return { admit: timing("admit"), validate: timing("validate") };
}

function boundTo(
  plugin: AdmissionPlugin,
  method: "admit" | "hear" | "validate",
): { readonly name: string; readonly run: Run } {
  const run = plugin[method] as (request: unknown) => unknown;
  return { name: plugin.name, run: (request) => run.call(plugin, request) };
}

/** The same function, of which the observer hears; what answers at once still does. */
function timed(
  run: Run,
  { observer, step }: { observer: AdmissionObserver; step: Parameters<AdmissionObserver["of"]>[0] },
): Run {
  const note = observer.of(step);
  return (request) => {
    const started = observer.now();
    const done = (rejected: boolean) => note({ rejected, seconds: observer.now() - started });
    let answer: unknown;
    try {
      answer = run(request);
    } catch (error) {
      done(true);
      throw error;
    }
    if (!(answer instanceof Promise)) {
      done(false);
      return answer;
    }
    return settled(answer, done);
  };
}

async function settled<T>(answer: Promise<T>, done: (rejected: boolean) => void): Promise<T> {
  let rejected = true;
  try {
    const value = await answer;
    rejected = false;
    return value;
  } finally {
    done(rejected);
  }
}
