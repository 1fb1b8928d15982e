import type { Resource } from "../../apimachinery/index.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./plugin.ts";

/** The plugins that concern one operation on one resource. */
export interface AdmissionSteps {
  readonly admitting: readonly Required<Pick<AdmissionPlugin, "name" | "admit">>[];
  readonly validating: readonly Required<Pick<AdmissionPlugin, "name" | "validate">>[];
}

/** Operations and resources whose steps are remembered; custom resources come and go. */
const rememberedSteps = 4096;

/** All plugins in order; most requests concern few of them. */
export class AdmissionChain {
  readonly plugins: readonly AdmissionPlugin[];
  private readonly steps = new Map<string, AdmissionSteps>();

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.plugins = plugins;
  }

  stepsFor(
    operation: AdmissionRequest["operation"],
    resource: Pick<Resource, "group" | "plural">,
  ): AdmissionSteps {
    const key = `${operation}/${resource.group}/${resource.plural}`;
    const known = this.steps.get(key);
    if (known) return known;
    if (this.steps.size >= rememberedSteps) this.steps.clear();
    const concerned = this.plugins.filter(
      ({ operations, resources }) =>
        operations.includes(operation) &&
        (!resources ||
          resources.some(({ group, plural }) => group === resource.group && plural === resource.plural)),
    );
    const steps: AdmissionSteps = {
      admitting: concerned.filter((plugin) => plugin.admit) as unknown as AdmissionSteps["admitting"],
      validating: concerned.filter((plugin) => plugin.validate) as unknown as AdmissionSteps["validating"],
    };
    this.steps.set(key, steps);
    return steps;
  }
}
