import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { resource } from "../../../apimachinery/index.ts";
import type { KubernetesObject, New } from "../../../apimachinery/index.ts";
import { silentLogger, systemRandom, VirtualClock } from "../../../base/index.ts";
import {
  MutatingWebhookConfiguration,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
} from "../../../api/types/admissionregistration-v1.ts";
import { CustomResourceDefinition } from "../../../api/types/apiextensions-v1.ts";
import { createControlPlane, type ControlPlane } from "../../../control-plane/index.ts";
import { createMemoryStore } from "../../../store/index.ts";
import { serveHooks } from "../../admission/webhooks/webhooks-suite.ts";
import { generateServiceAccountKey } from "../../authentication/index.ts";
import { definitionOf, eventually, serveConversion, widget } from "./conversion-suite.ts";
import type { ConversionHook } from "./conversion-suite.ts";

type Widget = KubernetesObject & { readonly spec?: Readonly<Record<string, unknown>> };

const widgetOf = (version: string) =>
  resource<Widget>({
    group: "example.com",
    version,
    kind: "Widget",
    plural: "widgets",
    namespaced: true,
  });
const [First, Second] = [widgetOf("v1"), widgetOf("v2")];
const key = { namespace: "default", name: "one" };
const made = (version: "v1" | "v2") => {
  const object = widget(version, "one");
  return { ...object, metadata: { ...object.metadata, namespace: "default" } } as unknown as New<Widget>;
};

let hook: ConversionHook;
let plane: ControlPlane;
let hooks: Awaited<ReturnType<typeof serveHooks>>;
const client = () => plane.clientFor({ name: "ann", uid: "7", groups: ["system:masters"], extra: {} });

beforeAll(async () => {
  const clock = new VirtualClock();
  hook = await serveConversion();
  hooks = await serveHooks({
    "/allow": () => ({ allowed: true }),
    "/paint": () => ({
      allowed: true,
      patchType: "JSONPatch",
      patch: Buffer.from(JSON.stringify([{ op: "replace", path: "/spec/paint", value: "gold" }])).toString(
        "base64",
      ),
    }),
  });
  plane = await createControlPlane({
    store: createMemoryStore({ clock }),
    clock,
    random: systemRandom,
    logger: silentLogger,
    serviceAccountKey: await generateServiceAccountKey(),
    issuer: "https://kubernetes.default.svc",
    rootCertificateAuthority: "",
    serviceCIDR: "10.96.0.0/16",
  });
  await client().create(
    CustomResourceDefinition,
    definitionOf(hook) as unknown as New<CustomResourceDefinition>,
  );
  await eventually(async () => expect((await client().list(Second)).items).toEqual([]));
});

afterAll(async () => {
  hooks.close();
  hook.close();
  await plane.close();
});

afterEach(async () => {
  hook.answer = undefined;
  await client().deleteCollection(MutatingWebhookConfiguration, {});
  await client().deleteCollection(ValidatingWebhookConfiguration, {});
  await client().deleteCollection(First, { namespace: "default" });
  hooks.calls.length = 0;
  hook.asked();
});

/** Webhooks that only have a rule for the version that is not stored. */
const configuration = (path: string) => ({
  metadata: { name: "hooks" },
  webhooks: [
    {
      name: "hook.example.com",
      admissionReviewVersions: ["v1"],
      sideEffects: "None",
      clientConfig: { url: hooks.url + path, caBundle: hooks.caBundle },
      rules: [{ operations: ["*"], apiGroups: ["example.com"], apiVersions: ["v2"], resources: ["widgets"] }],
    },
  ],
});

test("Webhooks are shown objects in the version for which they have rules", async () => {
  await client().create(ValidatingWebhookConfiguration, configuration("/allow") as never);
  await client().create(First, made("v1"));
  await client().patch(First, key, { type: "merge", body: { spec: { color: "blue" } } });
  const shown = hooks.calls.map(({ body: { request } }) => [request["object"], request["oldObject"]]);
  expect(shown).toMatchObject([
    [{ apiVersion: "example.com/v2", spec: { paint: "red" } }, null],
    [
      { apiVersion: "example.com/v2", spec: { paint: "blue" } },
      { apiVersion: "example.com/v2", spec: { paint: "red" } },
    ],
  ]);
});

test("What webhooks change in another version is converted back", async () => {
  await client().create(MutatingWebhookConfiguration, configuration("/paint") as never);
  const object = await client().create(First, made("v1"));
  expect(object).toMatchObject({ apiVersion: "example.com/v1", spec: { color: "gold" } });
});

test("A request is refused where nobody converts for a webhook", async () => {
  await client().create(ValidatingWebhookConfiguration, configuration("/allow") as never);
  hook.answer = () => ({ result: { status: "Failure", message: "no luck" } });
  await expect(client().create(First, made("v1"))).rejects.toMatchObject({
    code: 500,
    message:
      "Internal error occurred: conversion for example.com/v1, Kind=Widget failed: conversion webhook for /, Kind= failed: no luck",
  });
});

test("Policies see objects and parameters in the version that they name", async () => {
  const policy = {
    metadata: { name: "shades" },
    spec: {
      failurePolicy: "Fail",
      paramKind: { apiVersion: "example.com/v2", kind: "Widget" },
      matchConstraints: {
        resourceRules: [
          { operations: ["UPDATE"], apiGroups: ["example.com"], apiVersions: ["v2"], resources: ["widgets"] },
        ],
      },
      validations: [
        {
          expression: "object.spec.paint == params.spec.paint",
          messageExpression: "'not ' + params.spec.paint",
        },
      ],
    },
  };
  const paramRef = { name: "params", namespace: "default", parameterNotFoundAction: "Deny" };
  const binding = {
    metadata: { name: "shades" },
    spec: { policyName: "shades", paramRef, validationActions: ["Deny"] },
  };
  const params = made("v1");
  await client().create(First, { ...params, metadata: { ...params.metadata, name: "params" } });
  await client().create(First, made("v1"));
  await client().create(ValidatingAdmissionPolicy, policy as never);
  await client().create(ValidatingAdmissionPolicyBinding, binding as never);
  const change = (spec: object) => client().patch(First, key, { type: "merge", body: { spec } });
  await expect(change({ color: "blue" })).rejects.toMatchObject({
    message: expect.stringContaining("denied request: not red"),
  });
  expect((await change({ size: 5 })).spec).toEqual({ color: "red", size: 5 });
  await client().deleteCollection(ValidatingAdmissionPolicyBinding, {});
  await client().deleteCollection(ValidatingAdmissionPolicy, {});
});

test("Whoever is in the process gets objects in any version, too", async () => {
  await client().create(Second, made("v2"));
  expect((await client().get(Second, key)).spec).toEqual({ paint: "red", size: 3 });
  const ending = new AbortController();
  const heard: string[] = [];
  const following = (async () => {
    for await (const events of client().watch(Second, { signal: ending.signal })) {
      for (const { type, object } of events) heard.push(`${type} ${object.apiVersion}`);
    }
  })();
  await eventually(() => expect(heard).toEqual(["ADDED example.com/v2"]));
  await client().patch(First, key, { type: "merge", body: { spec: { color: "blue" } } });
  await eventually(() => expect(heard).toEqual(["ADDED example.com/v2", "MODIFIED example.com/v2"]));
  ending.abort();
  await following;
});
