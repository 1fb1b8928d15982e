import type { Authorizer } from "../../authorization/authorizer.ts";
import type { ObjectReader } from "../../reader.ts";
import type { AdmissionRequest } from "../plugin.ts";

/** What a node wants to do. */
export interface Question {
  readonly node: string;
  readonly request: AdmissionRequest;
  readonly reader: ObjectReader;
  readonly authorizer?: Authorizer | undefined;
}
