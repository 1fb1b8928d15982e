import { expect, test } from "vitest";
import { resourceFacts } from "../../api/index.ts";
import { parseRuntimeConfig, servedResources } from "./runtime-config.ts";

const names = (text: string) =>
  servedResources(resourceFacts, parseRuntimeConfig(text)).map(
    ({ group, version, plural }) => `${group}/${version}/${plural}`,
  );

test("only stable versions are served by default", () => {
  expect(names("").some((name) => /alpha|beta/.test(name))).toBe(false);
  expect(names("")).toContain("autoscaling/v1/horizontalpodautoscalers");
});

test.each<[config: string, on: readonly string[], off: readonly string[]]>([
  [
    "api/all=true",
    ["networking.k8s.io/v1beta1/ipaddresses", "scheduling.k8s.io/v1alpha2/workloads", "/v1/pods"],
    [],
  ],
  ["api/beta", ["resource.k8s.io/v1beta2/deviceclasses"], ["resource.k8s.io/v1alpha3/devicetaintrules"]],
  [
    "api/all=true,api/alpha=false",
    ["resource.k8s.io/v1beta1/resourceclaims"],
    ["scheduling.k8s.io/v1alpha2/workloads"],
  ],
  ["batch/v1=false", ["apps/v1/deployments"], ["batch/v1/jobs", "batch/v1/cronjobs"]],
  ["batch/v1=false,batch/v1/jobs=true", ["batch/v1/jobs"], ["batch/v1/cronjobs"]],
  ["resource.k8s.io/v1beta2=1", ["resource.k8s.io/v1beta2/resourceslices"], []],
  ["api/ga=false,api/v1=true", ["/v1/pods"], ["apps/v1/deployments"]],
])("%s", (config, on, off) => {
  const served = new Set(names(config));
  expect(on.filter((name) => !served.has(name))).toEqual([]);
  expect(off.filter((name) => served.has(name))).toEqual([]);
});

test("mistakes are named", () => {
  expect(() => parseRuntimeConfig("api/all=maybe")).toThrow(
    'invalid value of api/all: maybe, err: strconv.ParseBool: parsing "maybe": invalid syntax',
  );
  expect(() => names("example.com/v1=true")).toThrow(
    "group version example.com/v1 that has not been registered",
  );
});
