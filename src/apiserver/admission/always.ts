import type { AdmissionPlugin, AdmissionRequest } from "./plugin.ts";
import { refused } from "./request.ts";

const all = ["CREATE", "UPDATE", "DELETE", "CONNECT"] as const;

/** Does nothing; kept by upstream for old configurations. */
export const alwaysAdmit: AdmissionPlugin = { name: "AlwaysAdmit", operations: all };

const deny = (request: AdmissionRequest) =>
  refused(request, "admission control is denying all modifications");

/** Refuses every change. */
export const alwaysDeny: AdmissionPlugin = {
  name: "AlwaysDeny",
  operations: all,
  admit(request) {
    throw deny(request);
  },
  validate(request) {
    throw deny(request);
  },
};
