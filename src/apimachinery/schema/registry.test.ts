import { expect, test } from "vitest";
import { schemas } from "../../api/index.ts";
import { protoOf, type StructType, type Type } from "./index.ts";

const pod = { group: "", version: "v1", kind: "Pod" };

function structAt(path: string, from: StructType = schemas.typeOf(pod)!): StructType {
  let type: Type = from;
  for (const name of path.split(".")) {
    if (type.kind === "list") type = type.element;
    if (type.kind !== "struct") throw new Error(`${path}: ${type.kind} has no fields`);
    type = type.field(name)!.type;
    if (type.kind === "list") type = type.element;
  }
  return type as StructType;
}

test("every type of the facts resolves, with its fields and its layout", () => {
  for (const model of schemas.models()) {
    if (model.facts.t === "io.k8s.apimachinery.pkg.watch.Event") continue;
    const { type } = model;
    if (type.kind !== "struct") continue;
    const names = type.fields.map((field) => field.name);
    expect(new Set(names).size, type.name).toBe(names.length);
    protoOf(type);
  }
});

test("inlined structs are flat in JSON and nested on the wire", () => {
  const volume = structAt("spec.volumes");
  expect(volume.fields.map((field) => field.name).slice(0, 3)).toEqual(["name", "hostPath", "emptyDir"]);
  const layout = protoOf(volume)!.fields.map(({ number, json, value }) => [number, json, value.kind]);
  expect(layout).toEqual([
    [1, "name", "scalar"],
    [2, undefined, "message"],
  ]);
});

test("inlined structs of other versions are there under their alias", () => {
  const policy = { group: "admissionregistration.k8s.io", kind: "MutatingAdmissionPolicy" };
  const rules = (version: string) => {
    let type: Type | undefined = schemas.typeOf({ ...policy, version });
    for (const name of ["spec", "matchConstraints", "resourceRules"]) {
      type = type?.kind === "struct" ? type.field(name)?.type : undefined;
    }
    const element = type?.kind === "list" ? type.element : undefined;
    return element?.kind === "struct" ? element.fields.map(({ name }) => name) : [];
  };
  const names = ["resourceNames", "operations", "apiGroups", "apiVersions", "resources", "scope"];
  for (const version of ["v1", "v1beta1", "v1alpha1"]) expect(rules(version)).toEqual(names);
});

test("types of requests are in every group version, other types are no kinds", () => {
  const apps = { group: "apps", version: "v1" };
  expect(schemas.typeOf({ ...apps, kind: "DeleteOptions" })?.name).toBe(
    "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
  );
  expect(schemas.typeOf({ ...apps, kind: "DeploymentSpec" })).toBeUndefined();
  expect(schemas.typeOf({ ...apps, kind: "Pod" })).toBeUndefined();
});

test("markers of server-side apply and patches come with the field", () => {
  const spec = structAt("spec");
  expect(spec.field("containers")).toMatchObject({
    required: true,
    omitEmpty: false,
    patchStrategy: ["merge"],
    patchMergeKey: "name",
    type: { kind: "list", listType: "map", mapKeys: ["name"] },
  });
  expect(spec.field("nodeSelector")?.type).toMatchObject({ kind: "map", mapType: "atomic" });
  expect(structAt("spec.affinity.nodeAffinity").structType).toBe("granular");
  expect(structAt("metadata.ownerReferences").structType).toBe("atomic");
  expect(schemas.typeOf(pod)?.field("metadata")).toMatchObject({ omitEmpty: false, pointer: false });
});
