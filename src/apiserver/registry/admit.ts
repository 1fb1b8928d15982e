import type { ObjectKey } from "../../apimachinery/index.ts";
import type { AdmissionSteps } from "../admission/chain.ts";
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
    ...(subject.options.annotate ? { annotate: subject.options.annotate } : {}),
  };
}

/** The object after all plugins that change objects. */
export async function admit(
  core: Pick<Core, "admission">,
  subject: AdmissionSubject,
  objects: { object: AnyObject; old?: AnyObject | undefined },
): Promise<AnyObject> {
  const { admitting, whole } = core.admission.stepsFor(subject.operation, subject.served.resource);
  const run = () => admitAll(admitting, { subject, objects });
  return whole ? whole.admit(run) : run();
}

async function admitAll(
  admitting: AdmissionSteps["admitting"],
  {
    subject,
    objects,
  }: { subject: AdmissionSubject; objects: { object: AnyObject; old?: AnyObject | undefined } },
): Promise<AnyObject> {
  let request = { ...requestOf(subject, objects), object: objects.object };
  for (const plugin of admitting) {
    const answer = plugin.admit(request);
    const object = (answer instanceof Promise ? await answer : answer) as AnyObject;
    if (object !== request.object) request = { ...request, object };
  }
  return request.object;
}

/** Throws when a plugin refuses. */
export async function validateAdmission(
  core: Pick<Core, "admission">,
  subject: AdmissionSubject,
  objects: { object?: AnyObject | undefined; old?: AnyObject | undefined },
): Promise<void> {
  const { validating, whole } = core.admission.stepsFor(subject.operation, subject.served.resource);
  if (validating.length === 0) return;
  const request = requestOf(subject, objects);
  const run = async () => {
    for (const plugin of validating) {
      const verdict = plugin.validate(request);
      if (verdict instanceof Promise) await verdict;
    }
  };
  return whole ? whole.validate(run) : run();
}
