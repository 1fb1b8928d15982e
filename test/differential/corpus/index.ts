import type { Sequence } from "../step.ts";
import { aggregationSequences } from "./aggregation.ts";
import { coreSequences } from "./core-kinds.ts";
import { customSequences } from "./custom-resources.ts";
import { frontSequences } from "./front.ts";
import { encodingSequences } from "./encodings.ts";
import { evictionSequences } from "./evictions.ts";
import { extensionSequences } from "./extension-kinds.ts";
import { listSequences } from "./lists.ts";
import { serviceSequences } from "./services.ts";
import { platformSequences } from "./platform.ts";
import { valueSequences } from "./values.ts";
import { verbSequences } from "./verbs.ts";
import { workloadSequences } from "./workloads.ts";
import { writeSequences } from "./writes.ts";

/** All requests, in the order in which they are sent; the first sequence makes the namespace of the others. */
export const corpus: readonly Sequence[] = [
  ...verbSequences,
  ...listSequences,
  ...encodingSequences,
  ...valueSequences,
  ...frontSequences,
  ...coreSequences,
  ...serviceSequences,
  ...platformSequences,
  ...writeSequences,
  ...extensionSequences,
  ...customSequences,
  ...aggregationSequences,
  ...workloadSequences,
  ...evictionSequences,
];
