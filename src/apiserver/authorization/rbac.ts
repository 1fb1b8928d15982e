import type { UserInfo } from "../../api/index.ts";
import { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from "../../api/types/rbac-v1.ts";
import type { PolicyRule, RoleRef, Subject } from "../../api/types/rbac-v1.ts";
import type { Resource } from "../../apimachinery/index.ts";
import type { ObjectReader } from "../reader.ts";
import { AnswerMemory } from "./answer-memory.ts";
import type { Attributes, Authorizer, Decision } from "./authorizer.ts";
import { ruleCovers, ruleNames } from "./rules.ts";

/** What a user may do in a namespace (and cluster-wide), and which roles could not be found. */
export interface HeldRules {
  readonly rules: readonly PolicyRule[];
  readonly errors: readonly string[];
}

/** Decides by roles and their bindings, and lists what a user holds. */
export interface RbacAuthorizer extends Authorizer {
  rulesFor(user: UserInfo, namespace: string): HeldRules;
  /** The rules that a binding would grant; undefined when its role is missing. */
  rulesOf(roleRef: RoleRef, namespace: string): readonly PolicyRule[] | undefined;
  /** Stops following the reader. */
  close(): void;
}

/** Role-based access control over the roles and bindings that the reader shows. */
export function createRbacAuthorizer(options: { readonly reader: ObjectReader }): RbacAuthorizer {
  const { reader } = options;
  const clusterGrants = new GrantIndex(reader, ClusterRoleBinding);
  const namespaceGrants = new GrantIndex(reader, RoleBinding);
  const known = new KnownCoverage(reader);

  const rulesOf: RbacAuthorizer["rulesOf"] = (roleRef, namespace) => roleOf(reader, { roleRef, namespace });

  const grantsOfUser = (user: UserInfo, namespace: string): readonly Grant[] =>
    namespace === ""
      ? [...clusterGrants.of(user, "")]
      : [...clusterGrants.of(user, ""), ...namespaceGrants.of(user, namespace)];

  /** All rules of the user that `holds` lets through, and what went missing on the way. */
  const held = (
    user: UserInfo,
    { namespace, holds }: { namespace: string; holds: (rule: PolicyRule) => boolean },
  ): Coverage => {
    const coverings: Covering[] = [];
    const errors = new Set<string>();
    for (const grant of grantsOfUser(user, namespace)) {
      const rules = rulesOf(grant.roleRef, namespace);
      if (!rules) errors.add(notFoundMessage(grant.roleRef));
      for (const rule of rules ?? []) if (holds(rule)) coverings.push({ rule, grant });
    }
    return { coverings, errors: [...errors] };
  };

  const coverage = (attributes: Attributes): Coverage =>
    held(attributes.user, {
      namespace: attributes.type === "resource" ? attributes.namespace : "",
      holds: (rule) => ruleCovers(rule, attributes),
    });

  return {
    rulesOf,
    authorize(attributes) {
      const { coverings, errors } = known.get(attributes, coverage);
      const allowing = coverings.find(({ rule }) => ruleNames(rule, attributes));
      return decisionOf(allowing?.grant, errors);
    },
    rulesFor(user, namespace) {
      const { coverings, errors } = held(user, { namespace, holds: () => true });
      return { rules: coverings.map(({ rule }) => rule), errors };
    },
    close() {
      clusterGrants.close();
      namespaceGrants.close();
      known.close();
    },
  };
}

/** A rule of the user's that covers what is asked, perhaps for some names only. */
interface Covering {
  readonly rule: PolicyRule;
  readonly grant: Grant;
}

/** What of a user's rules bears on a request, whatever name it asks for. */
interface Coverage {
  readonly coverings: readonly Covering[];
  readonly errors: readonly string[];
}

/** What users' rules were found to cover, until a role or a binding changes. */
class KnownCoverage {
  private readonly memory = new AnswerMemory<Coverage>();
  private readonly ends: readonly (() => void)[];

  constructor(reader: ObjectReader) {
    const forget = () => this.memory.clear();
    this.ends = [
      reader.subscribe(ClusterRole, forget),
      reader.subscribe(Role, forget),
      reader.subscribe(ClusterRoleBinding, forget),
      reader.subscribe(RoleBinding, forget),
    ];
  }

  get(attributes: Attributes, find: (attributes: Attributes) => Coverage): Coverage {
    const { user } = attributes;
    return (
      this.memory.get(attributes, user) ?? this.memory.keep(find(attributes), { question: attributes, user })
    );
  }

  close(): void {
    for (const end of this.ends) end();
  }
}

function roleOf(
  reader: ObjectReader,
  names: { readonly roleRef: RoleRef; readonly namespace: string },
): readonly PolicyRule[] | undefined {
  const { roleRef, namespace } = names;
  const role =
    roleRef.kind === "ClusterRole"
      ? reader.get(ClusterRole, { name: roleRef.name })
      : reader.get(Role, { namespace, name: roleRef.name });
  return role && (role.rules ?? []);
}

function decisionOf(allowedBy: Grant | undefined, errors: readonly string[]): Decision {
  if (allowedBy) return { type: "allow", reason: `RBAC: allowed by ${describeGrant(allowedBy)}` };
  return { type: "noOpinion", reason: errors.length === 0 ? "" : `RBAC: ${joinErrors(errors)}` };
}

/** One subject of one binding. */
interface Grant {
  readonly subject: Subject;
  readonly subjectKey: string;
  readonly roleRef: RoleRef;
  readonly bindingName: string;
  /** Empty for cluster role bindings. */
  readonly namespace: string;
}

type Binding = ClusterRoleBinding | RoleBinding;

/** Bindings by namespace and subject, kept current. */
class GrantIndex {
  private readonly bySubject = new Map<string, Map<string, Grant>>();
  private readonly byBinding = new Map<string, readonly Grant[]>();
  readonly close: () => void;

  constructor(reader: ObjectReader, resource: Resource<Binding>) {
    this.close = reader.subscribe(resource, ({ object, old }) => {
      if (old) this.remove(old);
      if (object) this.add(object);
    });
    for (const binding of reader.list(resource)) this.add(binding);
  }

  /** What the user and his groups are granted, cluster-wide (`""`) or in the namespace. */
  *of(user: UserInfo, namespace: string): Generator<Grant> {
    yield* this.bySubject.get(`${namespace}|user:${user.name}`)?.values() ?? [];
    for (const group of user.groups) {
      yield* this.bySubject.get(`${namespace}|group:${group}`)?.values() ?? [];
    }
  }

  private add(binding: Binding): void {
    this.remove(binding);
    const grants = grantsOf(binding);
    this.byBinding.set(bindingKey(binding), grants);
    for (const grant of grants) {
      const grantsOfSubject = this.bySubject.get(grant.subjectKey) ?? new Map<string, Grant>();
      grantsOfSubject.set(grant.bindingName, grant);
      this.bySubject.set(grant.subjectKey, grantsOfSubject);
    }
  }

  private remove(binding: Binding): void {
    const key = bindingKey(binding);
    for (const grant of this.byBinding.get(key) ?? []) {
      const grantsOfSubject = this.bySubject.get(grant.subjectKey);
      grantsOfSubject?.delete(grant.bindingName);
      if (grantsOfSubject?.size === 0) this.bySubject.delete(grant.subjectKey);
    }
    this.byBinding.delete(key);
  }
}

const bindingKey = (binding: Binding) => `${binding.metadata.namespace ?? ""}/${binding.metadata.name}`;

function grantsOf(binding: Binding): readonly Grant[] {
  const namespace = binding.metadata.namespace ?? "";
  return (binding.subjects ?? []).map((subject) => ({
    subject,
    subjectKey: `${namespace}|${subjectName(subject, namespace)}`,
    roleRef: binding.roleRef,
    bindingName: binding.metadata.name,
    namespace,
  }));
}

/** A service account is the user whose name its tokens carry. */
function subjectName(subject: Subject, namespace: string): string {
  switch (subject.kind) {
    case "ServiceAccount":
      return `user:system:serviceaccount:${subject.namespace ?? namespace}:${subject.name}`;
    case "Group":
      return `group:${subject.name}`;
    default:
      return `user:${subject.name}`;
  }
}

function describeGrant(grant: Grant): string {
  const { subject, roleRef, namespace } = grant;
  const subjectText =
    subject.kind === "ServiceAccount" ? `${subject.name}/${subject.namespace || namespace}` : subject.name;
  const to = `of ${roleRef.kind} ${JSON.stringify(roleRef.name)} to ${subject.kind} ${JSON.stringify(subjectText)}`;
  return namespace === ""
    ? `ClusterRoleBinding ${JSON.stringify(grant.bindingName)} ${to}`
    : `RoleBinding ${JSON.stringify(`${grant.bindingName}/${namespace}`)} ${to}`;
}

const notFoundMessage = (roleRef: RoleRef) =>
  `${roleRef.kind.toLowerCase()}.rbac.authorization.k8s.io ${JSON.stringify(roleRef.name)} not found`;

/** Several errors as upstream's aggregate shows them. */
export const joinErrors = (errors: readonly string[]): string =>
  errors.length === 1 ? (errors[0] ?? "") : `[${errors.join(", ")}]`;
