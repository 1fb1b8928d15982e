import { describe, expect, test } from "vitest";
import { readDeletion } from "./delete-options.ts";
import type { Exchange } from "./exchange.ts";

interface Given {
  readonly query?: string;
  readonly body?: unknown;
  readonly type?: string;
}

function read({ query = "", body, type }: Given) {
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  const exchange = {
    query: new URLSearchParams(query),
    headers: type === undefined ? {} : { "content-type": type },
    body: () => Promise.resolve(Buffer.from(text)),
  } as unknown as Exchange;
  return readDeletion(exchange, { cbor: false });
}

describe("options of a deletion", () => {
  const cases: readonly (readonly [Given, options: object, cascades?: boolean])[] = [
    [{}, { dryRun: false }],
    [{ query: "dryRun=All&gracePeriodSeconds=-5" }, { dryRun: true, gracePeriodSeconds: -5 }],
    [{ query: "orphanDependents=" }, { dryRun: false, propagationPolicy: "Orphan" }],
    [{ query: "orphanDependents=False" }, { dryRun: false, propagationPolicy: "Background" }, true],
    [
      { query: "resourceVersion=0&uid=u" },
      { dryRun: false, preconditions: { uid: "u", resourceVersion: "0" } },
    ],
    [{ query: "resourceVersion=&uid=&dryRun=All" }, { dryRun: true }],
    [{ query: "dryRun=X", body: { dryRun: ["All"], more: 1 } }, { dryRun: true }],
    [{ body: { kind: "DeleteOptions", apiVersion: "any/v9" } }, { dryRun: false }],
    [
      { body: "propagationPolicy: Foreground\npreconditions: {uid: u}", type: "application/yaml" },
      { dryRun: false, propagationPolicy: "Foreground", preconditions: { uid: "u" } },
    ],
    [{ body: "null" }, { dryRun: false }],
  ];
  for (const [given, options, cascades = false] of cases) {
    test(`${JSON.stringify(given)} are read`, async () => {
      expect(await read(given)).toEqual({ options, cascades });
    });
  }

  const invalid = 'DeleteOptions.meta.k8s.io "" is invalid: ';
  const unsupported = 'supported values: "Foreground", "Background", "Orphan", "nil"';
  const refusals: readonly (readonly [Given, code: number, message: string])[] = [
    [
      { body: { propagationPolicy: "X", orphanDependents: true, dryRun: ["X"] } },
      422,
      `${invalid}[propagationPolicy: Invalid value: "X": orphanDependents and deletionPropagation cannot be both set, propagationPolicy: Unsupported value: "X": ${unsupported}, dryRun: Unsupported value: ["X"]: supported values: "All"]`,
    ],
    [
      { query: "propagationPolicy=nil" },
      422,
      `${invalid}propagationPolicy: Unsupported value: "nil": ${unsupported}`,
    ],
    [{ query: "dryRun=" }, 422, `${invalid}dryRun: Unsupported value: [""]: supported values: "All"`],
    [{ query: "gracePeriodSeconds=x" }, 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
    [
      { query: "gracePeriodSeconds=9223372036854775808" },
      400,
      'strconv.ParseInt: parsing "9223372036854775808": value out of range',
    ],
    [
      { body: "nonsense" },
      400,
      "couldn't get version/kind; json parse error: invalid character 'o' in literal null (expecting 'u')",
    ],
    [
      { body: { gracePeriodSeconds: "x" } },
      400,
      "json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64",
    ],
    [
      { body: { kind: "fixed" } },
      400,
      'no kind "fixed" is registered for version "meta.k8s.io/v1" in scheme "pkg/apis/meta/internalversion/scheme/register.go:27"',
    ],
  ];
  test.each(refusals)("%j is refused", async (given, code, message) => {
    await expect(read(given)).rejects.toMatchObject({ code, message });
  });
});
