import type { ObjectKey } from "../../apimachinery/index.ts";
import type { AdmissionRequest } from "../admission/plugin.ts";
import type { Core, RequestOptions } from "./context.ts";
import type { AnyObject } from "./entry.ts";
import type { ServedResource } from "./served.ts";

/** What admission is told of a request, but for the objects. */
export interface AdmissionSubject {
  readonly operation: AdmissionRequest["operation"];
  readonly served: ServedResource;
  readonly subresource: string;
  readonly key: { readonly namespace?: string | undefined; readonly name: string } & Partial<ObjectKey>;
  readonly options: RequestOptions;
}

function requestOf(
  subject: AdmissionSubject,
  objects: { object?: AnyObject | undefined; old?: AnyObject | undefined },
): AdmissionRequest {
  return {
    operation: subject.operation,
    resource: subject.served.resource,
    subresource: subject.subresource,
    namespace: subject.key.namespace ?? "",
    name: subject.key.name,
    user: subject.options.user,
    dryRun: subject.options.dryRun ?? false,
    ...(objects.object ? { object: objects.object } : {}),
    ...(objects.old ? { old: objects.old } : {}),
    ...(subject.options.warn ? { warn: subject.options.warn } : {}),
  };
}

/** The object after all plugins that change objects. */
export async function admit(
  core: Pick<Core, "admission">,
  subject: AdmissionSubject,
  objects: { object: AnyObject; old?: AnyObject | undefined },
): Promise<AnyObject> {
  let { object } = objects;
  for (const plugin of core.admission) {
    if (!plugin.admit || !plugin.operations.includes(subject.operation)) continue;
    const request = requestOf(subject, { object, old: objects.old });
    const admitted = plugin.admit({ ...request, object });
    object = (admitted instanceof Promise ? await admitted : admitted) as AnyObject;
  }
  return object;
}

/** Throws when a plugin refuses. */
export async function validateAdmission(
  core: Pick<Core, "admission">,
  subject: AdmissionSubject,
  objects: { object?: AnyObject | undefined; old?: AnyObject | undefined },
): Promise<void> {
  let request: AdmissionRequest | undefined;
  for (const plugin of core.admission) {
    if (!plugin.validate || !plugin.operations.includes(subject.operation)) continue;
    request ??= requestOf(subject, objects);
    const verdict = plugin.validate(request);
    if (verdict instanceof Promise) await verdict;
  }
}
