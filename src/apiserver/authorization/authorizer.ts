import type { UserInfo } from "../../api/index.ts";

/** What is asked for: a resource of the API, or a plain path such as `/healthz`. */
export type Attributes = { readonly user: UserInfo; readonly verb: string } & (
  | {
      readonly type: "resource";
      readonly group: string;
      readonly version: string;
      readonly resource: string;
      readonly subresource: string;
      readonly namespace: string;
      readonly name: string;
    }
  | { readonly type: "path"; readonly path: string }
);

export type Decision =
  | { readonly type: "allow"; readonly reason: string }
  | { readonly type: "deny" | "noOpinion"; readonly reason: string };

/** Decides whether it may be done; synchronous, from cached roles. */
export interface Authorizer {
  authorize(attributes: Attributes): Decision;
}
