/** Words that upstream writes in capitals in the names of its own fields. */
const capitals: Readonly<Record<string, string>> = {
  ip: "IP",
  uid: "UID",
  apiVersion: "APIVersion",
  seLinuxOptions: "SELinuxOptions",
};

/**
 * An object as upstream's messages show it: with the names that its fields have inside of the server, all of them,
 * in its order. Names of types cannot be told from objects, so that each caller lists the fields.
 */
export function internalForm(
  object: object,
  fields: readonly (string | readonly [field: string, zero: unknown])[],
): Readonly<Record<string, unknown>> {
  const given = object as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    fields.map((entry) => {
      const [field, zero] = typeof entry === "string" ? [entry, null] : entry;
      return [internalName(field), nested(given[field] ?? zero)];
    }),
  );
}

const internalName = (field: string) =>
  capitals[field] ?? `${field.slice(0, 1).toUpperCase()}${field.slice(1)}`;

function nested(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(nested);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([field, inner]) => [internalName(field), nested(inner)]),
  );
}
