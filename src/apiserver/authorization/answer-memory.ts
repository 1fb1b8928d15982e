import type { UserInfo } from "../../api/index.ts";

/** Answers that are remembered. */
const capacity = 4_096;

/** What users ask for, whatever the name of the object: a resource or a path. */
export type Question =
  | {
      readonly type: "resource";
      readonly verb: string;
      readonly group: string;
      readonly resource: string;
      readonly subresource: string;
      readonly namespace: string;
    }
  | { readonly type: "path"; readonly verb: string; readonly path: string };

interface Remembered<Answer> {
  readonly group: string;
  readonly subresource: string;
  readonly answer: Answer;
}

/** In maps of maps by strings that requests have at hand: nothing is put together. */
interface Answers<Answer> {
  /** By resource, verb and namespace. */
  readonly toResources: Map<string, Map<string, Map<string, Remembered<Answer>[]>>>;
  /** By path and verb. */
  readonly toPaths: Map<string, Map<string, Answer>>;
}

/** What was answered to the requests of a user, of his name and groups alone, for the same. */
export class AnswerMemory<Answer> {
  private readonly byName = new Map<string, Answers<Answer>>();
  /** Whoever comes over one connection or with one token is the same object: found without a look at the groups. */
  private byUser = new WeakMap<UserInfo, Answers<Answer>>();
  private size = 0;

  get(question: Question, user: UserInfo): Answer | undefined {
    const answers = this.byUser.get(user) ?? this.answersFor(user);
    if (question.type === "path") return answers.toPaths.get(question.path)?.get(question.verb);
    const { group, resource, subresource, namespace, verb } = question;
    const alike = answers.toResources.get(resource)?.get(verb)?.get(namespace);
    return alike?.find((one) => one.group === group && one.subresource === subresource)?.answer;
  }

  keep(answer: Answer, { question, user }: { readonly question: Question; readonly user: UserInfo }): Answer {
    if (this.size >= capacity) this.clear();
    this.size += 1;
    const { toPaths, toResources } = this.answersFor(user);
    if (question.type === "path") {
      entryOf(toPaths, question.path, () => new Map<string, Answer>()).set(question.verb, answer);
      return answer;
    }
    const { group, resource, subresource, namespace, verb } = question;
    const verbs = entryOf(toResources, resource, () => new Map<string, Map<string, Remembered<Answer>[]>>());
    const namespaces = entryOf(verbs, verb, () => new Map<string, Remembered<Answer>[]>());
    entryOf(namespaces, namespace, (): Remembered<Answer>[] => []).push({ group, subresource, answer });
    return answer;
  }

  clear(): void {
    this.byName.clear();
    this.byUser = new WeakMap();
    this.size = 0;
  }

  private answersFor(user: UserInfo): Answers<Answer> {
    // As JSON, for no text in a name may pass for another.
    const name = JSON.stringify([user.name, user.groups]);
    const answers = entryOf(this.byName, name, () => ({ toResources: new Map(), toPaths: new Map() }));
    this.byUser.set(user, answers);
    return answers;
  }
}

function entryOf<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
