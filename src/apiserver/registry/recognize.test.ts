import { expect, test } from "vitest";
import { ApiError } from "../../apimachinery/index.ts";
import { resourceFacts, schemas } from "../../api/index.ts";
import { decodeObject } from "./coding.ts";

const scheme = 'in scheme "pkg/api/legacyscheme/scheme.go:30"';

/** What comes of a body: the refusal, or the warnings. */
function outcome(plural: string, body: string, fieldValidation: "Ignore" | "Warn" | "Strict" = "Warn") {
  const resource = resourceFacts.find((facts) => facts.plural === plural && facts.stability === "GA")!;
  const { group, version } = resource;
  const wanted = {
    resource,
    apiVersion: group === "" ? version : `${group}/${version}`,
    type: schemas.typeOf(resource)!,
    definition: { resource },
  };
  const warnings: string[] = [];
  try {
    decodeObject(wanted, new TextEncoder().encode(body), {
      fieldValidation,
      warn: (message) => warnings.push(message),
    });
    return warnings;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    expect(error.code).toBe(400);
    return error.message;
  }
}

test("objects of other kinds and versions are refused as upstream refuses them", () => {
  function check(plural: string, names: object, expected: string | readonly string[]) {
    expect(outcome(plural, JSON.stringify(names)), JSON.stringify(names)).toEqual(expected);
  }
  check("configmaps", {}, []);
  check("configmaps", { kind: "ConfigMap", apiVersion: "v1" }, []);
  check("configmaps", { kind: null, apiVersion: "" }, []);
  const asConfigMap = "cannot be handled as a ConfigMap";
  const converting = `${asConfigMap}: converting (v1.Pod) to (core.ConfigMap): unknown conversion`;
  check("configmaps", { kind: "Pod" }, `Pod in version "v1" ${converting}`);
  // What is wrong with it as what it says it is comes first; what it has more does not matter.
  const why = "json: cannot unmarshal number into Go struct field Pod.spec of type v1.PodSpec";
  check("configmaps", { kind: "Pod", spec: 1 }, `Pod in version "v1" ${asConfigMap}: ${why}`);
  check("configmaps", { kind: "Pod", foo: 1 }, `Pod in version "v1" ${converting}`);
  const unknown = (kind: string, version: string) =>
    `${asConfigMap}: no kind "${kind}" is registered for version "${version}" ${scheme}`;
  check("configmaps", { kind: "Foo" }, `Foo in version "v1" ${unknown("Foo", "v1")}`);
  check(
    "configmaps",
    { kind: "ConfigMap", apiVersion: "v2" },
    `ConfigMap in version "v2" ${unknown("ConfigMap", "v2")}`,
  );
  check(
    "configmaps",
    { kind: "Foo", apiVersion: "foo/v1" },
    `Foo in version "v1" ${unknown("Foo", "foo/v1")}`,
  );
  const mismatch = (said: string, expected: string) =>
    `the API version in the data (${said}) does not match the expected API version (${expected})`;
  check("deployments", { apiVersion: "apps/v1beta1" }, mismatch("apps/v1beta1", "apps/v1"));
  check("deployments", { apiVersion: "extensions/v1beta1" }, mismatch("extensions/v1beta1", "apps/v1"));
  check("events", { apiVersion: "events.k8s.io/v1", kind: "Event" }, mismatch("events.k8s.io/v1", "v1"));
});

test("bodies without names that can be read are not recognized", () => {
  function check(body: string, why: string) {
    const start = "the object provided is unrecognized (must be of type ConfigMap): ";
    expect(outcome("configmaps", body), body).toBe(`${start}${why}`);
  }
  const noKind = "couldn't get version/kind; json parse error: ";
  check(
    '{"kind":1}',
    `${noKind}json: cannot unmarshal number into Go struct field .kind of type string ({"kind":1})`,
  );
  check('{"apiVersion":"a/b/c"}', 'unexpected GroupVersion string: a/b/c ({"apiVersion":"a/b/c"})');
  check("nul", `${noKind}invalid character ' ' in literal null (expecting 'l') (6e756c)`);
  check("", `${noKind}unexpected end of JSON input (<empty>)`);
});

test("what strict decoding finds is told, refused or kept quiet", () => {
  const body = '{"data":{"a":"1","a":"2"},"foo":1}';
  const problems = ['duplicate field "data.a"', 'unknown field "foo"'];
  expect(outcome("configmaps", body, "Ignore")).toEqual([]);
  expect(outcome("configmaps", body, "Warn")).toEqual(problems);
  expect(outcome("configmaps", body, "Strict")).toBe(
    `ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: ${problems.join(", ")}`,
  );
});
