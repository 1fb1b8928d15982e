import type { Resource } from "../../apimachinery/index.ts";
import type { AdmissionPlugin, AdmissionRequest, DynamicObserver } from "./plugin.ts";

/** The plugins that concern one operation on one resource. */
export interface AdmissionSteps {
  readonly admitting: readonly Required<Pick<AdmissionPlugin, "name" | "admit">>[];
  /** Those that hear of what has no object to change. */
  readonly hearing: readonly Required<Pick<AdmissionPlugin, "name" | "hear">>[];
  readonly validating: readonly Required<Pick<AdmissionPlugin, "name" | "validate">>[];
  /** Carries out all of a step, of which the observer hears; absent: nobody listens. What answers at once still does. */
  readonly whole?: Readonly<Record<"admit" | "validate", <T>(run: () => T | Promise<T>) => T | Promise<T>>>;
}

/** Whether a plugin, or all of one step, refused, and how long it took. */
export type NoteOutcome = (rejected: boolean, seconds: number) => void;

/** Hears how plugins and steps went. */
export interface AdmissionObserver {
  /** For one plugin, or for the whole step without a name; asked once, called often. */
  of(step: {
    readonly name?: string;
    readonly operation: Operation;
    readonly type: "admit" | "validate";
  }): NoteOutcome;
  /** Seconds of a clock that only runs forward. */
  now(): number;
  /** Hears of webhooks. */
  readonly dynamic?: DynamicObserver;
}

type Operation = AdmissionRequest["operation"];

/** All plugins in order; most requests concern few of them. */
export class AdmissionChain {
  readonly plugins: readonly AdmissionPlugin[];
  /** What concerns a resource, found out once: custom resources come and go. */
  private steps = new WeakMap<object, Partial<Record<Operation, AdmissionSteps>>>();
  private observer: AdmissionObserver | undefined;

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.plugins = plugins;
  }

  /** From now on `observer` hears of every step. */
  observe(observer: AdmissionObserver): void {
    this.observer = observer;
    this.steps = new WeakMap();
    if (!observer.dynamic) return;
    for (const plugin of this.plugins) plugin.observe?.(observer.dynamic);
  }

  stepsFor(operation: Operation, resource: Pick<Resource, "group" | "plural">): AdmissionSteps {
    const known = this.steps.get(resource) ?? {};
    const found = known[operation];
    if (found) return found;
    const steps = this.makeSteps(operation, resource);
    this.steps.set(resource, { ...known, [operation]: steps });
    return steps;
  }

  private makeSteps(operation: Operation, resource: Pick<Resource, "group" | "plural">): AdmissionSteps {
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
    return {
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
  }
}

type Run = (request: never) => unknown;

function wholeSteps(observer: AdmissionObserver, operation: Operation): NonNullable<AdmissionSteps["whole"]> {
  const timing = (type: "admit" | "validate") => {
    const note = observer.of({ operation, type });
    const heard = { observer, note };
    return <T>(run: () => T | Promise<T>): T | Promise<T> => measured(run, undefined, heard);
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
  const heard = { observer, note };
  return (request) => measured(run, request, heard);
}

interface Heard {
  readonly observer: AdmissionObserver;
  readonly note: NoteOutcome;
}

/** Every request comes here several times: nothing is made where a plugin answers at once. */
function measured<A, T>(
  run: (given: A) => T | Promise<T>,
  given: A,
  { observer, note }: Heard,
): T | Promise<T> {
  const started = observer.now();
  let answer: T | Promise<T>;
  try {
    answer = run(given);
  } catch (error) {
    note(true, observer.now() - started);
    throw error;
  }
  if (answer instanceof Promise)
    return settled(answer, (rejected) => note(rejected, observer.now() - started));
  note(false, observer.now() - started);
  return answer;
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
