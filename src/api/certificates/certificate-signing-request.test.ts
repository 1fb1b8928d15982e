import { describe, expect, test } from "vitest";
import type { RequestContext } from "../definition.ts";
import type { CertificateSigningRequest } from "../types/certificates-v1.ts";
import { certificateSigningRequestDefinition as definition } from "./certificate-signing-request.ts";

const now = Date.UTC(2026, 0, 2);
const user = { name: "ann", uid: "1", groups: ["people"] };
const early = "2026-01-01T00:00:00Z";
const late = "2026-01-02T00:00:00Z";

const request = (conditions: readonly object[], status: object = {}): CertificateSigningRequest =>
  ({
    metadata: { name: "x" },
    spec: { signerName: "example.com/s", usages: ["client auth"], request: "" },
    status: { conditions, ...status },
  }) as unknown as CertificateSigningRequest;

test("whoever asks is named, whatever the request says", () => {
  const asked = request([]);
  const forged = { ...asked, spec: { ...asked.spec, username: "root", extra: { a: ["b"] } } };
  const made = definition.prepareForCreate?.(forged, { now, operation: "create", user });
  expect(made?.spec).toEqual({ ...asked.spec, username: "ann", uid: "1", groups: ["people"] });
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
    [
      "there is one verdict, and it is true",
      "approval",
      [],
      [approved, { type: "Denied", status: "False" }],
      [
        'status.conditions[1].status supported values: "True"',
        "status.conditions[1].type Approved and Denied conditions are mutually exclusive",
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
