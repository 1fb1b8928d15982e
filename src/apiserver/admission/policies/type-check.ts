import { apiVersionOf } from "../../../apimachinery/index.ts";
import { expressionVersion } from "../../../api/index.ts";
import type {
  ExpressionWarning,
  NamedRuleWithOperations,
  ValidatingAdmissionPolicy,
} from "../../../api/types/admissionregistration-v1.ts";
import type { Clock } from "../../../base/index.ts";
import { admissionEnvironment, declaredBySchema, variableType } from "../../../cel/index.ts";
import type { CelType, DeclaredType, Environment } from "../../../cel/index.ts";
import type { ServedResource, ServedTable } from "../../registry/served.ts";
import { expressionSchemaOf } from "./type-schema.ts";

/** Kinds that one rule of a policy may have checked. */
const mostKinds = 10;
const nanosecondsPerMillisecond = 1_000_000;
const millisecondsPerSecond = 1_000;

/** Checks the expressions of a policy against the types of what it is for; answers what its status is to warn of. */
export type PolicyTypeCheck = (policy: ValidatingAdmissionPolicy) => readonly ExpressionWarning[];

/** Checks policies against what is served. */
export function policyTypeCheck({
  served,
  clock,
}: {
  readonly served: ServedTable;
  readonly clock: Clock;
}): PolicyTypeCheck {
  // Upstream tells the types of one check from those of others by the time.
  const declare = (resource: ServedResource): DeclaredType | undefined => {
    const nanoseconds = (clock.now() % millisecondsPerSecond) * nanosecondsPerMillisecond;
    const name = `${resource.resource.kind}${Math.floor(nanoseconds)}`;
    return declaredBySchema(expressionSchemaOf(resource), { name, isResource: true });
  };
  return (policy) => {
    const { paramKind, validations = [] } = policy.spec;
    const kinds = kindsOf(policy, served);
    if (kinds.length === 0) return [];
    const param = paramKind && [...served.all()].find((each) => isOfKind(each, paramKind));
    const params = param && declare(param);
    const checks = kinds.map((resource) => {
      const { group, version, kind } = resource.resource;
      const named = `${group}/${version}, Kind=${kind}`;
      return { named, environment: environmentOf(policy, { object: declare(resource), params }) };
    });
    const check = (fieldRef: string, expression: string): readonly ExpressionWarning[] => {
      const problems = checks.flatMap(({ named, environment }) => {
        const compilation = environment.compile(expression);
        return compilation.type === "invalid" ? [`${named}: ${compilation.message}\n`] : [];
      });
      return problems.length === 0 ? [] : [{ fieldRef, warning: problems.join("\n") }];
    };
    return validations.flatMap(({ expression, messageExpression = "" }, index) => [
      ...check(`spec.validations[${index}].expression`, expression),
      ...(messageExpression === ""
        ? []
        : check(`spec.validations[${index}].messageExpression`, messageExpression)),
    ]);
  };
}

const isOfKind = (
  { apiVersion, resource }: ServedResource,
  paramKind: { readonly apiVersion?: string; readonly kind?: string },
): boolean => apiVersion === paramKind.apiVersion && resource.kind === paramKind.kind;

/** The environment in which objects have their types; what is wrong with variables is not told of. */
function environmentOf(
  { spec: { paramKind, variables = [] } }: ValidatingAdmissionPolicy,
  typed: { readonly object: DeclaredType | undefined; readonly params: DeclaredType | undefined },
): Environment {
  const types = new Map<string, CelType>();
  const environment = admissionEnvironment(expressionVersion, {
    params: paramKind !== undefined,
    authorizer: true,
    variables: types,
    typed,
  });
  for (const { name, expression } of variables) {
    const compilation = environment.compile(expression);
    types.set(
      name,
      variableType(compilation.type === "program" ? compilation.program.resultType : undefined),
    );
  }
  return environment;
}

/** The resources that a policy names without wildcards, in the order of group, version and kind. */
function kindsOf({ spec }: ValidatingAdmissionPolicy, served: ServedTable): readonly ServedResource[] {
  const found = new Map<string, ServedResource>();
  const all = [...served.all()].filter(({ verbs }) => verbs.length > 0);
  for (const rule of spec.matchConstraints?.resourceRules ?? []) {
    const named = namedBy(rule, all);
    for (const each of named.slice(0, mostKinds)) {
      found.set(`${apiVersionOf(each.resource)}/${each.resource.kind}`, each);
    }
    if (named.length >= mostKinds) break;
  }
  const keyOf = ({ resource: { group, version, kind } }: ServedResource) => `${group} ${version} ${kind}`;
  return [...found.values()].sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
}

function namedBy(rule: NamedRuleWithOperations, all: readonly ServedResource[]): readonly ServedResource[] {
  const { apiGroups = [], apiVersions = [], resources = [] } = rule;
  const isOpen = (names: readonly string[]) => names.some((name) => name.includes("*"));
  if (isOpen(apiGroups) || isOpen(apiVersions)) return [];
  const plain = resources.filter((name) => !/[*/]/.test(name)).sort();
  return [...apiGroups].sort().flatMap((group) =>
    [...apiVersions].sort().flatMap((version) =>
      plain.flatMap((name) =>
        all.filter(
          ({ resource, singular }) =>
            // Upstream takes a group that is empty for one that is not given.
            (group === "" || resource.group === group) &&
            resource.version === version &&
            (resource.plural === name.toLowerCase() || singular === name.toLowerCase()),
        ),
      ),
    ),
  );
}
