import { BackwardWriter } from "../../../apimachinery/codec/index.ts";

/** One function of a stack. */
export interface Frame {
  readonly name: string;
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
}

/** What was measured, of a kind and in a unit: `["cpu", "nanoseconds"]`. */
export type Measure = readonly [type: string, unit: string];

/** Stacks with what was measured at each. */
export interface Profile {
  readonly measures: readonly Measure[];
  readonly samples: readonly {
    /** The innermost first. */
    readonly stack: readonly Frame[];
    /** One of each measure. */
    readonly values: readonly number[];
  }[];
  readonly timeNanoseconds: bigint;
  readonly durationNanoseconds: bigint;
  readonly period: { readonly measure: Measure; readonly value: number };
}

const field = {
  sampleType: 1,
  sample: 2,
  location: 4,
  function: 5,
  strings: 6,
  time: 9,
  duration: 10,
  periodType: 11,
  period: 12,
} as const;
const varint = 0;

/** A profile in the form of `go tool pprof` (google/pprof, proto/profile.proto), not compressed. */
export function encodeProfile(profile: Profile): Uint8Array {
  const tables = new Tables();
  const { measures, period } = profile;
  const samples = profile.samples.map(({ stack, values }) => ({
    locations: stack.map((frame) => tables.location(frame)),
    values,
  }));
  const types = measures.map((measure) => tables.measure(measure));
  const periodType = tables.measure(period.measure);
  const writer = new BackwardWriter();
  const message = (number: number, write: () => void) => {
    const before = writer.length;
    write();
    writer.delimit(number, before);
  };
  // Backwards: what comes last is written first.
  integer(writer, field.period, BigInt(period.value));
  message(field.periodType, () => writeType(writer, periodType));
  integer(writer, field.duration, profile.durationNanoseconds);
  integer(writer, field.time, profile.timeNanoseconds);
  const encoder = new TextEncoder();
  for (const text of tables.strings.toReversed())
    message(field.strings, () => writer.bytes(encoder.encode(text)));
  for (const [id, { name, file }] of [...tables.functions.entries()].toReversed()) {
    message(field.function, () => {
      integer(writer, 4, file);
      integer(writer, 2, name);
      integer(writer, 1, id + 1);
    });
  }
  for (const [id, { functionId, line }] of [...tables.locations.entries()].toReversed()) {
    message(field.location, () => {
      message(4, () => {
        integer(writer, 2, line);
        integer(writer, 1, functionId);
      });
      integer(writer, 1, id + 1);
    });
  }
  for (const { locations, values } of samples.toReversed()) {
    message(field.sample, () => {
      message(2, () => {
        for (const value of values.toReversed()) writer.bigint(BigInt(value));
      });
      message(1, () => {
        for (const location of locations.toReversed()) writer.bigint(BigInt(location));
      });
    });
  }
  for (const type of types.toReversed()) message(field.sampleType, () => writeType(writer, type));
  return writer.finish();
}

function integer(writer: BackwardWriter, number: number, value: number | bigint): void {
  writer.bigint(BigInt(value));
  writer.tag(number, varint);
}

function writeType(
  writer: BackwardWriter,
  { type, unit }: { readonly type: number; readonly unit: number },
): void {
  integer(writer, 2, unit);
  integer(writer, 1, type);
}

/** Strings, functions and locations: each stands once, and is named by its number. */
class Tables {
  /** The first is empty. */
  readonly strings: string[] = [""];
  readonly functions: { readonly name: number; readonly file: number }[] = [];
  readonly locations: { readonly functionId: number; readonly line: number }[] = [];
  private readonly numbers = new Map<string, number>([["", 0]]);
  private readonly functionIds = new Map<string, number>();
  private readonly locationIds = new Map<string, number>();

  measure([type, unit]: Measure): { readonly type: number; readonly unit: number } {
    return { type: this.text(type), unit: this.text(unit) };
  }

  location({ name, file, line }: Frame): number {
    const functionKey = `${name}\0${file}`;
    let functionId = this.functionIds.get(functionKey);
    if (functionId === undefined) {
      this.functions.push({ name: this.text(name), file: this.text(file) });
      functionId = this.functions.length;
      this.functionIds.set(functionKey, functionId);
    }
    const key = `${functionId}:${line}`;
    let id = this.locationIds.get(key);
    if (id === undefined) {
      this.locations.push({ functionId, line });
      id = this.locations.length;
      this.locationIds.set(key, id);
    }
    return id;
  }

  private text(value: string): number {
    const known = this.numbers.get(value);
    if (known !== undefined) return known;
    this.strings.push(value);
    this.numbers.set(value, this.strings.length - 1);
    return this.strings.length - 1;
  }
}
