import type { Clock, Logger, Milliseconds, Random } from "../../base/index.ts";
import { keyOf } from "../../apimachinery/index.ts";
import type { KubernetesObject, ObjectKey } from "../../apimachinery/index.ts";
import type { Client } from "../../api/index.ts";
import type {
  ExpressionWarning,
  ValidatingAdmissionPolicy,
} from "../../api/types/admissionregistration-v1.ts";
import type { EventRecorder, InformerFactory, SharedInformer } from "../../client/index.ts";
import type { Catalog } from "./catalog.ts";

/** How a reconciliation ended; a throw means back off and try again. */
export type Outcome = { readonly type: "settled" } | { readonly type: "again"; readonly after: Milliseconds };

export const settled: Outcome = { type: "settled" };

/** `settled`, or again after the shortest of the delays given. */
export function again(...delays: readonly (Milliseconds | undefined)[]): Outcome {
  const known = delays.filter((delay) => delay !== undefined);
  return known.length === 0 ? settled : { type: "again", after: Math.max(0, Math.min(...known)) };
}

/**
 * Brings one kind of object to what its spec asks for. `reconcile` is level-based: it reads the present state and may
 * be called at any time, for objects that are gone too, but never twice at a time for one key.
 */
export interface Controller {
  readonly name: string;
  readonly watches: readonly Watch[];
  /** How many keys are worked on at a time; default 5. */
  readonly workers?: number;
  reconcile(key: ObjectKey, signal: AbortSignal): Promise<Outcome>;
  /** Runs beside the work, until the signal aborts. */
  run?(signal: AbortSignal): Promise<void>;
}

export type Change<T> =
  | { readonly type: "added"; readonly object: T }
  | { readonly type: "updated"; readonly object: T; readonly old: T }
  | { readonly type: "deleted"; readonly object: T };

/** Wakes a key now, or after a delay. */
export type Wake = (key: ObjectKey, after?: Milliseconds) => void;

/** A source of keys to wake. */
export interface Watch {
  whenSynced(signal: AbortSignal): Promise<void>;
  /** Returns what ends it. */
  connect(wake: Wake): () => void;
}

/** Wakes what `react` names at each change of the informer's view. */
export function watch<T extends KubernetesObject>(
  informer: SharedInformer<T>,
  react: (change: Change<T>, wake: Wake) => void,
): Watch {
  return {
    whenSynced: (signal) => informer.whenSynced(signal),
    connect: (wake) =>
      informer.on({
        added: (object) => react({ type: "added", object }, wake),
        updated: (object, old) => react({ type: "updated", object, old }, wake),
        deleted: (object) => react({ type: "deleted", object }, wake),
      }),
  };
}

/** Waits for the informer's view, whose changes wake nothing. */
export function watchOnlyUntilSynced<T extends KubernetesObject>(informer: SharedInformer<T>): Watch {
  return { whenSynced: (signal) => informer.whenSynced(signal), connect: () => () => undefined };
}

/** Wakes each object itself. */
export function watchItself<T extends KubernetesObject>(informer: SharedInformer<T>): Watch {
  return watch(informer, ({ object }, wake) => wake(keyOf(object)));
}

/** What a controller is made with. */
export interface ControllerContext {
  /** Acts as the controller's own identity. */
  readonly client: Client;
  /** Shared by all controllers. */
  readonly informers: InformerFactory;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly settings: ControllerSettings;
}

/** Settings of the controller manager, named like its flags. */
export interface ControllerSettings {
  /** PEM of the authority that pods trust for the API server; published in every namespace. */
  readonly rootCertificateAuthority: string;
  /** Signs a token that does not expire, for a secret of type kubernetes.io/service-account-token. */
  readonly signSecretToken?: (of: {
    readonly namespace: string;
    readonly serviceAccount: { readonly name: string; readonly uid: string };
    readonly secret: { readonly name: string; readonly uid: string };
  }) => Promise<string>;
  /** Signs base64-encoded PEM requests as the cluster's authority; absent: no certificates are issued. Base64 of PEM. */
  readonly signCertificate?: (of: {
    readonly request: string;
    readonly usages: readonly string[];
    readonly notBefore: Milliseconds;
    readonly notAfter: Milliseconds;
  }) => Promise<string>;
  /** Service accounts get a secret with a token that does not expire, as before v1.24; default: they get none. */
  readonly legacyServiceAccountTokens?: boolean;
  /** What the expressions of a policy get wrong of the types of what it is for; absent: no status tells of it. */
  readonly checkPolicyTypes?: (policy: ValidatingAdmissionPolicy) => readonly ExpressionWarning[];
  /** All resources of the API, for namespaces' deletion and garbage collection. */
  readonly catalog: Catalog;
  /** Without a heartbeat for this long a node is not ready; default 50 s. */
  readonly nodeMonitorGracePeriod: Milliseconds;
  /** A node that never reported is given this long; default 60 s. */
  readonly nodeStartupGracePeriod: Milliseconds;
  /** Terminated pods beyond this number are deleted; default 12500. */
  readonly terminatedPodThreshold: number;
}

const defaultWorkers = 5;

export const workersOf = (controller: Controller): number => controller.workers ?? defaultWorkers;
