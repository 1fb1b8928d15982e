import { describe, expect, test } from "vitest";
import { Deployment } from "../../../api/types/apps-v1.ts";
import { CronJob } from "../../../api/types/batch-v1.ts";
import { Namespace, Pod } from "../../../api/types/core-v1.ts";
import { RuntimeClass } from "../../../api/types/node-v1.ts";
import { object, pod, setUpAdmission, shop } from "../admission-suite.ts";
import type { Json } from "../admission-suite.ts";
import type { JudgedPod } from "./checks.ts";
import { evaluate, violationsText } from "./evaluate.ts";
import type { Level, PolicyVersion } from "./policy.ts";

const hardened = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
};
/** A pod that every level lets in, with changes to its container, its spec and its annotations. */
const judged = (container: Json = {}, spec: Json = {}, annotations: Json = {}): JudgedPod =>
  ({
    metadata: { annotations },
    spec: { containers: [{ name: "c", securityContext: hardened, ...container }], ...spec },
  }) as unknown as JudgedPod;
const context = (change: Json) => judged({ securityContext: { ...hardened, ...change } });
const bare = (change: Json = {}) => judged({ securityContext: change });

describe("checks", () => {
  const cases: readonly (readonly [string, JudgedPod, string, string])[] = [
    ["a hardened pod", judged(), "restricted:latest", ""],
    [
      "a plain pod",
      judged({ securityContext: undefined }),
      "restricted:latest",
      'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ],
    ["a plain pod", judged({ securityContext: undefined }), "baseline:latest", ""],
    [
      "AppArmor",
      judged(
        { securityContext: { appArmorProfile: { type: "Unconfined" } } },
        {},
        { "container.apparmor.security.beta.kubernetes.io/c": "unconfined" },
      ),
      "baseline:latest",
      'forbidden AppArmor profiles (container "c" and annotation must not set AppArmor profile type to "Unconfined", "container.apparmor.security.beta.kubernetes.io/c="unconfined"")',
    ],
    [
      "capabilities",
      bare({ capabilities: { add: ["NET_RAW", "CHOWN", "BPF"] } }),
      "baseline:latest",
      'non-default capabilities (container "c" must not include "BPF", "NET_RAW" in securityContext.capabilities.add)',
    ],
    [
      "capabilities of the restricted",
      context({ capabilities: { add: ["CHOWN", "NET_BIND_SERVICE"] } }),
      "restricted:latest",
      'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]; container "c" must not include "CHOWN" in securityContext.capabilities.add)',
    ],
    ["capabilities before they were restricted", context({ capabilities: {} }), "restricted:v1.21", ""],
    [
      "namespaces of the host",
      judged({}, { hostPID: true, hostNetwork: true, hostIPC: true }),
      "baseline:latest",
      "host namespaces (hostIPC, hostNetwork, hostPID)",
    ],
    [
      "paths of the host",
      judged(
        {},
        {
          volumes: [
            { name: "a", hostPath: { path: "/" } },
            { name: "b", emptyDir: {} },
          ],
        },
      ),
      "baseline:latest",
      'hostPath volumes (volume "a")',
    ],
    [
      "volumes of the restricted",
      judged(
        {},
        {
          volumes: [
            { name: "a", hostPath: {} },
            { name: "b", nfs: {} },
            { name: "c", image: {} },
          ],
        },
      ),
      "restricted:latest",
      'restricted volume types (volumes "a", "b" use restricted volume types "hostPath", "nfs")',
    ],
    [
      "ports of the host",
      judged({ ports: [{ hostPort: 80 }, { hostPort: 8080 }, { containerPort: 1 }] }),
      "baseline:latest",
      'hostPort (container "c" uses hostPorts 80, 8080)',
    ],
    [
      "hosts of probes",
      judged({
        livenessProbe: { httpGet: { host: "x" } },
        lifecycle: { preStop: { tcpSocket: { host: "y" } } },
      }),
      "baseline:latest",
      'probe or lifecycle host (container "c" uses probe or lifecycle hosts "x", "y")',
    ],
    ["hosts of probes, earlier", judged({ livenessProbe: { httpGet: { host: "x" } } }), "baseline:v1.33", ""],
    [
      "privileged containers",
      judged({}, { initContainers: [{ name: "i", securityContext: { ...hardened, privileged: true } }] }),
      "baseline:latest",
      'privileged (container "i" must not set securityContext.privileged=true)',
    ],
    [
      "proc",
      context({ procMount: "Unmasked" }),
      "baseline:latest",
      'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
    ],
    [
      "proc, with users of its own",
      judged({ securityContext: { ...hardened, procMount: "Unmasked" } }, { hostUsers: false }),
      "baseline:latest",
      "",
    ],
    [
      "proc of the restricted, with users of its own",
      judged({ securityContext: { ...hardened, procMount: "Unmasked" } }, { hostUsers: false }),
      "restricted:latest",
      'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
    ],
    [
      "SELinux",
      judged(
        { securityContext: { seLinuxOptions: { type: "spc_t", user: "u" } } },
        { securityContext: { seLinuxOptions: { role: "r" } } },
      ),
      "baseline:latest",
      'seLinuxOptions (pod and container "c" set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set; role may not be set)',
    ],
    [
      "a newer SELinux type",
      context({ seLinuxOptions: { type: "container_engine_t" } }),
      "baseline:v1.31",
      "",
    ],
    [
      "a newer SELinux type, earlier",
      context({ seLinuxOptions: { type: "container_engine_t" } }),
      "baseline:v1.30",
      'seLinuxOptions (container "c" set forbidden securityContext.seLinuxOptions: type "container_engine_t")',
    ],
    [
      "seccomp",
      context({ seccompProfile: { type: "Unconfined" } }),
      "baseline:latest",
      'seccompProfile (container "c" must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [
      "seccomp by annotation",
      judged({}, {}, { "container.seccomp.security.alpha.kubernetes.io/c": "unconfined" }),
      "baseline:v1.18",
      'seccompProfile (forbidden annotation container.seccomp.security.alpha.kubernetes.io/c="unconfined")',
    ],
    [
      "sysctls",
      judged(
        {},
        { securityContext: { sysctls: [{ name: "net.ipv4.tcp_rmem" }, { name: "kernel.msgmax" }] } },
      ),
      "baseline:latest",
      "forbidden sysctls (kernel.msgmax)",
    ],
    [
      "sysctls, earlier",
      judged({}, { securityContext: { sysctls: [{ name: "net.ipv4.tcp_rmem" }] } }),
      "baseline:v1.31",
      "forbidden sysctls (net.ipv4.tcp_rmem)",
    ],
    [
      "Windows' host",
      judged({}, { securityContext: { windowsOptions: { hostProcess: true } } }),
      "baseline:latest",
      "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)",
    ],
    [
      "root",
      judged(
        { securityContext: { ...hardened, runAsNonRoot: false, runAsUser: 0 } },
        { securityContext: { runAsUser: 0 } },
      ),
      "restricted:latest",
      'runAsNonRoot != true (container "c" must not set securityContext.runAsNonRoot=false), runAsUser=0 (pod and container "c" must not set runAsUser=0)',
    ],
    [
      "root, with users of its own",
      judged({ securityContext: { ...hardened, runAsNonRoot: false, runAsUser: 0 } }, { hostUsers: false }),
      "restricted:latest",
      "",
    ],
    [
      "several containers",
      judged(
        {},
        { ephemeralContainers: [{ name: "e" }], initContainers: [{ name: "i" }], os: { name: "linux" } },
      ),
      "restricted:v1.20",
      'allowPrivilegeEscalation != false (containers "i", "e" must set securityContext.allowPrivilegeEscalation=false), runAsNonRoot != true (pod or containers "i", "e" must set securityContext.runAsNonRoot=true), seccompProfile (pod or containers "i", "e" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ],
    [
      "Windows",
      judged({ securityContext: { runAsNonRoot: true } }, { os: { name: "windows" } }),
      "restricted:latest",
      "",
    ],
  ];
  test.each(cases)("%s", (_, given, at, expected) => {
    const [level, version = ""] = at.split(":");
    const parsed: PolicyVersion = version === "latest" ? version : Number(version.slice("v1.".length));
    const violations = evaluate(given, { level: level as Level, version: parsed });
    expect(violationsText(violations)).toBe(expected);
  });
});

describe("namespaces", () => {
  const label = (labels: Json) =>
    Object.fromEntries(
      Object.entries(labels).map(([name, value]) => [`pod-security.kubernetes.io/${name}`, value]),
    );
  const space = (labels: Json) => object<Namespace>("shop", {}, { labels: label(labels) });
  const withLabels = (labels: Json, options: Parameters<typeof setUpAdmission>[0] = {}) => {
    const made = setUpAdmission(options);
    made.reader.put(Namespace, space(labels));
    return made;
  };
  const refusal =
    'pods "web" is forbidden: violates PodSecurity "baseline:v1.30": host namespaces (hostNetwork)';
  const networked = pod({ hostNetwork: true });

  test("pods are held to what is enforced", async () => {
    const { run, warnings } = withLabels({
      enforce: "baseline",
      "enforce-version": "v1.30",
      warn: "restricted",
    });
    await expect(run(Pod, { object: networked })).rejects.toMatchObject({
      code: 403,
      message: refusal,
    });
    expect(warnings).toEqual([]);
    await run(Pod, { object: pod() });
    expect(warnings).toEqual([
      expect.stringMatching(
        /^would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false/,
      ),
    ]);
  });

  test("what is enforced, and what the policy for audit makes of a pod, is recorded", async () => {
    const { run, annotations } = withLabels({ enforce: "baseline", audit: "restricted" });
    await run(Pod, { object: pod() });
    expect(annotations).toEqual({
      "pod-security.kubernetes.io/enforce-policy": "baseline:latest",
      "pod-security.kubernetes.io/audit-violations": expect.stringMatching(
        /^would violate PodSecurity "restricted:latest": allowPrivilegeEscalation/,
      ) as string,
    });
    const free = withLabels({});
    await free.run(Pod, { object: networked });
    expect(free.annotations).toEqual({ "pod-security.kubernetes.io/enforce-policy": "privileged:latest" });
  });

  test("what runs already stays as long as nothing that counts changes", async () => {
    const { run } = withLabels({ enforce: "baseline" });
    const labelled = pod({ hostNetwork: true }, { labels: { a: "b" } });
    await run(Pod, { operation: "UPDATE", object: labelled, old: networked });
    await run(Pod, { operation: "UPDATE", subresource: "status", object: labelled, old: networked });
    const renewed = pod({ hostNetwork: true, containers: [{ name: "c", image: "new" }] });
    await expect(run(Pod, { operation: "UPDATE", object: renewed, old: networked })).rejects.toThrow(
      'violates PodSecurity "baseline:latest"',
    );
    const debugged = pod({ hostNetwork: true, ephemeralContainers: [{ name: "d" }] });
    await expect(
      run(Pod, { operation: "UPDATE", subresource: "ephemeralcontainers", object: debugged, old: networked }),
    ).rejects.toThrow('violates PodSecurity "baseline:latest"');
  });

  test("workloads are warned of, never refused", async () => {
    const { run, warnings } = withLabels({ enforce: "baseline", warn: "baseline" });
    const template = { spec: networked.spec };
    await run(Deployment, { object: object("d", { spec: { template } }, shop) });
    await run(CronJob, { object: object("c", { spec: { jobTemplate: { spec: { template } } } }, shop) });
    const warning = 'would violate PodSecurity "baseline:latest": host namespaces (hostNetwork)';
    expect(warnings).toEqual([warning, warning]);
  });

  test("exemptions are let in", async () => {
    const exemptions = { usernames: ["root"], runtimeClasses: ["vm"] };
    const { run, reader } = withLabels({ enforce: "baseline" }, { podSecurity: { exemptions } });
    const user = { name: "root", groups: [] };
    await run(Pod, { object: networked, user });
    await expect(run(Pod, { object: networked })).rejects.toThrow("violates PodSecurity");
    reader.put(RuntimeClass, object("vm", { handler: "vm" }));
    await run(Pod, { object: pod({ hostNetwork: true, runtimeClassName: "vm" }) });
    const spaces = withLabels(
      { enforce: "baseline" },
      { podSecurity: { exemptions: { namespaces: ["shop"] } } },
    );
    await spaces.run(Pod, { object: networked });
  });

  test("labels that cannot be read are refused, and enforced as strictly as can be", async () => {
    const { run } = withLabels({ enforce: "strict", warn: "strict" });
    await expect(
      run(Namespace, { object: space({ enforce: "strict", "audit-version": "1.2" }) }),
    ).rejects.toMatchObject({
      code: 422,
      message:
        'Namespace "shop" is invalid: [metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted, metadata.labels[pod-security.kubernetes.io/audit-version]: Invalid value: "1.2": must be "latest" or "v1.x"]',
    });
    const wrong = space({ enforce: "strict" });
    await run(Namespace, { operation: "UPDATE", object: wrong, old: wrong });
    await expect(run(Namespace, { operation: "UPDATE", object: wrong, old: space({}) })).rejects.toThrow(
      "is invalid",
    );
    await expect(run(Pod, { object: pod() })).rejects.toThrow('violates PodSecurity "restricted:latest"');
  });

  test("a stricter level tells of the pods that it would not let in", async () => {
    const { run, reader, warnings } = withLabels({});
    const stored = (name: string, spec: Json) =>
      object<Pod>(name, { spec: { containers: [], ...spec } }, shop);
    reader.put(Pod, stored("b", { hostPID: true }));
    reader.put(Pod, stored("a", { hostNetwork: true }));
    reader.put(Pod, stored("c", { volumes: [{ name: "v", hostPath: {} }] }));
    reader.put(Pod, stored("d", {}));
    const change = (to: Json, from: Json) =>
      run(Namespace, { operation: "UPDATE", object: space(to), old: space(from) });
    await change({ enforce: "baseline" }, {});
    expect(warnings.splice(0)).toEqual([
      'existing pods in namespace "shop" violate the new PodSecurity enforce level "baseline:latest"',
      "a (and 1 other pod): host namespaces",
      "c: hostPath volumes",
    ]);
    await change({ enforce: "privileged" }, { enforce: "baseline" });
    await change({ enforce: "baseline" }, { enforce: "restricted" });
    await change({ enforce: "baseline", a: "b" }, { enforce: "baseline" });
    expect(warnings).toEqual([]);
  });
});
