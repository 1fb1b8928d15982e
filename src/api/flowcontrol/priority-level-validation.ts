import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { inRange } from "../common/checks.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { internalValue } from "../common/internal-value.ts";
import type {
  ExemptPriorityLevelConfiguration,
  LimitedPriorityLevelConfiguration,
  LimitResponse,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
} from "../types/flowcontrol-v1.ts";
import { flowControlDefaults } from "./bootstrap.ts";
import { validateTypes } from "./status.ts";

const exemptName = "exempt";
const percents = { from: 0, to: 100 };
const mostQueues = 10_000_000;
const hashBits = 60;

/** Checks a priority level; those that every cluster has are as they must be. */
export function validatePriorityLevel(level: PriorityLevelConfiguration): readonly FieldError[] {
  const { metadata, spec, status } = level;
  return [
    ...validateSpec(metadata.name, spec, FieldPath.root("spec")),
    ...validateFixed(metadata.name, spec),
    ...validateTypes(status),
  ];
}

function validateFixed(name: string, spec: PriorityLevelConfigurationSpec): FieldError[] {
  const fixed = flowControlDefaults.levels.mandatory[name];
  if (fixed === undefined) return [];
  const isOpen = name === exemptName;
  const compared = isOpen && fixed.exempt ? { ...spec, exempt: fixed.exempt } : spec;
  if (semanticallyEqual(compared, fixed)) return [];
  const type = "io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationSpec";
  const why = `spec of '${name}'${isOpen ? " except the 'spec.exempt' field" : ""} must equal the fixed value`;
  return [fieldErrors.invalid(FieldPath.root("spec"), internalValue(spec, type), why)];
}

function validateSpec(name: string, spec: PriorityLevelConfigurationSpec, path: FieldPath): FieldError[] {
  const type = spec.type ?? "";
  const { limited, exempt } = spec;
  const errors: FieldError[] = [];
  if ((name === exemptName) !== (type === "Exempt")) {
    const why = "type must be 'Exempt' if and only if name is 'exempt'";
    errors.push(fieldErrors.invalid(path.child("type"), type, why));
  }
  const at = path.child("limited");
  switch (type) {
    case "Exempt":
      if (limited) errors.push(fieldErrors.forbidden(at, "must be nil if the type is not Limited"));
      return [...errors, ...validateExempt(exempt, path.child("exempt"))];
    case "Limited":
      if (exempt) {
        errors.push(fieldErrors.forbidden(path.child("exempt"), "must be nil if the type is Limited"));
      }
      return limited
        ? [...errors, ...validateLimited(limited, at)]
        : [...errors, fieldErrors.required(at, "must not be empty when type is Limited")];
    default:
      return [...errors, fieldErrors.notSupported(path.child("type"), type, ["Exempt", "Limited"])];
  }
}

function validateExempt(exempt: ExemptPriorityLevelConfiguration | undefined, path: FieldPath): FieldError[] {
  return [
    ...validateShares(exempt?.nominalConcurrencyShares, path.child("nominalConcurrencyShares")),
    ...inRange(path.child("lendablePercent"), exempt?.lendablePercent, percents),
  ];
}

function validateShares(shares: number | undefined, path: FieldPath): FieldError[] {
  return (shares ?? 0) < 0 ? [fieldErrors.invalid(path, shares, "must be a non-negative integer")] : [];
}

function validateLimited(limited: LimitedPriorityLevelConfiguration, path: FieldPath): FieldError[] {
  const { nominalConcurrencyShares, limitResponse, lendablePercent, borrowingLimitPercent } = limited;
  const errors = [
    ...validateShares(nominalConcurrencyShares, path.child("nominalConcurrencyShares")),
    ...validateResponse(limitResponse, path.child("limitResponse")),
    ...inRange(path.child("lendablePercent"), lendablePercent, percents),
  ];
  if ((borrowingLimitPercent ?? 0) >= 0) return errors;
  const why = "if specified, must be a non-negative integer";
  return [...errors, fieldErrors.invalid(path.child("borrowingLimitPercent"), borrowingLimitPercent, why)];
}

function validateResponse(response: LimitResponse | undefined, path: FieldPath): FieldError[] {
  const type = response?.type ?? "";
  const queuing = response?.queuing;
  const at = path.child("queuing");
  switch (type) {
    case "Reject":
      return queuing
        ? [fieldErrors.forbidden(at, "must be nil if limited.limitResponse.type is not Limited")]
        : [];
    case "Queue":
      return queuing
        ? validateQueuing(queuing, at)
        : [fieldErrors.required(at, "must not be empty if limited.limitResponse.type is Limited")];
    default:
      return [fieldErrors.notSupported(path.child("type"), type, ["Queue", "Reject"])];
  }
}

function validateQueuing(queuing: QueuingConfiguration, path: FieldPath): FieldError[] {
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queuing;
  const errors: FieldError[] = [];
  const refuse = (field: keyof QueuingConfiguration, value: number, why: string) =>
    errors.push(fieldErrors.invalid(path.child(field), value, why));
  if (queueLengthLimit <= 0) refuse("queueLengthLimit", queueLengthLimit, "must be positive");
  if (queues <= 0) refuse("queues", queues, "must be positive");
  else if (queues > mostQueues) refuse("queues", queues, `must not be greater than ${mostQueues}`);
  if (handSize <= 0) refuse("handSize", handSize, "must be positive");
  else if (handSize > queues) {
    refuse("handSize", handSize, `should not be greater than queues (${queues})`);
  } else if (Math.ceil(Math.log2(queues) * handSize) > hashBits) {
    const hand = `deckSize ${queues} and handSize ${handSize}`;
    refuse("handSize", handSize, `required entropy bits of ${hand} should not be greater than ${hashBits}`);
  }
  return errors;
}
