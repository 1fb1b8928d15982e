import { apiVersionOf } from "../../apimachinery/index.ts";
import { ValidatingAdmissionPolicy } from "../../api/types/admissionregistration-v1.ts";
import { ignoreMissing } from "../../api/index.ts";
import { settled, watchItself } from "../framework/index.ts";
import type { Controller, ControllerContext } from "../framework/index.ts";

const fieldManager = "validatingadmissionpolicy-status-controller";

/** Tells in the status of policies what their expressions get wrong of the types of what they are for. */
export function policyStatusController(context: ControllerContext): Controller {
  const { client, informers, settings } = context;
  const { checkPolicyTypes } = settings;
  const policies = checkPolicyTypes && informers.informer(ValidatingAdmissionPolicy);
  return {
    name: "validatingadmissionpolicy-status",
    watches: policies ? [watchItself(policies)] : [],
    async reconcile(key) {
      const policy = policies?.get(key);
      if (!policy || !checkPolicyTypes) return settled;
      const { generation = 0 } = policy.metadata;
      if (generation <= (policy.status?.observedGeneration ?? 0)) return settled;
      const warnings = checkPolicyTypes(policy);
      const body = {
        apiVersion: apiVersionOf(ValidatingAdmissionPolicy),
        kind: ValidatingAdmissionPolicy.kind,
        metadata: { name: key.name },
        status: {
          observedGeneration: generation,
          typeChecking: warnings.length === 0 ? {} : { expressionWarnings: warnings },
        },
      };
      const patch = { type: "apply", body, force: true } as const;
      const options = { subresource: "status", fieldManager };
      await ignoreMissing(
        client.patch<ValidatingAdmissionPolicy>(ValidatingAdmissionPolicy, key, patch, options),
      );
      return settled;
    },
  };
}
