import { LimitRange, PersistentVolumeClaim, Pod } from "../../api/types/core-v1.ts";
import type { Container, LimitRangeItem } from "../../api/types/core-v1.ts";
import { canonicalQuantity, compareQuantities, milliValue, parseQuantity } from "../../apimachinery/index.ts";
import type { ResourceList } from "../../apimachinery/index.ts";
import type { ObjectReader } from "../reader.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./plugin.ts";
import { podResources, resourcesOf } from "../../api/quota/index.ts";
import { joinProblems, objectAs, podOf, refused } from "./request.ts";

const annotation = "kubernetes.io/limit-ranger";

/** Fills in a namespace's default requests and limits, and holds pods and claims to its bounds. */
export function limitRanger(reader: ObjectReader): AdmissionPlugin {
  return {
    name: "LimitRanger",
    operations: ["CREATE", "UPDATE"],
    resources: [Pod, PersistentVolumeClaim],
    admit(request) {
      const pod = podOf(request);
      if (!pod || request.operation !== "CREATE") return request.object;
      let admitted = pod;
      for (const range of reader.list(LimitRange, request.namespace))
        admitted = withDefaults(admitted, range);
      return admitted;
    },
    validate(request) {
      const problemsOf = judgeOf(request);
      if (!problemsOf) return;
      for (const range of reader.list(LimitRange, request.namespace)) {
        const problems = (range.spec?.limits ?? []).flatMap(problemsOf);
        if (problems.length > 0) throw refused(request, joinProblems(problems));
      }
    },
  };
}

/** How the request is held to an item of a range; undefined when it is not. */
function judgeOf(request: AdmissionRequest): ((item: LimitRangeItem) => string[]) | undefined {
  if (request.old?.metadata.deletionTimestamp !== undefined) return undefined;
  const claim = objectAs(request, PersistentVolumeClaim);
  if (claim) return (item) => claimProblems(item, claim);
  // A pod's containers change by a resize only.
  const judged = request.operation === "CREATE" ? "" : "resize";
  if (request.resource.plural !== Pod.plural || request.subresource !== judged) return undefined;
  const pod = request.object as Pod;
  return (item) => podProblems(item, pod);
}

/** The pod with the range's defaults where containers say nothing, and an annotation that tells so. */
function withDefaults(pod: Pod, range: LimitRange): Pod {
  const items = (range.spec?.limits ?? []).filter((item) => item.type === "Container");
  const requests = Object.assign({}, ...items.map((item) => item.defaultRequest ?? {})) as ResourceList;
  const limits = Object.assign({}, ...items.map((item) => item.default ?? {})) as ResourceList;
  const notes: string[] = [];
  const fill =
    (label: string) =>
    (container: Container): Container => {
      const missing = (side: "requests" | "limits", defaults: ResourceList) =>
        Object.keys(defaults).filter((name) => resourcesOf(container, side)[name] === undefined);
      const missingRequests = missing("requests", requests);
      const missingLimits = missing("limits", limits);
      if (missingRequests.length + missingLimits.length === 0) return container;
      const note = (names: string[], what: string) => {
        if (names.length > 0) notes.push(`${names.sort().join(", ")} ${what} for ${label} ${container.name}`);
      };
      note(missingRequests, "request");
      note(missingLimits, "limit");
      return {
        ...container,
        resources: {
          ...container.resources,
          ...(missingLimits.length + Object.keys(resourcesOf(container, "limits")).length === 0
            ? {}
            : { limits: { ...limits, ...resourcesOf(container, "limits") } }),
          ...(missingRequests.length + Object.keys(resourcesOf(container, "requests")).length === 0
            ? {}
            : { requests: { ...requests, ...resourcesOf(container, "requests") } }),
        },
      };
    };
  const containers = (pod.spec.containers ?? []).map(fill("container"));
  const initContainers = pod.spec.initContainers?.map(fill("init container"));
  if (notes.length === 0) return pod;
  const annotations = {
    ...pod.metadata.annotations,
    [annotation]: `LimitRanger plugin set: ${notes.join("; ")}`,
  };
  return {
    ...pod,
    metadata: { ...pod.metadata, annotations },
    spec: { ...pod.spec, containers, ...(initContainers ? { initContainers } : {}) },
  };
}

interface Amounts {
  readonly requests: ResourceList;
  readonly limits: ResourceList;
}

function podProblems(item: LimitRangeItem, pod: Pod): string[] {
  switch (item.type) {
    case "Container": {
      const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
      return all.flatMap((container) =>
        problems(item, {
          requests: resourcesOf(container, "requests"),
          limits: resourcesOf(container, "limits"),
        }),
      );
    }
    case "Pod":
      return problems(item, { requests: ownResources(pod, "requests"), limits: ownResources(pod, "limits") });
    default:
      return [];
  }
}

/** A pod's amounts, without what its runtime class adds. */
const ownResources = (pod: Pod, side: "requests" | "limits"): ResourceList =>
  podResources({ ...pod.spec, overhead: {} }, side);

function problems(item: LimitRangeItem, amounts: Amounts): string[] {
  const { type } = item;
  return [
    ...Object.entries(item.min ?? {}).flatMap(([name, bound]) =>
      minimumProblem({ type, name, bound }, amounts),
    ),
    ...Object.entries(item.max ?? {}).flatMap(([name, bound]) =>
      maximumProblem({ type, name, bound }, amounts),
    ),
    ...Object.entries(item.maxLimitRequestRatio ?? {}).flatMap(([name, bound]) =>
      ratioProblem({ type, name, bound }, amounts),
    ),
  ];
}

interface Bound {
  readonly type: string;
  readonly name: string;
  readonly bound: string;
}

const compare = (left: string, right: string) => compareQuantities(parseQuantity(left), parseQuantity(right));

function minimumProblem({ type, name, bound }: Bound, { requests, limits }: Amounts): string[] {
  const head = `minimum ${name} usage per ${type} is ${canonicalQuantity(bound)}`;
  const request = requests[name];
  const limit = limits[name];
  if (request === undefined) return [`${head}.  No request is specified`];
  if (compare(request, bound) < 0) return [`${head}, but request is ${canonicalQuantity(request)}`];
  if (limit !== undefined && compare(limit, bound) < 0) {
    return [`${head}, but limit is ${canonicalQuantity(limit)}`];
  }
  return [];
}

function maximumProblem({ type, name, bound }: Bound, { requests, limits }: Amounts): string[] {
  const head = `maximum ${name} usage per ${type} is ${canonicalQuantity(bound)}`;
  const request = requests[name];
  const limit = limits[name];
  if (limit === undefined) return [`${head}.  No limit is specified`];
  if (compare(limit, bound) > 0) return [`${head}, but limit is ${canonicalQuantity(limit)}`];
  if (request !== undefined && compare(request, bound) > 0) {
    return [`${head}, but request is ${canonicalQuantity(request)}`];
  }
  return [];
}

function ratioProblem({ type, name, bound }: Bound, { requests, limits }: Amounts): string[] {
  const head = `${name} max limit to request ratio per ${type} is ${canonicalQuantity(bound)}`;
  const milli = (text: string | undefined) => (text === undefined ? 0 : milliValue(parseQuantity(text)));
  const request = milli(requests[name]);
  const limit = milli(limits[name]);
  if (request === 0) return [`${head}, but no request is specified or request is 0`];
  if (limit === 0) return [`${head}, but no limit is specified or limit is 0`];
  const ratio = limit / request;
  return ratio * 1000 > milli(bound) ? [`${head}, but provided ratio is ${ratio.toFixed(6)}`] : [];
}

function claimProblems(item: LimitRangeItem, claim: PersistentVolumeClaim): string[] {
  if (item.type !== "PersistentVolumeClaim") return [];
  const requests = claim.spec.resources?.requests ?? {};
  const minimums = Object.entries(item.min ?? {}).flatMap(([name, bound]) =>
    minimumProblem({ type: item.type, name, bound }, { requests, limits: {} }),
  );
  const maximums = Object.entries(item.max ?? {}).flatMap(([name, bound]) => {
    const head = `maximum ${name} usage per ${item.type} is ${canonicalQuantity(bound)}`;
    const request = requests[name];
    if (request === undefined) return [`${head}.  No request is specified`];
    return compare(request, bound) > 0 ? [`${head}, but request is ${canonicalQuantity(request)}`] : [];
  });
  return [...minimums, ...maximums];
}
