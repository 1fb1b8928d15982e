import { ApiError, fieldErrors, FieldPath, timestampOf, aggregate } from "../../apimachinery/index.ts";
import type { ObjectKey } from "../../apimachinery/index.ts";
import { admit, validateAdmission } from "./admit.ts";
import { groupResource } from "./context.ts";
import type { AnswerHandler, Core, PostHandler, RequestOptions } from "./context.ts";
import { otherNamespace } from "./create.ts";
import type { AnyObject } from "./entry.ts";
import type { ServedResource } from "./served.ts";
import { modify } from "./update.ts";

/** Creates at a subresource. */
export async function post(
  core: Core,
  served: ServedResource,
  request: {
    readonly key: ObjectKey;
    readonly subresource: string;
    readonly body: AnyObject;
    readonly options: RequestOptions;
  },
): Promise<object> {
  const { key, subresource, options } = request;
  const { group, plural } = served.resource;
  const handler = core.postHandlers.get(`${group}/${plural}/${subresource}`);
  if (!handler) throw ApiError.methodNotSupported(groupResource(served), "create");
  const subject = { operation: "CREATE" as const, served, subresource, key, options };
  const given = { ...request.body, metadata: request.body.metadata ?? {} } as AnyObject;
  const { namespace } = given.metadata;
  if (namespace && namespace !== key.namespace) throw otherNamespace();
  const body = await admit(core, subject, { object: given });
  await validateAdmission(core, subject, { object: body });
  return handler({ core, served, key, body, options });
}

/** Creates of a resource whose objects are answered and never stored; undefined where they are stored. */
export function answererOf(
  core: Core,
  served: ServedResource,
): ((request: Omit<Parameters<AnswerHandler>[0], "core" | "served">) => Promise<object>) | undefined {
  const handler = core.answers.get(`${served.resource.group}/${served.resource.plural}`);
  if (!handler) return undefined;
  return async ({ namespace, body, options }) => {
    const given = { ...body, metadata: body.metadata ?? {} } as AnyObject;
    const { name = "", namespace: own } = given.metadata as Partial<AnyObject["metadata"]>;
    if (own && namespace !== undefined && own !== namespace) throw otherNamespace();
    const metadata = { ...given.metadata, ...(namespace === undefined ? {} : { namespace }) };
    const key = { namespace, name };
    const subject = { operation: "CREATE" as const, served, subresource: "", key, options };
    const admitted = await admit(core, subject, { object: { ...given, metadata } });
    await validateAdmission(core, subject, { object: admitted });
    return handler({ core, served, namespace, body: admitted, options });
  };
}

/** The answer to a write that has no object to show. */
export function success(code: number): object {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code };
}

interface BindingBody {
  readonly metadata: Partial<AnyObject["metadata"]>;
  readonly target?: { readonly kind?: string; readonly name?: string };
}

/** The old way to bind: a create of a Binding in the namespace, named as the pod. */
export const createBinding: AnswerHandler = async ({ core, namespace, body, options }) => {
  const pods = core.served.find("", "v1", "pods");
  if (!pods) throw ApiError.notFound({ group: "", resource: "bindings" }, body.metadata.name);
  return bindPod({ core, served: pods, key: { namespace, name: body.metadata.name }, body, options });
};

interface BoundPod {
  readonly spec: { readonly nodeName?: string; readonly schedulingGates?: readonly object[] };
  readonly status?: { readonly conditions?: readonly { readonly type: string }[] };
}

/** Why a target is no node, as upstream says it; undefined when it is one. */
function bindingProblem(kind: string, name: string): string | undefined {
  const target = FieldPath.root("target");
  const errors = [
    ...(kind === "" || kind === "Node"
      ? []
      : [fieldErrors.notSupported(target.child("kind"), kind, ["Node", "<empty>"])]),
    ...(name === "" ? [fieldErrors.required(target.child("name"))] : []),
  ];
  return errors.length === 0 ? undefined : aggregate(errors);
}

/** Assigns a pod to a node: what the scheduler does. */
export const bindPod: PostHandler = async ({ core, served, key, body, options }) => {
  const binding = body as unknown as BindingBody;
  if (binding.metadata.name !== key.name) {
    throw ApiError.badRequest("name in URL does not match name in Binding object");
  }
  const node = binding.target?.name ?? "";
  const problem = bindingProblem(binding.target?.kind ?? "", node);
  // Upstream tells this without a reason.
  if (problem !== undefined) throw new ApiError({ message: problem, code: 500 });
  const refuse = (why: string) => ApiError.conflict({ group: "", resource: "pods/binding" }, key.name, why);
  await modify(core, served, options, {
    key,
    subresource: "binding",
    versionGiven: false,
    createsMissing: false,
    direct: true,
    change(old) {
      const pod = old as AnyObject & BoundPod;
      if (pod.metadata.deletionTimestamp) {
        throw refuse(`pod ${key.name} is being deleted, cannot be assigned to a host`);
      }
      if (binding.metadata.uid && binding.metadata.uid !== pod.metadata.uid) {
        throw refuse(
          `Precondition failed: UID in precondition: ${binding.metadata.uid}, UID in object meta: ${pod.metadata.uid}`,
        );
      }
      if (pod.spec.nodeName) {
        throw refuse(`pod ${key.name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`);
      }
      if (pod.spec.schedulingGates?.length) {
        throw refuse(`pod ${key.name} has non-empty .spec.schedulingGates`);
      }
      const conditions = (pod.status?.conditions ?? []).filter(({ type }) => type !== "PodScheduled");
      const scheduled = {
        type: "PodScheduled",
        status: "True",
        lastProbeTime: null,
        lastTransitionTime: timestampOf(core.clock.now()),
      };
      const annotations = { ...pod.metadata.annotations, ...binding.metadata.annotations };
      const labels = { ...pod.metadata.labels, ...binding.metadata.labels };
      return {
        ...pod,
        metadata: {
          ...pod.metadata,
          ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
          ...(Object.keys(labels).length > 0 ? { labels } : {}),
        },
        spec: { ...pod.spec, nodeName: node },
        status: { ...pod.status, conditions: [...conditions, scheduled] },
      };
    },
  });
  return success(201);
};
