import type { FieldError, Resource } from "../../apimachinery/index.ts";
import {
  FieldPath,
  fieldErrors,
  isDNS1123Subdomain,
  validateLabelSelector,
} from "../../apimachinery/index.ts";
import { invalidJoined, optionalOneOf } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { fillMissing, mapField, mapList } from "../common/fill.ts";
import {
  hasAcceptedReview,
  missingReviewVersions,
  validateReviewVersions,
  validateWebhookClient,
} from "../common/webhook-client.ts";
import type { ResourceDefinition } from "../definition.ts";
import { defineResource } from "../definition.ts";
import type { MutatingWebhook, ValidatingWebhook } from "../types/admissionregistration-v1.ts";
import {
  MutatingWebhookConfiguration,
  ValidatingWebhookConfiguration,
} from "../types/admissionregistration-v1.ts";
import { reservedNameWarnings, validateMatchConditions, validateRule } from "./rules.ts";

type Configuration = MutatingWebhookConfiguration | ValidatingWebhookConfiguration;
type Webhook = MutatingWebhook | ValidatingWebhook;

const allSideEffects = ["None", "NoneOnDryRun", "Some", "Unknown"];
const noSideEffects = ["None", "NoneOnDryRun"];
const fewestSegments = 3;
const timeouts = { from: 1, to: 30 };

/** The rules of configurations of mutating webhooks. */
export const mutatingWebhookConfigurationDefinition = configurationDefinition<MutatingWebhookConfiguration>(
  MutatingWebhookConfiguration,
  {
    reinvocationPolicy: "Never",
  },
);

/** The rules of configurations of validating webhooks. */
export const validatingWebhookConfigurationDefinition =
  configurationDefinition<ValidatingWebhookConfiguration>(ValidatingWebhookConfiguration, {});

function configurationDefinition<T extends Configuration>(
  resource: Resource<T>,
  further: Partial<MutatingWebhook>,
): ResourceDefinition<T> {
  return defineResource<T>({
    resource,
    plainFinalizers: true,
    repeatedMetadataChecks: ["whole"],
    requiresVersion: true,
    defaults: (object) =>
      mapField<Configuration, "webhooks">(object, "webhooks", (webhooks) =>
        mapList<Webhook>(webhooks, (webhook) =>
          fillMissing<MutatingWebhook>(defaultWebhook(webhook), further),
        ),
      ) as T,
    validateCreate: (object) => validateWebhooks(object.webhooks ?? [], strict),
    validateUpdate: (object, old) =>
      validateWebhooks(object.webhooks ?? [], rulesAfter(object.webhooks ?? [], old.webhooks ?? [])),
    warnings: ({ metadata }) => reservedNameWarnings(metadata.name),
    columns: [
      nameColumn,
      column<T>("Webhooks", "How many webhooks there are", {
        type: "integer",
        value: ({ webhooks }) => webhooks?.length ?? 0,
      }),
      ageColumn,
    ],
    tracksGeneration: true,
  });
}

function defaultWebhook(webhook: Webhook): Webhook {
  let result: Webhook = fillMissing<Webhook>(webhook, {
    failurePolicy: "Fail",
    matchPolicy: "Equivalent",
    namespaceSelector: {},
    objectSelector: {},
    timeoutSeconds: 10,
  });
  result = mapField(result, "rules", (rules) => mapList(rules, (rule) => fillMissing(rule, { scope: "*" })));
  return mapField(result, "clientConfig", (config) =>
    mapField(config, "service", (service) => fillMissing(service, { port: 443 })),
  );
}

/** What is asked of webhooks; what was there before a rule came may go on. */
interface WebhookRules {
  readonly conditions: boolean;
  readonly noSideEffects: boolean;
  readonly acceptedReview: boolean;
  readonly uniqueNames: boolean;
  readonly selectorValues: boolean;
}

const strict: WebhookRules = {
  conditions: true,
  noSideEffects: true,
  acceptedReview: true,
  uniqueNames: true,
  selectorValues: true,
};

function rulesAfter(next: readonly Webhook[], old: readonly Webhook[]): WebhookRules {
  const selectors = old.flatMap(({ namespaceSelector, objectSelector }) => [
    namespaceSelector,
    objectSelector,
  ]);
  const path = FieldPath.empty;
  return {
    conditions:
      next.length !== old.length ||
      old.some(
        ({ matchConditions }, index) => !semanticallyEqual(matchConditions, next[index]?.matchConditions),
      ),
    noSideEffects: old.every(({ sideEffects }) => noSideEffects.includes(sideEffects)),
    acceptedReview: old.every(({ admissionReviewVersions }) => hasAcceptedReview(admissionReviewVersions)),
    uniqueNames: new Set(old.map(({ name }) => name)).size === old.length,
    selectorValues: selectors.every((selector) => validateLabelSelector(selector, { path }).length === 0),
  };
}

function validateWebhooks(webhooks: readonly Webhook[], rules: WebhookRules): readonly FieldError[] {
  const names = new Set<string>();
  return webhooks.flatMap((webhook, index) => {
    const path = FieldPath.root("webhooks").index(index);
    const name = webhook.name ?? "";
    const errors = [
      ...validateWebhook(webhook, path, rules),
      ...validateReviewVersions(webhook.admissionReviewVersions, path.child("admissionReviewVersions"), {
        requireAccepted: rules.acceptedReview,
        missing: missingReviewVersions,
      }),
    ];
    if (rules.uniqueNames && names.has(name)) errors.push(fieldErrors.duplicate(path.child("name"), name));
    if (name !== "") names.add(name);
    return errors;
  });
}

function validateWebhook(webhook: Webhook, path: FieldPath, rules: WebhookRules): FieldError[] {
  const { timeoutSeconds, namespaceSelector, objectSelector } = webhook;
  // Upstream always writes this field: one that is absent is null.
  const sideEffects = webhook.sideEffects ?? undefined;
  const checkValues = rules.selectorValues;
  const errors = validateName(webhook.name ?? "", path.child("name"));
  for (const [index, rule] of (webhook.rules ?? []).entries()) {
    errors.push(...validateRule(rule, path.child("rules").index(index)));
  }
  errors.push(
    ...optionalOneOf(path.child("failurePolicy"), webhook.failurePolicy, ["Fail", "Ignore"]),
    ...optionalOneOf(path.child("matchPolicy"), webhook.matchPolicy, ["Equivalent", "Exact"]),
  );
  const allowed = rules.noSideEffects ? noSideEffects : allSideEffects;
  if (sideEffects === undefined) {
    errors.push(fieldErrors.required(path.child("sideEffects"), `must specify one of ${allowed.join(", ")}`));
  }
  errors.push(...optionalOneOf(path.child("sideEffects"), sideEffects, allowed));
  if (timeoutSeconds !== undefined && (timeoutSeconds < timeouts.from || timeoutSeconds > timeouts.to)) {
    const why = "the timeout value must be between 1 and 30 seconds";
    errors.push(fieldErrors.invalid(path.child("timeoutSeconds"), timeoutSeconds, why));
  }
  errors.push(
    ...validateLabelSelector(namespaceSelector, { path: path.child("namespaceSelector"), checkValues }),
    ...validateLabelSelector(objectSelector, { path: path.child("objectSelector"), checkValues }),
  );
  if ("reinvocationPolicy" in webhook) {
    const at = path.child("reinvocationPolicy");
    errors.push(...optionalOneOf(at, webhook.reinvocationPolicy, ["IfNeeded", "Never"]));
  }
  errors.push(...validateWebhookClient(webhook.clientConfig, path.child("clientConfig")));
  if (rules.conditions) {
    const at = path.child("matchConditions");
    errors.push(...validateMatchConditions(webhook.matchConditions, at, { params: false }));
  }
  return errors;
}

function validateName(name: string, path: FieldPath): FieldError[] {
  if (name === "") return [fieldErrors.required(path)];
  const errors = invalidJoined(path, name, isDNS1123Subdomain(name));
  if (errors.length > 0 || name.split(".").length >= fewestSegments) return errors;
  const why = "should be a domain with at least three segments separated by dots";
  return [fieldErrors.invalid(path, name, why)];
}
