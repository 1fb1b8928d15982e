import { describe, expect, test } from "vitest";
import { schemas } from "../../api/index.ts";
import { decodeJson, DecodeError, encodeJson, strictDecodingError } from "./index.ts";

function typeOf(apiVersion: string, kind: string) {
  const [version = "", group = ""] = apiVersion.split("/").toReversed();
  return schemas.typeOf({ group, version, kind })!;
}
const pod = typeOf("v1", "Pod");
const deployment = typeOf("apps/v1", "Deployment");

describe("what is written", () => {
  function check(kind: { readonly type: typeof pod }, input: unknown, output: unknown) {
    const text = JSON.stringify(input);
    expect(decodeJson(text, kind.type).object).toEqual(output);
    expect(decodeJson(encodeJson(output), kind.type).object, "stable").toEqual(output);
  }

  test("zero values without omitempty, and structs always", () => {
    check(
      { type: deployment },
      {},
      {
        metadata: {},
        spec: {
          selector: null,
          template: { metadata: {}, spec: { containers: null } },
          strategy: {},
        },
        status: {},
      },
    );
    check(
      { type: pod },
      { spec: null, kind: "Pod" },
      {
        kind: "Pod",
        metadata: {},
        spec: { containers: null },
        status: {},
      },
    );
  });

  test("null is absence; empty values with omitempty go", () => {
    const metadata = { name: "a", labels: {}, annotations: null, finalizers: [], generation: 0 };
    check(
      { type: typeOf("v1", "ConfigMap") },
      { metadata, data: { a: "", b: null }, immutable: false },
      {
        metadata: { name: "a" },
        data: { a: "", b: "" },
        immutable: false,
      },
    );
  });

  test("times, quantities and structs in Go stay although they are omitempty", () => {
    const conditions = [{ type: "Ready", status: "True", lastTransitionTime: "2024-01-02T03:04:05+02:00" }];
    const containers = [
      { name: "c", env: [{ name: "E", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } }] },
    ];
    check(
      { type: pod },
      { spec: { containers }, status: { conditions } },
      {
        metadata: {},
        spec: {
          containers: [
            {
              name: "c",
              env: [{ name: "E", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "0" } } }],
              resources: {},
            },
          ],
        },
        status: {
          conditions: [
            {
              type: "Ready",
              status: "True",
              lastProbeTime: null,
              lastTransitionTime: "2024-01-02T01:04:05Z",
            },
          ],
        },
      },
    );
  });

  test("quantities in canonical form, numbers too", () => {
    const hard = { cpu: "1000m", memory: "1024Mi", pods: 3, "example.com/a": "0.5", b: "1.5Gi", c: null };
    check(
      { type: typeOf("v1", "ResourceQuota") },
      { spec: { hard } },
      {
        metadata: {},
        spec: {
          hard: { cpu: "1", memory: "1Gi", pods: "3", "example.com/a": "500m", b: "1536Mi", c: "0" },
        },
        status: {},
      },
    );
  });

  test("schemas or booleans in a custom resource's schema", () => {
    const crd = typeOf("apiextensions.k8s.io/v1", "CustomResourceDefinition");
    const schema = {
      type: "object",
      additionalProperties: { type: "string", unknown: 1 },
      items: { type: "string" },
      default: { a: null },
      enum: [1, "a", null],
      properties: { a: { additionalProperties: true } },
    };
    const versions = [{ name: "v1", schema: { openAPIV3Schema: schema } }];
    const { object, problems } = decodeJson(JSON.stringify({ spec: { versions } }), crd, { strict: true });
    expect(problems).toEqual([]);
    const read = object as { spec: { versions: [{ schema: { openAPIV3Schema: unknown } }] } };
    expect(read.spec.versions[0].schema.openAPIV3Schema).toEqual({
      ...schema,
      additionalProperties: { type: "string" },
    });
  });

  test("a key called __proto__ is a key", () => {
    const { object } = decodeJson('{"metadata":{"labels":{"__proto__":"x"}}}', pod);
    expect(JSON.stringify(object)).toContain('"labels":{"__proto__":"x"}');
  });
});

describe("problems", () => {
  function check(text: string, problems: readonly string[]) {
    expect(decodeJson(text, pod, { strict: true }).problems).toEqual(problems);
    expect(decodeJson(text, pod).problems).toEqual([]);
  }

  test("unknown and duplicate fields", () => {
    check('{"spec":{"foo":1,"containers":[{"name":"a"},{"Name":"b"}]}}', [
      'unknown field "spec.foo"',
      'unknown field "spec.containers[1].Name"',
    ]);
    check('{"metadata":{"name":"a","name":"b","labels":{"x":"1","x":"2"}}}', [
      'duplicate field "metadata.name"',
      'duplicate field "metadata.labels.x"',
    ]);
    check('{"metadata":{"annotations":{"a\\"b":"\\\\","c" :"d:\\":"},"name":"x", "name" : "x"}}', [
      'duplicate field "metadata.name"',
    ]);
    check('{"metadata":{"annotations":{"a\\"b":"\\\\","c" :"d:\\":","e":""}}}', []);
    check('{"metadata":{"managedFields":[{"fieldsV1":{"a":1,"a":2}}]},"foo":{"a":1,"a":1}}', [
      'unknown field "foo"',
    ]);
    // In the order of the text, each once.
    check('{"metadata":{"name":"a","name":"b"},"foo":1,"spec":{"bar":1,"bar":2},"foo":2}', [
      'duplicate field "metadata.name"',
      'unknown field "foo"',
      'unknown field "spec.bar"',
    ]);
    expect(strictDecodingError(['unknown field "a"', 'unknown field "b"'])).toBe(
      'strict decoding error: unknown field "a", unknown field "b"',
    );
  });
});

test("errors are in Go's words", () => {
  function check(text: string, message: string, type = pod) {
    expect(() => decodeJson(text, type)).toThrow(new DecodeError(message));
  }
  const field = "Go struct field";
  check(
    '{"spec":{"replicas":"3"}}',
    `json: cannot unmarshal string into ${field} DeploymentSpec.spec.replicas of type int32`,
    deployment,
  );
  check(
    '{"spec":{"template":{"spec":{"containers":[{"env":[{"value":1}]}]}}}}',
    `json: cannot unmarshal number into ${field} EnvVar.spec.template.spec.containers.env.value of type string`,
    deployment,
  );
  check(
    '{"metadata":{"labels":{"a":true}}}',
    `json: cannot unmarshal bool into ${field} ObjectMeta.metadata.labels of type string`,
  );
  check('{"spec":"x"}', `json: cannot unmarshal string into ${field} Pod.spec of type v1.PodSpec`);
  check(
    '{"spec":{"containers":{}}}',
    `json: cannot unmarshal object into ${field} PodSpec.spec.containers of type []v1.Container`,
  );
  check(
    '{"spec":{"priority":99999999999}}',
    `json: cannot unmarshal number 99999999999 into ${field} PodSpec.spec.priority of type int32`,
  );
  check("[]", "json: cannot unmarshal array into Go value of type v1.Pod");
  check(
    '{"metadata":{"deletionTimestamp":"2024-13-01T00:00:00Z"}}',
    'parsing time "2024-13-01T00:00:00Z": month out of range',
  );
  check(
    '{"metadata":{"deletionTimestamp":"today"}}',
    'parsing time "today" as "2006-01-02T15:04:05Z07:00": cannot parse "today" as "2006"',
  );
  check(
    '{"spec":{"overhead":{"cpu":"x"}}}',
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  );
  check("{", "unexpected end of JSON input");
  check('{"a":"', "unexpected end of JSON input");
  check("nul", "invalid character ' ' in literal null (expecting 'l')");
  check("-", "invalid character ' ' in numeric literal");
  check("1.", "invalid character ' ' after decimal point in numeric literal");
  check('"\\', "invalid character ' ' in string escape code");
  check('{"a":1,}', "invalid character '}' looking for beginning of object key string");
  check("{a:1}", "invalid character 'a' looking for beginning of object key string");
  check('{"a":1} x', "invalid character 'x' after top-level value");
  check("<html>", "invalid character '<' looking for beginning of value");
});

test("nesting is bounded", () => {
  const crd = typeOf("apiextensions.k8s.io/v1", "CustomResourceDefinition");
  const deep = `${'{"not":'.repeat(100_000)}{}${"}".repeat(100_000)}`;
  const text = `{"spec":{"versions":[{"schema":{"openAPIV3Schema":${deep}}}]}}`;
  expect(() => decodeJson(text, crd)).toThrow(new DecodeError("exceeded max depth"));
  expect(() => decodeJson(text, crd, { strict: true })).toThrow(new DecodeError("exceeded max depth"));
});

describe("numbers", () => {
  const deploymentOf = (replicas: string) =>
    `{"spec":{"replicas":${replicas},"template":{"spec":{"x":":1.5"}}}}`;
  const check = (replicas: string, expected: number | string) => {
    const read = () => (decodeJson(deploymentOf(replicas), deployment).object as { spec: object }).spec;
    if (typeof expected === "number") expect(read()).toMatchObject({ replicas: expected });
    else expect(read).toThrow(`json: cannot unmarshal number ${expected} into Go struct field`);
  };

  test.each(["1.0", "1e0", "1E+1", "0.1e1", "-1.0", "1.5", "2147483648", "9223372036854775808"])(
    "%s is no int32, and is told as it was written",
    (text) => check(text, text),
  );
  test("others are, and zero has no sign", () => {
    check("3", 3);
    check("-2147483648", -2_147_483_648);
    expect(
      Object.is(
        (decodeJson(deploymentOf("-0"), deployment).object as { spec: { replicas: number } }).spec.replicas,
        0,
      ),
    ).toBe(true);
  });

  const service = (port: string) => `{"spec":{"ports":[{"port":1,"targetPort":${port}}]}}`;
  test("numbers or texts are integers", () => {
    const type = typeOf("v1", "Service");
    expect(() => decodeJson(service("80.0"), type)).toThrow(
      "json: cannot unmarshal number 80.0 into Go value of type int32",
    );
    expect(() => decodeJson(service("80"), type)).not.toThrow();
  });

  const seconds = (text: string) =>
    (decodeJson(`{"spec":{"activeDeadlineSeconds":${text}}}`, pod).object as { spec: object }).spec;
  test("the largest integer is the nearest that there is", () => {
    const largest = { activeDeadlineSeconds: 2 ** 63 - 1024 };
    expect(seconds("9223372036854775807")).toMatchObject(largest);
    expect(seconds(JSON.stringify(largest.activeDeadlineSeconds))).toMatchObject(largest);
    expect(seconds("-9223372036854775808")).toMatchObject({ activeDeadlineSeconds: -(2 ** 63) });
    expect(() => seconds("9223372036854775808")).toThrow("number 9223372036854775808");
  });

  test.each([
    ["1e3", "1e3"],
    ["1E3", "1E3"],
    ["1.50", "1500m"],
    ["123456789012345678", "123456789012345678"],
    ["0.0000001", "100n"],
  ])("the quantity %s is %s", (text, quantity) => {
    const quota = decodeJson(`{"spec":{"hard":{"cpu":7,"memory":${text}}}}`, typeOf("v1", "ResourceQuota"));
    expect(quota.object).toMatchObject({ spec: { hard: { cpu: "7", memory: quantity } } });
  });

  test("of keys that are there twice the last one counts", () => {
    expect(decodeJson('{"spec":{"replicas":1.0,"replicas":2}}', deployment).object).toMatchObject({
      spec: { replicas: 2 },
    });
  });
});

test("halves of characters are replaced, escapes that only look like them are not", () => {
  const type = typeOf("v1", "ConfigMap");
  for (const [text, value] of [
    [String.raw`a\ud83db`, "a\ufffdb"],
    [String.raw`\ude00\uD83D`, "\ufffd\ufffd"],
    [String.raw`\ud83d\ud83d\ude00`, "\ufffd😀"],
    [String.raw`\uD83D\uDE00`, "😀"],
    [String.raw`\\ud83d`, String.raw`\ud83d`],
    [String.raw`\u0041\n\\\ud83d`, "A\n\\\ufffd"],
  ]) {
    const { object } = decodeJson(`{"data":{"a":"${text}"}}`, type);
    expect(object).toMatchObject({ data: { a: value } });
  }
});
