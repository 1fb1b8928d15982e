import { operators, type Comprehension, type Expression } from "../syntax/ast.ts";
import { EvaluationError } from "../values/errors.ts";
import { entriesOf, mapKeyOf, shownKey } from "../values/maps.ts";
import { CelMap, adapt, elementsOf, isMap, typeNameOf, type MapKey, type Value } from "../values/value.ts";
import type { Frame, Step } from "./frame.ts";
import type { Plan } from "./plan.ts";
import type { Planner } from "./planner.ts";

/** Where a loop keeps its variables. */
interface Slots {
  readonly accumulator: number;
  readonly first: number;
  readonly second: number | undefined;
}

/** Sets the loop's variables for each element, until `body` answers that it is enough. */
function forEach(
  frame: Frame,
  range: Value,
  { slots, body }: { readonly slots: Slots; readonly body: () => boolean },
): void {
  const { locals } = frame;
  const { first, second } = slots;
  const elements = elementsOf(range);
  if (elements) {
    for (let index = 0; index < elements.length; index++) {
      const element = adapt(elements[index]);
      locals[first] = second === undefined ? element : index;
      if (second !== undefined) locals[second] = element;
      if (!body()) return;
    }
    return;
  }
  if (!isMap(range)) throw new EvaluationError(`got '${goTypeOf(range)}', expected iterable type`);
  for (const [key, value] of entriesOf(range)) {
    locals[first] = key;
    if (second !== undefined) locals[second] = value;
    if (!body()) return;
  }
}

const goTypes: Readonly<Record<string, string>> = {
  bool: "types.Bool",
  bytes: "types.Bytes",
  double: "types.Double",
  "google.protobuf.Duration": "types.Duration",
  "google.protobuf.Timestamp": "types.Timestamp",
  int: "types.Int",
  null_type: "types.Null",
  optional_type: "*types.Optional",
  string: "types.String",
  type: "*types.Type",
  uint: "types.Uint",
};

const goTypeOf = (value: Value): string => goTypes[typeNameOf(value)] ?? typeNameOf(value);

/** Compiles a loop. */
export function planLoop(planner: Planner, node: Comprehension): Plan {
  const rangePlan = planner.plan(node.range);
  const range = rangePlan.data ?? rangePlan.raw ?? rangePlan.step;
  const slots: Slots = {
    accumulator: planner.slot(),
    first: planner.slot(),
    second: node.secondVariable === undefined ? undefined : planner.slot(),
  };
  const initial = planner.plan(node.initial).step;
  const accumulator = { name: node.accumulator, slot: slots.accumulator };
  return planner.with([accumulator], () => {
    const variables = [{ name: node.variable, slot: slots.first }];
    if (node.secondVariable !== undefined && slots.second !== undefined) {
      variables.push({ name: node.secondVariable, slot: slots.second });
    }
    const gathering = planner.with(variables, () => planGathering(planner, node));
    const result = planner.plan(node.result).step;
    if (gathering) return planGatherer(gathering, { range, initial, result, slots });
    const [condition, step] = planner.with(variables, () =>
      [node.condition, node.step].map((part) => planner.plan(part).step),
    ) as [Step, Step];
    return {
      step: (frame) => {
        const over = range(frame);
        frame.locals[slots.accumulator] = initial(frame);
        const body = () => {
          if (condition(frame) !== true) return false;
          frame.locals[slots.accumulator] = attempt(step, frame);
          return true;
        };
        forEach(frame, over, { slots, body });
        return result(frame);
      },
    };
  });
}

/** An error becomes the value: later elements may make it good. */
function attempt(step: Step, frame: Frame): Value | EvaluationError {
  try {
    return step(frame);
  } catch (error) {
    if (error instanceof EvaluationError && !error.fatal) return error;
    throw error;
  }
}

/** A loop that only adds to a list or a map, which can be done in place. */
interface Gathering {
  readonly filter: Step | undefined;
  readonly add: (frame: Frame, into: Gatherer) => void;
}

/** What a loop gathers, until it is done. */
interface Gatherer {
  readonly list: Value[];
  readonly map: Map<MapKey, readonly [Value, Value]>;
}

const isAccumulator = (node: Expression | undefined, { accumulator }: Comprehension): boolean =>
  node?.kind === "identifier" && node.name === accumulator;

function planGathering(planner: Planner, node: Comprehension): Gathering | undefined {
  const isEmpty =
    (node.initial.kind === "list" && node.initial.elements.length === 0) ||
    (node.initial.kind === "map" && node.initial.entries.length === 0);
  if (!isEmpty || node.condition.kind !== "literal" || node.step.kind !== "call") return undefined;
  const filtered = node.step.name === operators.conditional && isAccumulator(node.step.args[2], node);
  const step = filtered ? node.step.args[1] : node.step;
  if (step?.kind !== "call" || !isAccumulator(step.args[0], node)) return undefined;
  const add = step.name === operators.add ? planPush(planner, step.args[1]) : planInsert(planner, step);
  const filter = filtered ? planner.plan(node.step.args[0] as Expression).step : undefined;
  return add && { filter, add };
}

/** The cost of reading the accumulator and of adding to it. */
const additionCost = 2;
const listCost = 10;

function planPush(planner: Planner, list: Expression | undefined): Gathering["add"] | undefined {
  if (list?.kind !== "list" || list.elements.length !== 1 || list.optionalIndices.length > 0)
    return undefined;
  const element = planner.plan(list.elements[0] as Expression);
  const isConstant = planner.options.foldConstants && element.constant !== undefined;
  const cost = additionCost + (isConstant ? 0 : listCost);
  return (frame, { list: into }) => {
    const value = element.step(frame);
    frame.charge(cost);
    into.push(value);
  };
}

function planInsert(
  planner: Planner,
  { name, args }: { name: string; args: readonly Expression[] },
): Gathering["add"] | undefined {
  if (name !== "cel.@mapInsert") return undefined;
  const [first, second] = args.slice(1).map((arg) => planner.plan(arg).step);
  return (frame, { map }) => {
    const key = (first as Step)(frame);
    const entries = second ? [[key, second(frame)] as const] : entriesOf(key);
    for (const [each, value] of entries) insert(map, each, value);
    frame.charge(additionCost);
  };
}

function insert(map: Gatherer["map"], key: Value, value: Value): void {
  const mapKey = mapKeyOf(key);
  if (mapKey === undefined) throw new EvaluationError("unsupported key type");
  if (map.has(mapKey)) throw new EvaluationError(`insert failed: key ${shownKey(key)} already exists`);
  map.set(mapKey, [key, value]);
}

function planGatherer(
  { filter, add }: Gathering,
  { range, initial, result, slots }: { range: Step; initial: Step; result: Step; slots: Slots },
): Plan {
  return {
    step: (frame) => {
      const over = range(frame);
      const isList = Array.isArray(initial(frame));
      const into: Gatherer = { list: [], map: new Map() };
      const body = () => {
        const wanted = filter ? filter(frame) : true;
        if (wanted === true) add(frame, into);
        else if (wanted !== false) throw new EvaluationError("no such overload");
        return true;
      };
      forEach(frame, over, { slots, body });
      frame.locals[slots.accumulator] = isList ? into.list : new CelMap(into.map);
      return result(frame);
    },
  };
}
