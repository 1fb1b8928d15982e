import { keyOf, timestampOf } from "../../apimachinery/index.ts";
import type { ObjectKey } from "../../apimachinery/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import type { SharedInformer } from "../../client/index.ts";
import { PersistentVolume, PersistentVolumeClaim, Pod } from "../../api/types/core-v1.ts";
import { StorageClass } from "../../api/types/storage-v1.ts";
import {
  equalJson,
  observed,
  settled,
  timeOf,
  watch,
  watchItself,
  watchOnlyUntilSynced,
} from "../framework/index.ts";
import type { Controller, ControllerContext, Outcome } from "../framework/index.ts";
import { provisionerAnnotations } from "./facts.ts";
import { planClaim, planVolume } from "./plan.ts";
import type { ClaimState, VolumeEvent } from "./plan.ts";
import { boundClaim, boundClaimStatus, boundVolume, unboundVolume } from "./writes.ts";

const defaultClassAnnotations = [
  "storageclass.kubernetes.io/is-default-class",
  "storageclass.beta.kubernetes.io/is-default-class",
];

/** Binds claims to volumes. One at a time: no two claims may choose the same volume. */
export function claimBinder(context: ControllerContext): Controller {
  return new ClaimBinder(context);
}

class ClaimBinder implements Controller {
  readonly name = "persistentvolume-claims";
  readonly workers = 1;
  readonly watches;
  private readonly context: ControllerContext;
  private readonly claims: SharedInformer<PersistentVolumeClaim>;
  private readonly volumes: SharedInformer<PersistentVolume>;
  private readonly classes: SharedInformer<StorageClass>;
  private readonly pods: SharedInformer<Pod>;

  constructor(context: ControllerContext) {
    this.context = context;
    const { informers } = context;
    this.claims = informers.informer(PersistentVolumeClaim);
    this.volumes = informers.informer(PersistentVolume);
    this.classes = informers.informer(StorageClass);
    this.pods = informers.informer(Pod);
    const waiting = () => this.claims.list().filter(({ status }) => status?.phase !== "Bound");
    this.watches = [
      watchItself(this.claims),
      watch(this.volumes, ({ object }, wake) => {
        const { claimRef } = object.spec;
        if (claimRef?.name) wake({ namespace: claimRef.namespace, name: claimRef.name });
        else for (const claim of waiting()) wake(keyOf(claim));
      }),
      watch(this.classes, (_change, wake) => {
        for (const claim of waiting()) wake(keyOf(claim));
      }),
      watchOnlyUntilSynced(this.pods),
    ];
  }

  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<Outcome> {
    const claim = this.claims.get(key);
    if (claim === undefined) return settled;
    const step = planClaim(claim, this.stateOf(claim));
    switch (step.type) {
      case "bind":
        await this.bind(claim, step.volume, signal);
        return settled;
      case "wait":
        if (step.event) this.tell(claim, step.event);
        await this.setStatus(claim, { phase: "Pending" }, signal);
        return settled;
      case "lost": {
        const { accessModes: _modes, capacity: _capacity, ...status } = claim.status ?? {};
        if (status.phase !== "Lost") this.tell(claim, step.event);
        await this.setStatus(claim, { ...status, phase: "Lost" }, signal);
        return settled;
      }
      case "provision":
        this.tell(claim, step.event);
        await this.requestVolume(claim, step.provisioner, signal);
        return settled;
      case "chooseClass":
        await this.store({ ...claim, spec: { ...claim.spec, storageClassName: step.name } }, signal);
        return settled;
    }
  }

  private stateOf(claim: PersistentVolumeClaim): ClaimState {
    const { namespace, name } = claim.metadata;
    return {
      volumes: this.volumes.list(),
      volume: (volume) => this.volumes.get({ name: volume }),
      storageClass: (storageClass) => this.classes.get({ name: storageClass }),
      defaultClass: () => defaultClassOf(this.classes.list()),
      waitingPods: () =>
        this.pods
          .list(namespace)
          .filter(
            ({ spec }) =>
              !spec?.nodeName &&
              spec?.volumes?.some((entry) => entry.persistentVolumeClaim?.claimName === name),
          ),
    };
  }

  /** Four writes, each of which may be the one that is missing. */
  private async bind(
    claim: PersistentVolumeClaim,
    found: PersistentVolume,
    signal: AbortSignal,
  ): Promise<void> {
    const { client, clock } = this.context;
    let volume = boundVolume(found, claim);
    if (volume !== found) volume = await client.update<PersistentVolume>(PersistentVolume, volume);
    if (volume.status?.phase !== "Bound") {
      const now = timestampOf(clock.now());
      const status = { ...volume.status, phase: "Bound", lastPhaseTransitionTime: now } as const;
      volume = await client.update<PersistentVolume>(
        PersistentVolume,
        { ...volume, status },
        { subresource: "status" },
      );
    }
    const next = boundClaim(claim, volume);
    const stored = next === claim ? claim : await this.store(next, signal);
    await this.setStatus(stored, boundClaimStatus(stored, volume), signal);
    await observed(this.volumes, { stored: [volume] }, { clock, signal });
  }

  private async requestVolume(
    claim: PersistentVolumeClaim,
    provisioner: string,
    signal: AbortSignal,
  ): Promise<void> {
    const annotations = { ...claim.metadata.annotations };
    for (const name of provisionerAnnotations) annotations[name] = provisioner;
    const next = { ...claim, metadata: { ...claim.metadata, annotations } };
    const stored = equalJson(next, claim) ? claim : await this.store(next, signal);
    await this.setStatus(stored, { phase: "Pending" }, signal);
  }

  private async store(claim: PersistentVolumeClaim, signal: AbortSignal): Promise<PersistentVolumeClaim> {
    const { client, clock } = this.context;
    const stored = await client.update<PersistentVolumeClaim>(PersistentVolumeClaim, claim);
    await observed(this.claims, { stored: [stored] }, { clock, signal });
    return stored;
  }

  private async setStatus(
    claim: PersistentVolumeClaim,
    status: PersistentVolumeClaim["status"],
    signal: AbortSignal,
  ): Promise<void> {
    if (equalJson(status, claim.status)) return;
    const { client, clock } = this.context;
    const next = { ...claim, status };
    const stored = await client.update<PersistentVolumeClaim>(PersistentVolumeClaim, next, {
      subresource: "status",
    });
    await observed(this.claims, { stored: [stored] }, { clock, signal });
  }

  private tell(claim: PersistentVolumeClaim, event: VolumeEvent): void {
    this.context.events.event({ resource: PersistentVolumeClaim, object: claim }, event);
  }
}

/** The newest class that is marked as the default. */
function defaultClassOf(classes: readonly StorageClass[]): StorageClass | undefined {
  const defaults = classes.filter(({ metadata }) =>
    defaultClassAnnotations.some((name) => metadata.annotations?.[name] === "true"),
  );
  return defaults.sort(
    (one, other) =>
      timeOf(other.metadata.creationTimestamp) - timeOf(one.metadata.creationTimestamp) ||
      (one.metadata.name < other.metadata.name ? -1 : 1),
  )[0];
}

/** Keeps the phase of volumes, and reclaims those whose claim has gone. */
export function volumeBinder(context: ControllerContext): Controller {
  const { client, clock, events, informers } = context;
  const volumes = informers.informer(PersistentVolume);
  const claims = informers.informer(PersistentVolumeClaim);

  /** The claim that the volume refers to; the server is asked before a volume is given up. */
  async function claimOf({ spec }: PersistentVolume): Promise<PersistentVolumeClaim | undefined> {
    const { claimRef } = spec;
    if (!claimRef?.uid || !claimRef.name) return undefined;
    const { namespace, name, uid } = claimRef;
    const known = claims.get({ namespace, name });
    if (known?.metadata.uid === uid) return known;
    try {
      const fresh = await client.get<PersistentVolumeClaim>(PersistentVolumeClaim, { namespace, name });
      return fresh.metadata.uid === uid ? fresh : undefined;
    } catch (error) {
      if (ApiError.is(error, "NotFound")) return undefined;
      throw error;
    }
  }

  return {
    name: "persistentvolume-volumes",
    watches: [
      watchItself(volumes),
      watch(claims, (change, wake) => {
        const { volumeName } = change.object.spec;
        if (volumeName) wake({ name: volumeName });
      }),
    ],
    async reconcile(key, signal) {
      const volume = volumes.get(key);
      if (volume === undefined) return settled;
      const step = planVolume(volume, await claimOf(volume));
      switch (step.type) {
        case "nothing":
        case "wakeClaim":
          return settled;
        case "unbind":
          await client.update<PersistentVolume>(PersistentVolume, unboundVolume(volume));
          return settled;
        case "phase": {
          if (volume.status?.phase === step.phase) return settled;
          const { message } = step;
          const lastPhaseTransitionTime = timestampOf(clock.now());
          const status = { phase: step.phase, ...(message ? { message } : {}), lastPhaseTransitionTime };
          const next = { ...volume, status };
          const stored = await client.update<PersistentVolume>(PersistentVolume, next, {
            subresource: "status",
          });
          if (step.event) events.event({ resource: PersistentVolume, object: volume }, step.event);
          await observed(volumes, { stored: [stored] }, { clock, signal });
          return settled;
        }
      }
    },
  };
}
