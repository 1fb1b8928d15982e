import * as k8s from "@kubernetes/client-node";

export const group = "example.com";
export const version = "v1";
export const plural = "websites";
export const finalizer = "example.com/cleanup";
const namespace = "default";
const watchSeconds = 1;

/** What the operator's users write, and what it reports. */
export interface Website extends k8s.KubernetesObject {
  readonly spec: { readonly replicas?: number; readonly content: string };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly k8s.V1Condition[];
  };
}

/** The definition of what the operator looks after. */
export const websiteDefinition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${plural}.${group}` },
  spec: {
    group,
    scope: "Namespaced",
    names: { plural, singular: "website", kind: "Website", listKind: "WebsiteList", shortNames: ["ws"] },
    versions: [
      {
        name: version,
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: "object",
            required: ["spec"],
            properties: {
              spec: {
                type: "object",
                required: ["content"],
                properties: {
                  replicas: { type: "integer", minimum: 0, default: 1 },
                  content: { type: "string", minLength: 1 },
                },
              },
              status: {
                type: "object",
                properties: {
                  observedGeneration: { type: "integer", format: "int64" },
                  conditions: {
                    type: "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["type"],
                    items: {
                      type: "object",
                      required: ["type", "status"],
                      properties: {
                        type: { type: "string" },
                        status: { type: "string", enum: ["True", "False", "Unknown"] },
                        reason: { type: "string" },
                        message: { type: "string" },
                        lastTransitionTime: { type: "string", format: "date-time" },
                      },
                    },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
};

/** Counts the watches that have ended: each lasts a second, so that the informer has to go on from where it was. */
class ShortWatch extends k8s.Watch {
  ended = 0;

  override watch(
    path: string,
    query: Record<string, string | number | boolean | undefined>,
    callback: (phase: string, object: unknown, watched?: unknown) => void,
    done: (error: unknown) => void,
  ): Promise<AbortController> {
    return super.watch(path, { ...query, timeoutSeconds: watchSeconds }, callback, (error) => {
      this.ended += 1;
      done(error);
    });
  }
}

/** Keeps a ConfigMap and a Deployment for each website: as small an operator as does what all of them do. */
export class WebsiteOperator {
  readonly informer: k8s.ListWatch<Website>;
  /** What went wrong otherwise than by a conflict. */
  readonly errors: unknown[] = [];
  /** Names of websites whose finalizer has done its work. */
  readonly cleaned: string[] = [];
  conflicts = 0;
  readonly #watch: ShortWatch;
  readonly #custom: k8s.CustomObjectsApi;
  readonly #core: k8s.CoreV1Api;
  readonly #apps: k8s.AppsV1Api;
  #working: Promise<void> = Promise.resolve();

  constructor(config: k8s.KubeConfig) {
    this.#custom = config.makeApiClient(k8s.CustomObjectsApi);
    this.#core = config.makeApiClient(k8s.CoreV1Api);
    this.#apps = config.makeApiClient(k8s.AppsV1Api);
    this.#watch = new ShortWatch(config);
    const list = () =>
      this.#custom.listNamespacedCustomObject({ group, version, namespace, plural }) as Promise<
        k8s.KubernetesListObject<Website>
      >;
    const path = `/apis/${group}/${version}/namespaces/${namespace}/${plural}`;
    this.informer = new k8s.ListWatch<Website>(path, this.#watch, list, false);
    for (const verb of ["add", "update"] as const)
      this.informer.on(verb, (website) => this.#enqueue(website));
    this.informer.on("error", (error) => void this.errors.push(error));
  }

  get endedWatches(): number {
    return this.#watch.ended;
  }

  async start(): Promise<void> {
    await this.informer.start();
  }

  async stop(): Promise<void> {
    await this.informer.stop();
    await this.#working;
  }

  #enqueue({ metadata }: Website): void {
    const name = metadata?.name ?? "";
    this.#working = this.#working
      .then(() => this.#reconcile(name))
      .catch((error: unknown) => void this.errors.push(error));
  }

  async #reconcile(name: string): Promise<void> {
    const website = this.informer.get(name, namespace);
    if (!website || (await refusalOf(() => this.#bringAbout(website))) !== 409) return;
    this.conflicts += 1;
    // Whoever comes in between now is told of by the informer, too.
    await refusalOf(async () => {
      const fresh = await this.#custom.getNamespacedCustomObject(this.#where(name));
      await this.#bringAbout(fresh as Website);
    });
  }

  async #bringAbout(website: Website): Promise<void> {
    const { name = "", deletionTimestamp, finalizers = [] } = website.metadata ?? {};
    const has = finalizers.includes(finalizer);
    if (deletionTimestamp) return has ? this.#cleanUp(website) : undefined;
    if (!has) {
      const metadata = Object.assign({}, website.metadata, { finalizers: [...finalizers, finalizer] });
      const body = { ...website, metadata };
      website = (await this.#custom.replaceNamespacedCustomObject({ ...this.#where(name), body })) as Website;
    }
    await this.#own(website);
    await this.#report(website);
  }

  async #own({ metadata, spec }: Website): Promise<void> {
    const { name = "", uid = "" } = metadata ?? {};
    const owner = { apiVersion: `${group}/${version}`, kind: "Website", name, uid };
    const owned = {
      name,
      namespace,
      ownerReferences: [{ ...owner, controller: true, blockOwnerDeletion: true }],
    };
    const key = { name, namespace };
    const data = { "index.html": spec.content };
    const content = { metadata: owned, data };
    await orCreate(
      () => this.#core.patchNamespacedConfigMap({ ...key, body: { data } }, merge),
      () => this.#core.createNamespacedConfigMap({ namespace, body: content }),
    );
    const labels = { website: name };
    const { replicas = 1 } = spec;
    const template = { metadata: { labels }, spec: { containers: [{ name: "web", image: "web:1" }] } };
    const body = { metadata: owned, spec: { replicas, selector: { matchLabels: labels }, template } };
    await orCreate(
      () => this.#apps.patchNamespacedDeployment({ ...key, body: { spec: { replicas } } }, merge),
      () => this.#apps.createNamespacedDeployment({ namespace, body }),
    );
  }

  async #report(website: Website): Promise<void> {
    const { name = "", generation = 0 } = website.metadata ?? {};
    if (website.status?.observedGeneration === generation) return;
    const condition = { type: "Ready", status: "True", reason: "Deployed", message: website.spec.content };
    const conditions = [{ ...condition, lastTransitionTime: new Date().toISOString() }];
    const body = { ...website, status: { observedGeneration: generation, conditions } };
    await this.#custom.replaceNamespacedCustomObjectStatus({ ...this.#where(name), body });
  }

  async #cleanUp(website: Website): Promise<void> {
    const { name = "", finalizers = [] } = website.metadata ?? {};
    const metadata = Object.assign({}, website.metadata, {
      finalizers: finalizers.filter((each) => each !== finalizer),
    });
    await this.#custom.replaceNamespacedCustomObject({
      ...this.#where(name),
      body: { ...website, metadata },
    });
    this.cleaned.push(name);
  }

  #where(name: string) {
    return { group, version, namespace, plural, name };
  }
}

/** What a write was refused with because the object has changed or gone. */
async function refusalOf(write: () => Promise<void>): Promise<404 | 409 | undefined> {
  try {
    await write();
    return undefined;
  } catch (error) {
    if (!(error instanceof k8s.ApiException) || (error.code !== 404 && error.code !== 409)) throw error;
    return error.code;
  }
}

const merge = k8s.setHeaderOptions("Content-Type", k8s.PatchStrategy.MergePatch);

async function orCreate(change: () => Promise<unknown>, create: () => Promise<unknown>): Promise<void> {
  try {
    await change();
  } catch (error) {
    if (!(error instanceof k8s.ApiException) || error.code !== 404) throw error;
    await create();
  }
}
