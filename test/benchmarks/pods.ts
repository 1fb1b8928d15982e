import type { Pod } from "../../src/api/types/core-v1.ts";

/** The namespace of the benchmarks' pods. */
export const namespace = "default";
export const podName = (index: number): string => `web-${index}`;

const image = "registry.example.com/team/web:1.2.3";
const template = "5d4f8c7b9";

/** A pod of about 4 kB once the server has filled it in, as workloads make them; no scheduler takes it. */
export const podOf = (index: number) => ({
  metadata: {
    name: podName(index),
    namespace,
    labels: { app: "web", tier: "frontend", "pod-template-hash": template },
    annotations: { "example.com/scrape": "true", "example.com/port": "8080" },
  },
  spec: {
    schedulerName: "none",
    automountServiceAccountToken: false,
    containers: [
      {
        name: "web",
        image,
        args: ["--listen=:8080"],
        ports: [{ name: "http", containerPort: 8080 }],
        env: [
          { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
          { name: "DATABASE", value: "postgres.default.svc.cluster.local" },
        ],
        resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { cpu: "500m", memory: "256Mi" } },
        readinessProbe: { httpGet: { path: "/healthz", port: "http" } },
        volumeMounts: [
          { name: "config", mountPath: "/etc/web" },
          { name: "scratch", mountPath: "/tmp" },
        ],
      },
    ],
    volumes: [
      { name: "config", configMap: { name: "web" } },
      { name: "scratch", emptyDir: {} },
    ],
  },
});

/** The status of a pod that runs, as a kubelet reports it. */
export const statusOf = (index: number): { readonly status: Pod["status"] } => ({
  status: {
    phase: "Running",
    podIP: `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`,
    startTime: "2026-01-01T00:00:00Z",
    containerStatuses: [
      {
        name: "web",
        image,
        imageID: image,
        ready: true,
        restartCount: 0,
        state: { running: { startedAt: "2026-01-01T00:00:00Z" } },
        lastState: {},
      },
    ],
  },
});
