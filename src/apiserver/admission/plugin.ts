import type { UserInfo } from "../../api/index.ts";
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
  validate?(request: AdmissionRequest): void | Promise<void>;
}
