import type { DeleteOptions, UserInfo } from "../../api/index.ts";
import type { Milliseconds } from "../../base/index.ts";
import type { KubernetesObject, Resource } from "../../apimachinery/index.ts";

/** One write on its way to the store. */
export interface AdmissionRequest {
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly resource: Resource;
  /** Empty for the resource itself. */
  readonly subresource: string;
  readonly namespace: string;
  /** Empty when the server makes the name. */
  readonly name: string;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** The new object; absent for deletes. */
  readonly object?: KubernetesObject;
  /** The present object; absent for creates. */
  readonly old?: KubernetesObject;
  /** Tells the client something that does not stop the request. */
  readonly warn?: (message: string) => void;
  /** Has something recorded of the request, where requests are recorded. */
  readonly annotate?: Annotate;
  /** How long the request may take, and who waits for it; absent: as long as it likes. */
  readonly lifetime?: RequestLifetime;
  /** What the client asked for besides. */
  readonly given?: GivenOptions;
  /** What plugins that may change an object twice know of each other; absent: there is one round. */
  readonly rounds?: AdmissionRounds;
}

/** Has something recorded of a request; with a level only where that much is recorded of requests. */
export type Annotate = (key: string, value: string, level?: "Request") => void;

/** When a request must be over, and whether its client still waits. */
export interface RequestLifetime {
  readonly deadline: Milliseconds;
  readonly exchange: { readonly signal: AbortSignal };
}

/** Why a webhook's call is counted as a rejection. */
export type DynamicRejection = "calling_webhook_error" | "apiserver_internal_error" | "no_error";

/** Options of a request that some plugins pass on. */
export interface GivenOptions {
  readonly fieldManager?: string;
  readonly fieldValidation?: string;
  /** What of these the client named, where they have defaults. */
  readonly asked?: Pick<GivenOptions, "fieldManager" | "fieldValidation">;
  readonly delete?: DeleteOptions;
}

/** The rounds of one request: when a plugin that was late changed the object, all run once more. */
export class AdmissionRounds {
  current: 0 | 1 = 0;
  wantsSecond = false;
  #kept: Map<string, unknown> | undefined;

  /** What plugins keep from the first round for the second, by their names; most requests have nothing of it. */
  get kept(): Map<string, unknown> {
    return (this.#kept ??= new Map());
  }
}

/** A link of the admission chain: all `admit` run first, in order, then all `validate`. Both throw ApiError to refuse. */
export interface AdmissionPlugin {
  readonly name: string;
  readonly operations: readonly AdmissionRequest["operation"][];
  /** The only resources, with their subresources, that it concerns itself with; absent: all. */
  readonly resources?: readonly Pick<Resource, "group" | "plural">[];
  /** Answers the object to go on with, the same one when nothing changes. */
  admit?(
    request: AdmissionRequest & { readonly object: KubernetesObject },
  ): KubernetesObject | Promise<KubernetesObject>;
  /** Runs in the place of `admit` for deletes and connections, where there is no object to change. */
  hear?(request: AdmissionRequest): void | Promise<void>;
  validate?(request: AdmissionRequest): void | Promise<void>;
  /** Has the plugin tell of what it calls. */
  observe?(observer: DynamicObserver): void;
}

/** What is told of webhooks and policies. */
export interface DynamicObserver {
  /** Seconds of a clock that only runs forward. */
  now(): number;
  called(call: {
    readonly name: string;
    readonly type: "admit" | "validating";
    readonly operation: string;
    readonly rejected: boolean;
    readonly code: number;
    readonly seconds: number;
  }): void;
  rejected(rejection: {
    readonly name: string;
    readonly type: "admit" | "validating";
    readonly operation: string;
    readonly errorType: DynamicRejection;
    readonly code: number;
  }): void;
  failedOpen(webhook: { readonly name: string; readonly type: "admit" | "validating" }): void;
  excluded(condition: JudgedConditions): void;
  conditionFailed(condition: JudgedConditions): void;
  /** How long all conditions of one took. */
  conditionsJudged(conditions: JudgedConditions & { readonly seconds: number }): void;
  /** What a policy found, where that is not simply that all is well. */
  validated(check: PolicyCheck & { readonly action: "allow" | "deny" | "audit" | "warn" }): void;
  mutated(check: PolicyCheck): void;
}

/** The match conditions of a webhook or a policy, for one request. */
export interface JudgedConditions {
  readonly name: string;
  readonly kind: "webhook" | "policy";
  readonly type: "admit" | "validate";
  readonly operation: string;
}

/** One expression of a policy and what became of it. */
export interface PolicyCheck {
  readonly policy: string;
  readonly binding: string;
  readonly errorType: "compile_error" | "invalid_error" | "out_of_budget" | "no_error";
  readonly seconds: number;
}
