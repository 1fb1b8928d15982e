import type { KubernetesObject, ObjectMeta } from "../../../apimachinery/index.ts";
import { FieldPath, isDNS1123Label } from "../../../apimachinery/index.ts";
import { ipWarnings } from "../../common/address-warnings.ts";
import { nodeLabelWarning, nodeTermWarnings } from "../../common/node-labels.ts";
import { isNewIntent, podNameWarnings } from "../../common/warnings.ts";
import type { Pod, PodSpec, PodTemplateSpec, ResourceList } from "../../types/core-v1.ts";
import { isWhole } from "../resource-names.ts";
import { appArmorPrefix, seccompAnnotation, seccompPrefix } from "./annotations.ts";
import { visitContainers } from "./visit.ts";
import { environmentWarnings, portWarnings } from "./warnings-containers.ts";
import { volumeWarnings } from "./warnings-volumes.ts";

type Metadata = Partial<ObjectMeta> | undefined;

/** Warnings of what a new pod asks for that hardly anybody can want. */
export function podWarnings(pod: Pod): readonly string[] {
  const problems = isDNS1123Label(pod.metadata.name);
  const hostname =
    problems.length === 0
      ? []
      : [
          "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; " +
            `a DNS label is recommended: [${problems.join(" ")}]`,
        ];
  return [...hostname, ...specWarnings(pod.spec, pod.metadata, { path: FieldPath.empty, isPod: true })];
}

/** Warnings of a workload that makes pods of its own name from its template. */
export function workloadWarnings(
  object: KubernetesObject & { readonly spec: { readonly template?: PodTemplateSpec } },
  old: KubernetesObject | undefined,
): readonly string[] {
  return [
    ...(old === undefined ? podNameWarnings(object.metadata.name) : []),
    ...(isNewIntent(object, old) ? podTemplateWarnings(object.spec.template) : []),
  ];
}

/** Warnings of what the template of a new object asks for that hardly anybody can want. */
export function podTemplateWarnings(
  template: PodTemplateSpec | undefined,
  path: FieldPath = FieldPath.root("spec").child("template"),
): readonly string[] {
  if (template?.spec === undefined) return [];
  return specWarnings(template.spec, template.metadata, { path, isPod: false });
}

function specWarnings(
  spec: PodSpec,
  metadata: Metadata,
  { path, isPod }: { readonly path: FieldPath; readonly isPod: boolean },
): string[] {
  const at = path.child("spec");
  const grace = spec.terminationGracePeriodSeconds ?? 0;
  return [
    ...schedulingWarnings(spec, at),
    ...annotationWarnings(metadata, path),
    ...volumeWarnings(spec.volumes ?? [], at.child("volumes")),
    ...listWarnings(spec, at),
    ...byteWarnings(spec.overhead, at.child("overhead")),
    ...profileWarnings(spec, metadata, path),
    ...containerWarnings(spec, metadata, { path, isPod }),
    ...portWarnings(spec, at),
    ...(grace < 0
      ? [
          `${at.child("terminationGracePeriodSeconds").text}: must be >= 0; negative values are invalid and will be treated as 1`,
        ]
      : []),
    ...affinityWarnings(spec, at.child("affinity")),
    ...addressWarnings(spec, at),
  ];
}

function schedulingWarnings(spec: PodSpec, path: FieldPath): string[] {
  const warnings = Object.keys(spec.nodeSelector ?? {}).flatMap((key) => {
    const warning = nodeLabelWarning(key);
    return warning === undefined ? [] : [`${path.child("nodeSelector").key(key).text}: ${warning}`];
  });
  const nodes = spec.affinity?.nodeAffinity;
  const at = path.child("affinity", "nodeAffinity");
  const required = nodes?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  for (const [index, term] of required.entries()) {
    const place = at
      .child("requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")
      .index(index);
    warnings.push(...nodeTermWarnings(term, place, { checkValues: false }));
  }
  const preferred = nodes?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  for (const [index, { preference }] of preferred.entries()) {
    const place = at.child("preferredDuringSchedulingIgnoredDuringExecution").index(index);
    warnings.push(...nodeTermWarnings(preference, place.child("preference"), { checkValues: true }));
  }
  for (const [index, { topologyKey, labelSelector }] of (spec.topologySpreadConstraints ?? []).entries()) {
    const place = path.child("topologySpreadConstraints").index(index);
    const warning = nodeLabelWarning(topologyKey);
    if (warning !== undefined) {
      warnings.push(`${place.child("topologyKey").text}: ${topologyKey} is ${warning}`);
    }
    if (labelSelector === undefined) warnings.push(matchesNothing(place.child("labelSelector")));
  }
  return warnings;
}

const matchesNothing = (path: FieldPath) => `${path.text}: a null labelSelector results in matching no pod`;

const deprecatedAnnotations: readonly (readonly [key: string, message: string])[] = [
  [
    "scheduler.alpha.kubernetes.io/critical-pod",
    'non-functional in v1.16+; use the "priorityClassName" field instead',
  ],
  ["security.alpha.kubernetes.io/sysctls", 'non-functional in v1.11+; use the "sysctls" field instead'],
  [
    "security.alpha.kubernetes.io/unsafe-sysctls",
    'non-functional in v1.11+; use the "sysctls" field instead',
  ],
];

function annotationWarnings(metadata: Metadata, path: FieldPath): string[] {
  return deprecatedAnnotations.flatMap(([key, message]) =>
    metadata?.annotations?.[key] === undefined
      ? []
      : [`${path.child("metadata", "annotations").key(key).text}: ${message}`],
  );
}

function listWarnings(spec: PodSpec, path: FieldPath): string[] {
  const warnings: string[] = [];
  const repeated = (values: readonly string[], place: (index: number) => FieldPath, what: string) => {
    for (const [index, value] of values.entries()) {
      if (values.indexOf(value) < index) {
        warnings.push(`${place(index).text}: duplicate ${what} ${JSON.stringify(value)}`);
      }
    }
  };
  const aliases = (spec.hostAliases ?? []).map(({ ip }) => ip ?? "");
  repeated(aliases, (index) => path.child("hostAliases").index(index).child("ip"), "ip");
  const secrets = (spec.imagePullSecrets ?? []).map(({ name }) => name ?? "");
  const secretAt = (index: number) => path.child("imagePullSecrets").index(index).child("name");
  repeated(secrets, secretAt, "name");
  for (const [index, name] of secrets.entries()) {
    if (name === "") warnings.push(`${secretAt(index).text}: invalid empty name ""`);
  }
  return warnings;
}

function byteWarnings(list: ResourceList | undefined, path: FieldPath): string[] {
  return ["memory", "ephemeral-storage"].flatMap((name) => {
    const quantity = list?.[name];
    return quantity === undefined || isWhole(quantity)
      ? []
      : [`${path.key(name).text}: fractional byte value "${quantity}" is invalid, must be an integer`];
  });
}

const seccompWarning = (path: FieldPath) =>
  `${path.text}: non-functional in v1.27+; use the "seccompProfile" field instead`;

function profileWarnings(spec: PodSpec, metadata: Metadata, path: FieldPath): string[] {
  return spec.securityContext?.seccompProfile === undefined &&
    metadata?.annotations?.[seccompAnnotation] !== undefined
    ? [seccompWarning(path.child("metadata", "annotations").key(seccompAnnotation))]
    : [];
}

function containerWarnings(
  spec: PodSpec,
  metadata: Metadata,
  { path, isPod }: { readonly path: FieldPath; readonly isPod: boolean },
): string[] {
  const warnings: string[] = [];
  const annotations = metadata?.annotations;
  visitContainers(spec, path.child("spec"), (container, at) => {
    const context = container.securityContext;
    const seccomp = `${seccompPrefix}${container.name}`;
    const place = path.child("metadata", "annotations");
    if (context?.seccompProfile === undefined && annotations?.[seccomp] !== undefined) {
      warnings.push(seccompWarning(place.key(seccomp)));
    }
    const appArmor = `${appArmorPrefix}${container.name}`;
    const profile = context?.appArmorProfile ?? spec.securityContext?.appArmorProfile;
    if (!isPod && profile === undefined && annotations?.[appArmor] !== undefined) {
      const at = place.key(appArmor).text;
      warnings.push(`${at}: deprecated since v1.30; use the "appArmorProfile" field instead`);
    }
    const [limits, requests] = [at.child("resources", "limits"), at.child("resources", "requests")];
    for (const name of ["memory", "ephemeral-storage"]) {
      for (const [list, side] of [
        [container.resources?.limits, limits],
        [container.resources?.requests, requests],
      ] as const) {
        const quantity = list?.[name];
        if (quantity !== undefined) warnings.push(...byteWarnings({ [name]: quantity }, side));
      }
    }
    warnings.push(...environmentWarnings(container.env ?? [], at.child("env")));
  });
  return warnings;
}

function affinityWarnings(spec: PodSpec, path: FieldPath): string[] {
  const warnings: string[] = [];
  for (const field of ["podAffinity", "podAntiAffinity"] as const) {
    const rules = spec.affinity?.[field];
    const required = rules?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    for (const [index, term] of required.entries()) {
      const at = path.child(field, "requiredDuringSchedulingIgnoredDuringExecution").index(index);
      if (term.labelSelector === undefined) warnings.push(matchesNothing(at.child("labelSelector")));
    }
    const preferred = rules?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    for (const [index, { podAffinityTerm }] of preferred.entries()) {
      if (podAffinityTerm?.labelSelector !== undefined) continue;
      const at = path.child(field, "preferredDuringSchedulingIgnoredDuringExecution").index(index);
      warnings.push(matchesNothing(at.child("podAffinityTerm", "labelSelector")));
    }
  }
  return warnings;
}

function addressWarnings(spec: PodSpec, path: FieldPath): string[] {
  return [
    ...(spec.dnsConfig?.nameservers ?? []).flatMap((address, index) =>
      ipWarnings(address, path.child("dnsConfig", "nameservers").index(index)),
    ),
    ...(spec.hostAliases ?? []).flatMap(({ ip }, index) =>
      ipWarnings(ip ?? "", path.child("hostAliases").index(index).child("ip")),
    ),
  ];
}
