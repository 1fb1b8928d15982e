import { labelSelectorOf } from "../../../apimachinery/index.ts";
import type { LabelSelector, Resource, Selector } from "../../../apimachinery/index.ts";
import type { CelCache, Compilation, Environment } from "../../../cel/index.ts";
import type {
  MutatingWebhook,
  MutatingWebhookConfiguration,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from "../../../api/types/admissionregistration-v1.ts";
import type { ObjectReader } from "../../reader.ts";
import type { ServedTable } from "../../registry/served.ts";
import type { Attributes, Shown } from "../dynamic/attributes.ts";
import type { Condition } from "../dynamic/conditions.ts";
import { rulesMatcher } from "../dynamic/shown.ts";

/** A webhook of either kind. */
export type Webhook = ValidatingWebhook & Pick<MutatingWebhook, "reinvocationPolicy">;

/** A webhook with what is made of it once. */
export interface Hook {
  /** Tells webhooks apart that have one name. */
  readonly id: string;
  readonly configuration: string;
  readonly webhook: Webhook;
  readonly namespaceSelector: Selector;
  readonly objectSelector: Selector;
  readonly conditions: readonly (Condition & { readonly compilation: Compilation })[];
}

type Configuration = MutatingWebhookConfiguration | ValidatingWebhookConfiguration;

/** What conditions are compiled with. */
export interface ConditionCompiler {
  readonly cache: CelCache;
  /** Made when the first condition is there. */
  environment(): Environment;
}

/** A webhook that is for requests of one sort, and how it is shown them. */
export interface Concerned {
  readonly hook: Hook;
  /** Its place among all webhooks. */
  readonly index: number;
  readonly shown: Shown;
}

/** Sorts of requests whose webhooks are remembered; custom resources come and go. */
const rememberedSorts = 4_096;

/**
 * All webhooks of a kind, sorted by their configurations' names; made anew after these have changed. Which of them have
 * rules for requests of one sort is found out once: most have none.
 */
export class HookSource {
  private readonly read: () => readonly Configuration[];
  private readonly compiler: ConditionCompiler;
  private readonly table: ServedTable;
  private readonly made = new WeakMap<Configuration, readonly Hook[]>();
  private readonly bySort = new Map<string, readonly Concerned[]>();
  private hooks: readonly Hook[] | undefined;

  constructor(
    resource: Resource<MutatingWebhookConfiguration> | Resource<ValidatingWebhookConfiguration>,
    {
      reader,
      compiler,
      served,
    }: {
      readonly reader: ObjectReader;
      readonly compiler: ConditionCompiler;
      readonly served: ServedTable;
    },
  ) {
    const handle = resource as Resource<Configuration>;
    this.read = () => reader.list(handle);
    this.compiler = compiler;
    this.table = served;
    reader.subscribe(handle, () => {
      this.hooks = undefined;
      this.bySort.clear();
    });
    served.onChange(() => this.bySort.clear());
  }

  /** Whether there is no webhook at all. */
  get isEmpty(): boolean {
    return this.all().length === 0;
  }

  /** The webhooks that have a rule for a request. */
  for(attributes: Attributes): readonly Concerned[] {
    const { request, served, namespace } = attributes;
    const { group, version, plural } = served.resource;
    const scope = namespace === "" ? "Cluster" : "Namespaced";
    const sort = `${request.operation} ${group}/${version}/${plural}/${request.subresource} ${scope}`;
    const known = this.bySort.get(sort);
    if (known) return known;
    if (this.bySort.size >= rememberedSorts) this.bySort.clear();
    const found = concernedBy(attributes, { hooks: this.all(), served: this.table });
    this.bySort.set(sort, found);
    return found;
  }

  private all(): readonly Hook[] {
    this.hooks ??= [...this.read()]
      .sort(({ metadata: one }, { metadata: other }) => (one.name < other.name ? -1 : 1))
      .flatMap((configuration) => this.hooksOf(configuration));
    return this.hooks;
  }

  private hooksOf(configuration: Configuration): readonly Hook[] {
    const known = this.made.get(configuration);
    if (known) return known;
    const made = hooksOf(configuration, this.compiler);
    this.made.set(configuration, made);
    return made;
  }
}

function concernedBy(
  attributes: Attributes,
  { hooks, served }: { readonly hooks: readonly Hook[]; readonly served: ServedTable },
): readonly Concerned[] {
  const shownBy = rulesMatcher(attributes, served);
  return hooks.flatMap((hook, index) => {
    const { rules = [], matchPolicy } = hook.webhook;
    const shown = shownBy(rules, { exact: matchPolicy === "Exact" });
    return shown ? [{ hook, index, shown }] : [];
  });
}

/** The webhooks of a configuration in the order in which they are called. */
function hooksOf({ metadata, webhooks = [] }: Configuration, compiler: ConditionCompiler): readonly Hook[] {
  const counts = new Map<string, number>();
  return webhooks.map((webhook: Webhook): Hook => {
    const count = counts.get(webhook.name) ?? 0;
    counts.set(webhook.name, count + 1);
    return {
      id: `${metadata.name}/${webhook.name}/${count}`,
      configuration: metadata.name,
      webhook,
      namespaceSelector: selectorOf(webhook.namespaceSelector),
      objectSelector: selectorOf(webhook.objectSelector),
      conditions: (webhook.matchConditions ?? []).map((condition) => ({
        ...condition,
        compilation: compiler.cache.compile(compiler.environment(), condition.expression),
      })),
    };
  });
}

/** One that is absent matches everything. */
const selectorOf = (selector: LabelSelector | undefined): Selector => labelSelectorOf(selector ?? {});
