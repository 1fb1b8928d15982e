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
import type { Condition } from "../dynamic/conditions.ts";

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

/** All webhooks of a kind, sorted by their configurations' names; made anew after these have changed. */
export class HookSource {
  private readonly read: () => readonly Configuration[];
  private readonly compiler: ConditionCompiler;
  private hooks: readonly Hook[] | undefined;

  constructor(
    resource: Resource<MutatingWebhookConfiguration> | Resource<ValidatingWebhookConfiguration>,
    { reader, compiler }: { readonly reader: ObjectReader; readonly compiler: ConditionCompiler },
  ) {
    const handle = resource as Resource<Configuration>;
    this.read = () => reader.list(handle);
    this.compiler = compiler;
    reader.subscribe(handle, () => (this.hooks = undefined));
  }

  all(): readonly Hook[] {
    this.hooks ??= hooksOf(this.read(), this.compiler);
    return this.hooks;
  }
}

/** The webhooks of configurations in the order in which they are called. */
export function hooksOf(
  configurations: readonly Configuration[],
  compiler: ConditionCompiler,
): readonly Hook[] {
  const sorted = [...configurations].sort(({ metadata: one }, { metadata: other }) =>
    one.name < other.name ? -1 : one.name > other.name ? 1 : 0,
  );
  return sorted.flatMap(({ metadata, webhooks = [] }) => {
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
  });
}

/** One that is absent matches everything. */
const selectorOf = (selector: LabelSelector | undefined): Selector => labelSelectorOf(selector ?? {});
