import type { Value } from "../values/value.ts";
import type { Step } from "./frame.ts";

/** What a node became: how to evaluate it, and how its value may be used without being finished. */
export interface Plan {
  readonly step: Step;
  /** Known already. */
  readonly constant?: { readonly value: Value };
  /** The value as data hold it, before its type makes something of it, at the cost of getting there only. */
  readonly raw?: Step;
  /** Like `raw`, at the full cost. */
  readonly data?: Step;
}

/** The plan of what is known already. */
export const constant = (value: Value): Plan => ({ constant: { value }, step: () => value });
