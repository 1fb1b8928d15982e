import { describe, expect, test } from "vitest";
import type { RequestContext } from "../definition.ts";
import type { CertificateSigningRequest } from "../types/certificates-v1.ts";
import { certificateSigningRequestDefinition as definition } from "./certificate-signing-request.ts";

const now = Date.UTC(2026, 0, 2);
const user = { name: "ann", uid: "1", groups: ["people"] };
const early = "2026-01-01T00:00:00Z";
const late = "2026-01-02T00:00:00Z";

/** Made by openssl. */
const asked =
  "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlJQkp6Q0J6Z0lCQURBeE1SVXdFd1lEVlFRS0RBeHplWE4wWlcwNmJtOWtaWE14R0RBV0JnTlZCQU1NRDNONQpjM1JsYlRwdWIyUmxPbTl1WlRCWk1CTUdCeXFHU000OUFnRUdDQ3FHU000OUF3RUhBMElBQkZGM2xJYzlLQ2Z2Cm9iV1ZwN2U0V2pxdGVEVlZGK1M1akVoeWZLNE8wN1RpcXdJRlZGWlZ6UEVYRnFLWDhRWUFqWjVZVWE2RlJRWnMKUDQzK3cwUlZwZ21nT3pBNUJna3Foa2lHOXcwQkNRNHhMREFxTUNnR0ExVWRFUVFoTUIrQ0EyOXVaWWNFQ2dBQQpBWUVGWVVCaUxtT0dDMmgwZEhCek9pOHZlQzU1TUFvR0NDcUdTTTQ5QkFNQ0EwZ0FNRVVDSVFEa3N6QWxqVnJQCjZHWnJIU25rRVQrVm5sTlRNekxEUXZCcDJ4YVlraU5RNUFJZ1UwM09Wc1NMckpQUTZkKzNLYmZyUFl6azR4Q0cKZ0drTVJpWXZ3WUNIK3JnPQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K";

const request = (
  conditions: readonly object[],
  status: object = {},
  spec: object = {},
): CertificateSigningRequest =>
  ({
    metadata: { name: "x" },
    spec: { signerName: "example.com/s", usages: ["client auth"], request: asked, ...spec },
    status: { conditions, ...status },
  }) as unknown as CertificateSigningRequest;

test("whoever asks is named, whatever the request says", () => {
  const one = request([]);
  const forged = { ...one, spec: { ...one.spec, username: "root", extra: { a: ["b"] } } };
  const made = definition.prepareForCreate?.(forged, { now, operation: "create", user });
  expect(made?.spec).toEqual({ ...one.spec, username: "ann", uid: "1", groups: ["people"] });
});

describe("conditions", () => {
  const approved = { type: "Approved", status: "True", lastUpdateTime: early, lastTransitionTime: early };
  const update: RequestContext = { now, operation: "update", user };

  test("get times; what status said before keeps them and the verdict", () => {
    const old = request([approved]);
    const next = request([
      { ...approved, reason: "other" },
      { type: "Issued", status: "True" },
    ]);
    const prepared = definition.prepareForStatusUpdate?.(next, old, { ...update, subresource: "status" });
    expect(prepared?.status?.conditions).toEqual([
      approved,
      { type: "Issued", status: "True", lastUpdateTime: late, lastTransitionTime: late },
    ]);
  });

  const cases: readonly (readonly [string, string | undefined, object[], object[], readonly string[]])[] = [
    ["approval gives a verdict", "approval", [], [approved], []],
    [
      "status gives none",
      "status",
      [],
      [approved],
      ['status.conditions updates may not add a condition of type "Approved"'],
    ],
    [
      "a verdict is final",
      "approval",
      [approved],
      [],
      ['status.conditions updates may not remove a condition of type "Approved"'],
    ],
    ["what was there stays", "status", [{ type: "", status: "True" }], [{ type: "", status: "True" }], []],
    [
      "types are there once",
      "status",
      [],
      [
        { type: "", status: "" },
        { type: "A", status: "True" },
        { type: "A", status: "True" },
      ],
      ["status.conditions[0].type ", "status.conditions[0].status ", "status.conditions[2].type "],
    ],
    [
      "there is one verdict, and it is true",
      "approval",
      [],
      [approved, { type: "Denied", status: "False" }],
      [
        'status.conditions[1].status supported values: "True"',
        "status.conditions Approved and Denied conditions are mutually exclusive",
      ],
    ],
  ];
  for (const [name, subresource, before, after, problems] of cases) {
    test(name, () => {
      const errors = definition.validateUpdate?.(request(after), request(before), {
        ...update,
        ...(subresource === undefined ? {} : { subresource }),
      });
      expect(errors?.map(({ field, detail }) => `${field} ${detail}`)).toEqual(problems);
    });
  }
});

describe("new requests", () => {
  const cases: readonly (readonly [string, object, readonly string[]])[] = [
    ["a good one", {}, []],
    ["garbage", { request: btoa("x") }, ["spec.request: PEM block type must be CERTIFICATE REQUEST"]],
    ["no usages", { usages: [] }, ["spec.usages: "]],
    ["usages twice", { usages: ["client auth", "client auth"] }, ["spec.usages[1]: "]],
    [
      "no signer, short",
      { signerName: "", expirationSeconds: 5 },
      [
        "spec.signerName: ",
        "spec.expirationSeconds: may not specify a duration less than 600 seconds (10 minutes)",
      ],
    ],
    [
      "the legacy signer",
      { signerName: "kubernetes.io/legacy-unknown" },
      ["spec.signerName: the legacy signerName is not allowed via this API version"],
    ],
  ];
  test.each(cases)("%s", (_, change, problems) => {
    const made = request([], {}, change);
    const errors = definition.validateCreate?.(made, { now, operation: "create" });
    expect(errors?.map(({ field, detail }) => `${field}: ${detail}`)).toEqual(problems);
  });
  test("an unknown usage is told those that are known", () => {
    const made = request([], {}, { usages: ["x"] });
    const [error] = definition.validateCreate?.(made, { now, operation: "create" }) ?? [];
    expect(error?.detail).toMatch(/^supported values: "any", "cert sign", .*"timestamping"$/);
    expect(definition.validateUpdate?.(made, made, { now, operation: "update" })).toEqual([]);
  });
});

describe("certificates", () => {
  const pem = (label: string) => btoa(`-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`);
  const cases: readonly (readonly [string, string, string, readonly string[]])[] = [
    ["are PEM", "", btoa("x"), ["must contain at least one CERTIFICATE PEM block"]],
    ["are of one kind", "", pem("KEY"), ['only CERTIFICATE PEM blocks are allowed, found "KEY"']],
    ["are certificates", "", pem("CERTIFICATE"), ["x509: malformed certificate"]],
    ["stay", btoa("x"), btoa("y"), ["updates may not modify existing certificate content"]],
  ];
  test.each(cases)("%s", (_, before, after, problems) => {
    const [old, next] = [before, after].map((certificate) => request([], { certificate }));
    if (!old || !next) throw new Error("two requests");
    const context: RequestContext = { now, operation: "update", subresource: "status" };
    expect(definition.validateUpdate?.(next, old, context)?.map(({ detail }) => detail)).toEqual(problems);
  });
});
