import type { DeleteOptions, UserInfo } from "../../api/index.ts";
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
  readonly annotate?: (key: string, value: string) => void;
  /** What the client asked for besides. */
  readonly given?: GivenOptions;
  /** What plugins that may change an object twice know of each other; absent: there is one round. */
  readonly rounds?: AdmissionRounds;
}

/** Options of a request that some plugins pass on. */
export interface GivenOptions {
  readonly fieldManager?: string;
  readonly fieldValidation?: string;
  readonly delete?: DeleteOptions;
}

/** The rounds of one request: when a plugin that was late changed the object, all run once more. */
export class AdmissionRounds {
  current: 0 | 1 = 0;
  wantsSecond = false;
  /** What plugins keep from the first round for the second, by their names. */
  readonly kept = new Map<string, unknown>();
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
    readonly errorType: "calling_webhook_error" | "apiserver_internal_error" | "no_error";
    readonly code: number;
  }): void;
  failedOpen(webhook: { readonly name: string; readonly type: "admit" | "validating" }): void;
  excluded(condition: {
    readonly name: string;
    readonly kind: "webhook" | "policy";
    readonly type: "admit" | "validating" | "validate";
    readonly operation: string;
  }): void;
  conditionFailed(condition: { readonly name: string; readonly kind: "webhook" | "policy" }): void;
  /** What a policy found, where that is not simply that all is well. */
  validated(check: PolicyCheck & { readonly action: "allow" | "deny" | "audit" | "warn" }): void;
  mutated(check: PolicyCheck): void;
}

/** One expression of a policy and what became of it. */
export interface PolicyCheck {
  readonly policy: string;
  readonly binding: string;
  readonly errorType: "compile_error" | "invalid_error" | "out_of_budget" | "no_error";
  readonly seconds: number;
}
