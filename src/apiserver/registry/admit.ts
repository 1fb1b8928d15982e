import type { ObjectKey } from "../../apimachinery/index.ts";
import type { AdmissionSteps } from "../admission/chain.ts";
import { AdmissionRounds } from "../admission/plugin.ts";
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
    given: subject.options,
    ...(objects.object ? { object: objects.object } : {}),
    ...(objects.old ? { old: objects.old } : {}),
    ...(subject.options.warn ? { warn: subject.options.warn } : {}),
    ...(subject.options.annotate ? { annotate: subject.options.annotate } : {}),
    ...(subject.options.lifetime ? { lifetime: subject.options.lifetime } : {}),
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
  const rounds = new AdmissionRounds();
  let request = { ...requestOf(subject, objects), object: objects.object, rounds };
  for (;;) {
    for (const plugin of admitting) {
      const answer = plugin.admit(request);
      const object = (answer instanceof Promise ? await answer : answer) as AnyObject;
      if (object !== request.object) request = { ...request, object };
    }
    if (rounds.current === 1 || !rounds.wantsSecond) return request.object;
    rounds.current = 1;
  }
}

/** Whether there is no object to change: plugins that change objects only hear of it. */
const isHeard = ({ operation }: AdmissionSubject): boolean =>
  operation === "DELETE" || operation === "CONNECT";

/** Throws when a plugin refuses. */
export async function validateAdmission(
  core: Pick<Core, "admission">,
  subject: AdmissionSubject,
  objects: { object?: AnyObject | undefined; old?: AnyObject | undefined },
): Promise<void> {
  const { hearing, validating, whole } = core.admission.stepsFor(subject.operation, subject.served.resource);
  const request = requestOf(subject, objects);
  if (hearing.length > 0 && isHeard(subject)) {
    const hear = async () => {
      for (const plugin of hearing) {
        const heard = plugin.hear(request);
        if (heard instanceof Promise) await heard;
      }
    };
    await (whole ? whole.admit(hear) : hear());
  }
  if (validating.length === 0) return;
  const run = async () => {
    for (const plugin of validating) {
      const verdict = plugin.validate(request);
      if (verdict instanceof Promise) await verdict;
    }
  };
  return whole ? whole.validate(run) : run();
}
