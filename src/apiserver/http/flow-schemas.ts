import type { UserInfo } from "../../api/index.ts";
import { FlowSchema, PriorityLevelConfiguration } from "../../api/types/flowcontrol-v1.ts";
import type {
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from "../../api/types/flowcontrol-v1.ts";
import type { ObjectReader } from "../reader.ts";
import type { RequestInfo, ResourceInfo } from "./request-info.ts";

/** The flow schema that a request falls under, and its priority level. */
export interface Classification {
  readonly schema: FlowSchema;
  readonly level: PriorityLevelConfiguration;
}

/** Answers of the classifier that are remembered. */
const rememberedAnswers = 4_096;

/** What is known of one user, or of all with the same name and groups. */
type Answers = Map<string, Classification | undefined>;
const defaultPrecedence = 1_000;

/** Finds flow schemas of requests, by the stored objects; the same question is worked out once. */
export class FlowClassifier {
  private readonly reader: ObjectReader;
  private readonly byName = new Map<string, Answers>();
  /** Whoever comes over one connection is the same object: found without a look at the groups. */
  private byUser = new WeakMap<UserInfo, Answers>();
  private remembered = 0;
  private ordered: readonly Classification[] | undefined;
  private readonly stops: readonly (() => void)[];

  constructor(reader: ObjectReader) {
    this.reader = reader;
    const forget = () => {
      this.ordered = undefined;
      this.forget();
    };
    this.stops = [reader.subscribe(FlowSchema, forget), reader.subscribe(PriorityLevelConfiguration, forget)];
  }

  classify(info: RequestInfo, user: UserInfo): Classification | undefined {
    const answers = this.byUser.get(user) ?? this.answersFor(user);
    const question = `${info.verb} ${subjectOf(info)}`;
    const known = answers.get(question);
    if (known !== undefined || answers.has(question)) return known;
    this.ordered ??= inOrder(this.reader);
    const found = this.ordered.find(({ schema }) =>
      schema.spec.rules?.some((rule) => matchesRule(rule, info, user)),
    );
    if (this.remembered >= rememberedAnswers) this.forget();
    this.remembered += 1;
    answers.set(question, found);
    return found;
  }

  private answersFor(user: UserInfo): Answers {
    const name = `${user.name} ${user.groups.join()}`;
    const answers: Answers = this.byName.get(name) ?? new Map();
    this.byName.set(name, answers);
    this.byUser.set(user, answers);
    return answers;
  }

  private forget(): void {
    this.byName.clear();
    this.byUser = new WeakMap();
    this.remembered = 0;
  }

  /** All priority levels. */
  levels(): readonly PriorityLevelConfiguration[] {
    return this.reader.list(PriorityLevelConfiguration);
  }

  close(): void {
    for (const stop of this.stops) stop();
  }
}

const subjectOf = (info: RequestInfo): string =>
  info.type === "path" ? info.path : `${info.group} ${info.resource} ${info.subresource} ${info.namespace}`;

/** Schemas whose level exists, in the order in which they are tried. */
function inOrder(reader: ObjectReader): readonly Classification[] {
  const precedence = ({ spec }: FlowSchema) => spec.matchingPrecedence ?? defaultPrecedence;
  return [...reader.list(FlowSchema)]
    .sort(
      (left, right) =>
        precedence(left) - precedence(right) ||
        ((left.metadata.name ?? "") < (right.metadata.name ?? "") ? -1 : 1),
    )
    .flatMap((schema) => {
      const { name } = schema.spec.priorityLevelConfiguration;
      const level = reader.get(PriorityLevelConfiguration, { name });
      return level ? [{ schema, level }] : [];
    });
}

/** Whether a rule is about the request of the user. */
export function matchesRule(rule: PolicyRulesWithSubjects, info: RequestInfo, user: UserInfo): boolean {
  if (!rule.subjects.some((subject) => matchesSubject(subject, user))) return false;
  if (info.type === "path") {
    return rule.nonResourceRules?.some((one) => matchesPath(one, info)) ?? false;
  }
  return rule.resourceRules?.some((one) => matchesResource(one, info)) ?? false;
}

const includes = (values: readonly string[], value: string): boolean =>
  values.includes("*") || values.includes(value);

function matchesSubject({ user, group, serviceAccount }: Subject, asking: UserInfo): boolean {
  if (user) return user.name === "*" || user.name === asking.name;
  if (group) return group.name === "*" || asking.groups.includes(group.name);
  if (!serviceAccount) return false;
  const prefix = `system:serviceaccount:${serviceAccount.namespace}:`;
  return serviceAccount.name === "*"
    ? asking.name.startsWith(prefix)
    : asking.name === `${prefix}${serviceAccount.name}`;
}

function matchesResource(rule: ResourcePolicyRule, info: ResourceInfo): boolean {
  const resource = info.subresource === "" ? info.resource : `${info.resource}/${info.subresource}`;
  if (!includes(rule.verbs, info.verb) || !includes(rule.apiGroups, info.group)) return false;
  if (!includes(rule.resources, resource)) return false;
  return info.namespace === "" ? rule.clusterScope === true : includes(rule.namespaces ?? [], info.namespace);
}

function matchesPath(rule: NonResourcePolicyRule, info: Extract<RequestInfo, { type: "path" }>): boolean {
  return (
    includes(rule.verbs, info.verb) &&
    rule.nonResourceURLs.some((url) =>
      url.endsWith("*") ? info.path.startsWith(url.slice(0, -1)) : info.path === url,
    )
  );
}
