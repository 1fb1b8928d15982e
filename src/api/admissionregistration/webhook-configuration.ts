import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, isDNS1123Subdomain } from "../../apimachinery/index.ts";
import { inRange, invalidFor, optionalOneOf } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { fill, mapField, mapList } from "../common/fill.ts";
import { validateLabelSelector } from "../common/selectors.ts";
import { defineResource } from "../definition.ts";
import type { MutatingWebhook, ValidatingWebhook } from "../types/admissionregistration-v1.ts";
import {
  MutatingWebhookConfiguration,
  ValidatingWebhookConfiguration,
} from "../types/admissionregistration-v1.ts";

type Configuration = MutatingWebhookConfiguration | ValidatingWebhookConfiguration;
type Webhook = MutatingWebhook | ValidatingWebhook;

const supportedReviews = ["v1", "v1beta1"];
const operations = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];

const webhooksColumn = column<Configuration>("Webhooks", "How many webhooks there are", {
  type: "integer",
  value: ({ webhooks }) => webhooks?.length ?? 0,
});

/** The rules of configurations of mutating webhooks. */
export const mutatingWebhookConfigurationDefinition = defineResource<MutatingWebhookConfiguration>({
  resource: MutatingWebhookConfiguration,
  requiresVersion: true,
  defaults: (object) =>
    mapField(object, "webhooks", (webhooks) =>
      mapList(webhooks, (webhook) => fill(defaultWebhook(webhook), { reinvocationPolicy: "Never" })),
    ),
  validate: (object) => validateWebhooks(object.webhooks ?? []),
  columns: [nameColumn, webhooksColumn, ageColumn],
  tracksGeneration: true,
});

/** The rules of configurations of validating webhooks. */
export const validatingWebhookConfigurationDefinition = defineResource<ValidatingWebhookConfiguration>({
  resource: ValidatingWebhookConfiguration,
  requiresVersion: true,
  defaults: (object) =>
    mapField(object, "webhooks", (webhooks) => mapList(webhooks, (webhook) => defaultWebhook(webhook))),
  validate: (object) => validateWebhooks(object.webhooks ?? []),
  columns: [nameColumn, webhooksColumn, ageColumn],
  tracksGeneration: true,
});

function defaultWebhook<W extends Webhook>(webhook: W): W {
  let result: Webhook = fill<Webhook>(webhook, {
    failurePolicy: "Fail",
    matchPolicy: "Equivalent",
    namespaceSelector: {},
    objectSelector: {},
    timeoutSeconds: 10,
  });
  result = mapField(result, "rules", (rules) => mapList(rules, (rule) => fill(rule, { scope: "*" })));
  result = mapField(result, "clientConfig", (config) =>
    mapField(config, "service", (service) => fill(service, { port: 443 })),
  );
  return result as W;
}

function validateWebhooks(webhooks: readonly Webhook[]): readonly FieldError[] {
  const names = new Set<string>();
  return webhooks.flatMap((webhook, index) => {
    const path = FieldPath.root("webhooks").index(index);
    const errors = validateWebhook(webhook, path);
    if (names.has(webhook.name)) errors.push(fieldErrors.duplicate(path.child("name"), webhook.name));
    names.add(webhook.name);
    return errors;
  });
}

function validateWebhook(webhook: Webhook, path: FieldPath): FieldError[] {
  const { clientConfig, sideEffects } = webhook;
  const name = webhook.name ?? "";
  const admissionReviewVersions = webhook.admissionReviewVersions ?? [];
  const errors: FieldError[] = [];
  const at = path.child("name");
  if (name === "") errors.push(fieldErrors.required(at));
  else {
    errors.push(...invalidFor(at, name, isDNS1123Subdomain(name)));
    if (errors.length === 0 && name.split(".").length < 3) {
      errors.push(
        fieldErrors.invalid(at, name, "should be a domain with at least three segments separated by dots"),
      );
    }
  }
  for (const [index, rule] of (webhook.rules ?? []).entries()) {
    const rulePath = path.child("rules").index(index);
    for (const field of ["operations", "apiGroups", "apiVersions", "resources"] as const) {
      if (!rule[field]?.length) errors.push(fieldErrors.required(rulePath.child(field)));
    }
    for (const [position, operation] of (rule.operations ?? []).entries()) {
      errors.push(...optionalOneOf(rulePath.child("operations").index(position), operation, operations));
    }
  }
  errors.push(
    ...optionalOneOf(path.child("failurePolicy"), webhook.failurePolicy, ["Fail", "Ignore"]),
    ...optionalOneOf(path.child("matchPolicy"), webhook.matchPolicy, ["Equivalent", "Exact"]),
  );
  if (sideEffects === undefined) {
    const why = `must specify one of ${["None", "NoneOnDryRun"].join(", ")}`;
    errors.push(fieldErrors.required(path.child("sideEffects"), why));
  } else errors.push(...optionalOneOf(path.child("sideEffects"), sideEffects, ["None", "NoneOnDryRun"]));
  errors.push(
    ...inRange(path.child("timeoutSeconds"), webhook.timeoutSeconds, { from: 1, to: 30 }).map(() =>
      fieldErrors.invalid(
        path.child("timeoutSeconds"),
        webhook.timeoutSeconds,
        "the timeout value must be between 1 and 30 seconds",
      ),
    ),
    ...validateLabelSelector(webhook.namespaceSelector, path.child("namespaceSelector")),
    ...validateLabelSelector(webhook.objectSelector, path.child("objectSelector")),
  );
  if (admissionReviewVersions.length === 0) {
    const why = `must specify one of ${supportedReviews.join(", ")}`;
    errors.push(fieldErrors.required(path.child("admissionReviewVersions"), why));
  } else if (!admissionReviewVersions.some((version) => supportedReviews.includes(version))) {
    const why = `must include at least one of ${supportedReviews.join(", ")}`;
    errors.push(fieldErrors.invalid(path.child("admissionReviewVersions"), admissionReviewVersions, why));
  }
  const config = path.child("clientConfig");
  if ((clientConfig?.url === undefined) === (clientConfig?.service === undefined)) {
    errors.push(fieldErrors.required(config, "exactly one of url or service is required"));
  }
  return errors;
}
