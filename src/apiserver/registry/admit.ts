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

type Making<T> = { -readonly [K in keyof T]: T[K] };

/** Made for every write: field by field, for a spread that is added to costs V8 a hundred times as much. */
function requestOf(
  { operation, served, subresource, key, options }: AdmissionSubject,
  { object, old }: { readonly object?: AnyObject | undefined; readonly old?: AnyObject | undefined },
): Making<AdmissionRequest> {
  const { user, dryRun = false, warn, annotate, lifetime } = options;
  const request: Making<AdmissionRequest> = {
    operation,
    resource: served.resource,
    subresource,
    namespace: key.namespace ?? "",
    name: key.name,
    user,
    dryRun,
    given: options,
  };
  if (object) request.object = object;
  if (old) request.old = old;
  if (warn) request.warn = warn;
  if (annotate) request.annotate = annotate;
  if (lifetime) request.lifetime = lifetime;
  return request;
}

/** The object after all plugins that change objects; at once unless one has to wait. */
export function admit(
  core: Pick<Core, "admission">,
  subject: AdmissionSubject,
  objects: { readonly object: AnyObject; readonly old?: AnyObject | undefined },
): AnyObject | Promise<AnyObject> {
  const { admitting, whole } = core.admission.stepsFor(subject.operation, subject.served.resource);
  if (admitting.length === 0 && !whole) return objects.object;
  const request = requestOf(subject, objects) as Making<Admitted>;
  request.rounds = new AdmissionRounds();
  const run = () => admitFrom(admitting, { request, index: 0 });
  return whole ? whole.admit(run) : run();
}

type Admitted = AdmissionRequest & { readonly object: AnyObject; readonly rounds: AdmissionRounds };

/** Runs the plugins from one on, and all once more where one wants that. */
function admitFrom(
  admitting: AdmissionSteps["admitting"],
  from: { readonly request: Admitted; readonly index: number },
): AnyObject | Promise<AnyObject> {
  let { request, index } = from;
  const { rounds } = request;
  for (;;) {
    for (; index < admitting.length; index++) {
      const answer = admitting[index]!.admit(request);
      if (answer instanceof Promise) {
        const [before, next] = [request, index + 1];
        return answer.then((object) =>
          admitFrom(admitting, { request: withObject(before, object as AnyObject), index: next }),
        );
      }
      request = withObject(request, answer as AnyObject);
    }
    if (rounds.current === 1 || !rounds.wantsSecond) return request.object;
    rounds.current = 1;
    index = 0;
  }
}

const withObject = (request: Admitted, object: AnyObject): Admitted =>
  object === request.object ? request : { ...request, object };

/** Whether there is no object to change: plugins that change objects only hear of it. */
const isHeard = ({ operation }: AdmissionSubject): boolean =>
  operation === "DELETE" || operation === "CONNECT";

type Check = (request: AdmissionRequest) => void | Promise<void>;

/** Throws, or rejects, when a plugin refuses; at once unless one has to wait. */
export function validateAdmission(
  core: Pick<Core, "admission">,
  subject: AdmissionSubject,
  objects: { readonly object?: AnyObject | undefined; readonly old?: AnyObject | undefined },
): void | Promise<void> {
  const { hearing, validating, whole } = core.admission.stepsFor(subject.operation, subject.served.resource);
  const request = requestOf(subject, objects);
  const validate = () => {
    if (validating.length === 0) return undefined;
    const run = () => checkFrom(validating, "validate", request);
    return whole ? whole.validate(run) : run();
  };
  if (hearing.length === 0 || !isHeard(subject)) return validate();
  const hear = () => checkFrom(hearing, "hear", request);
  const heard = whole ? whole.admit(hear) : hear();
  return heard instanceof Promise ? heard.then(validate) : validate();
}

/** Asks one plugin after the other. */
function checkFrom<M extends "hear" | "validate">(
  plugins: readonly Readonly<Record<M, Check>>[],
  method: M,
  request: AdmissionRequest,
): void | Promise<void> {
  for (let index = 0; index < plugins.length; index++) {
    const verdict = plugins[index]![method](request);
    if (verdict instanceof Promise) {
      const rest = plugins.slice(index + 1);
      return rest.length === 0 ? verdict : verdict.then(() => checkFrom(rest, method, request));
    }
  }
  return undefined;
}
