import { FieldPath } from "../../apimachinery/index.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { mapField } from "../common/fill.ts";
import { defineResource } from "../definition.ts";
import { ServiceAccount } from "../types/core-v1.ts";

const mountableAnnotation = "kubernetes.io/enforce-mountable-secrets";

/** The rules of service accounts. */
export const serviceAccountDefinition = defineResource<ServiceAccount>({
  resource: ServiceAccount,
  repeatedMetadataChecks: ["change", "whole"],
  returnsDeleted: true,
  prepareForCreate: withPlainSecrets,
  prepareForUpdate: withPlainSecrets,
  warnings: accountWarnings,
  columns: [
    nameColumn,
    column("Secrets", "How many secrets the account lists", {
      value: (account) => account.secrets?.length ?? 0,
    }),
    ageColumn,
  ],
});

/** Of references to secrets, only names are kept. */
function withPlainSecrets(account: ServiceAccount): ServiceAccount {
  return mapField(account, "secrets", (secrets) =>
    secrets.map(({ name }) => (name === undefined ? {} : { name })),
  );
}

/** Warns whoever sets an annotation that is on its way out. */
function accountWarnings(account: ServiceAccount, old: ServiceAccount | undefined): readonly string[] {
  const has = ({ metadata }: ServiceAccount) => metadata.annotations?.[mountableAnnotation] !== undefined;
  if (!has(account) || (old && has(old))) return [];
  const at = FieldPath.root("metadata").child("annotations").key(mountableAnnotation).text;
  return [`${at}: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`];
}
