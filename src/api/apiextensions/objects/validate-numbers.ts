import type { JSONSchemaProps } from "../../types/apiextensions-v1.ts";

/** Where a number stands, and who hears what is wrong with it. */
interface Place {
  readonly schema: JSONSchemaProps;
  readonly path: string;
  readonly findings: {
    matches: number;
    invalid(path: string, value: unknown, problem: string): void;
  };
}

/** Checks a number against its bounds. Whole numbers are compared with the whole part of these, as upstream does. */
export function checkNumber(value: number, { schema, path, findings }: Place): void {
  const { multipleOf, maximum, minimum, exclusiveMaximum = false, exclusiveMinimum = false } = schema;
  const whole = Number.isInteger(value);
  const bound = (limit: number) => (whole ? Math.trunc(limit) : limit);
  findings.matches += 2;
  if (multipleOf !== undefined && bound(multipleOf) !== 0) {
    const factor = bound(multipleOf);
    if (factor < 0) {
      const why = `factor MultipleOf declared for ${path} must be positive: ${factor}`;
      findings.invalid(path, factor, why);
    } else if (!isMultiple(value, factor)) {
      findings.invalid(path, value, `should be a multiple of ${factor}`);
    }
  }
  if (maximum !== undefined) {
    const limit = bound(maximum);
    const orEqual = exclusiveMaximum ? "" : "or equal to ";
    if (exclusiveMaximum ? value >= limit : value > limit) {
      findings.invalid(path, value, `should be less than ${orEqual}${limit}`);
    }
  }
  if (minimum !== undefined) {
    const limit = bound(minimum);
    const orEqual = exclusiveMinimum ? "" : "or equal to ";
    if (exclusiveMinimum ? value <= limit : value < limit) {
      findings.invalid(path, value, `should be greater than ${orEqual}${limit}`);
    }
  }
}

/** What fractions may be off and still be the same. */
const tolerance = 1e-9;

function isMultiple(value: number, factor: number): boolean {
  const times = factor < 1 ? (1 / factor) * value : value / factor;
  if (Number.isInteger(times)) return true;
  const whole = Math.trunc(times);
  const size = Math.abs(times) + Math.abs(whole);
  return whole !== 0 && Math.abs(times - whole) / size < tolerance;
}
