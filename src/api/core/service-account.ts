import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { defineResource } from "../definition.ts";
import { ServiceAccount } from "../types/core-v1.ts";

/** The rules of service accounts. */
export const serviceAccountDefinition = defineResource<ServiceAccount>({
  resource: ServiceAccount,
  repeatedMetadataChecks: ["change", "whole"],
  returnsDeleted: true,
  columns: [
    nameColumn,
    column("Secrets", "How many secrets the account lists", {
      value: (account) => account.secrets?.length ?? 0,
    }),
    ageColumn,
  ],
});
