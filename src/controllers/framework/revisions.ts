import { ApiError, keyOf } from "../../apimachinery/index.ts";
import type { KubernetesObject, New, Resource } from "../../apimachinery/index.ts";
import type { SharedInformer } from "../../client/index.ts";
import { ControllerRevision } from "../../api/types/apps-v1.ts";
import type { PodTemplateSpec } from "../../api/types/core-v1.ts";
import type { ControllerContext } from "./controller.ts";
import { canonicalJson, equalJson, hashOf } from "./json.ts";
import { controllerReference, ownedBy } from "./owners.ts";
import { observed } from "./read-your-writes.ts";
import { ignoreMissing } from "../../api/index.ts";

/** The hash of the template that a pod or revision was made from. */
export const revisionHashLabel = "controller-revision-hash";

/**
 * What a revision keeps of its owner: the whole template, as a patch that replaces it. Clients compare the text with
 * what they make of the template: members are in order, and the time that a template never has is null.
 */
export function revisionData(template: PodTemplateSpec): object {
  const metadata = { ...template.metadata, creationTimestamp: null };
  const data = { spec: { template: { ...template, metadata, $patch: "replace" } } };
  return JSON.parse(canonicalJson(data)) as object;
}

/** The template that a revision keeps. */
export function templateOf(revision: ControllerRevision): PodTemplateSpec {
  const { spec } = revision.data as unknown as { spec: { template: PodTemplateSpec & { $patch?: string } } };
  const { $patch: _, ...template } = spec.template;
  return timeless(template);
}

/** The template without the null that some writers put for its time. */
function timeless(template: PodTemplateSpec): PodTemplateSpec {
  const { creationTimestamp: _, ...metadata } = template.metadata ?? {};
  return { ...template, metadata: metadata as PodTemplateSpec["metadata"] };
}

/** Whether the revision keeps this template, whoever wrote it. */
export function keepsTemplate(revision: ControllerRevision, template: PodTemplateSpec): boolean {
  return equalJson(templateOf(revision), timeless(template));
}

/** The owner's revisions, oldest first, with the one of its present template last: made or moved to the end if need be. */
export async function syncRevisions<T extends KubernetesObject>(
  owner: T,
  of: {
    readonly context: ControllerContext;
    readonly revisions: SharedInformer<ControllerRevision>;
    readonly resource: Resource<T>;
    readonly template: PodTemplateSpec;
    readonly collisionCount: number;
    readonly signal: AbortSignal;
  },
): Promise<readonly ControllerRevision[]> {
  const { context, revisions, resource, template, signal } = of;
  const { client, clock } = context;
  const known = [...ownedBy(revisions, owner.metadata.uid)].sort((a, b) => a.revision - b.revision);
  const last = known.at(-1);
  const next = (last?.revision ?? 0) + 1;
  const same = known.find((revision) => keepsTemplate(revision, template));
  if (same !== undefined && same === last) return known;
  let current: ControllerRevision;
  if (same !== undefined) {
    current = await client.update<ControllerRevision>(ControllerRevision, { ...same, revision: next });
  } else {
    const hash = hashOf(template, of.collisionCount);
    const { namespace, name } = owner.metadata;
    current = await createRevision(context, {
      metadata: {
        ...(namespace === undefined ? {} : { namespace }),
        name: `${name}-${hash}`,
        labels: { ...template.metadata?.labels, [revisionHashLabel]: hash },
        ownerReferences: [controllerReference(resource, owner)],
      },
      data: revisionData(template),
      revision: next,
    } as New<ControllerRevision>);
  }
  await observed(revisions, { stored: [current] }, { clock, signal });
  return [...known.filter((revision) => revision !== same), current];
}

/** A revision of this name with this content is ours if the view was old. */
async function createRevision(
  { client }: ControllerContext,
  draft: New<ControllerRevision>,
): Promise<ControllerRevision> {
  try {
    return await client.create<ControllerRevision>(ControllerRevision, draft);
  } catch (error) {
    if (!ApiError.is(error, "AlreadyExists")) throw error;
    const existing = await client.get(ControllerRevision, keyOf(draft as ControllerRevision));
    if (!equalJson(templateOf(existing), templateOf(draft as ControllerRevision))) throw error;
    return existing;
  }
}

/** Deletes the oldest revisions beyond the limit that no pod uses. */
export async function truncateRevisions(
  revisions: readonly ControllerRevision[],
  of: {
    readonly context: ControllerContext;
    readonly limit: number;
    readonly live: (revision: ControllerRevision) => boolean;
  },
): Promise<void> {
  const idle = revisions.filter((revision) => !of.live(revision));
  for (const revision of idle.slice(0, Math.max(0, idle.length - of.limit))) {
    await ignoreMissing(of.context.client.delete(ControllerRevision, keyOf(revision)));
  }
}
