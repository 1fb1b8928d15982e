import { expect, test } from "vitest";
import { openFront } from "../front-suite.ts";

/** Of v1.36's list of stable metrics those that an API server without policies and webhooks shows, with their labels. */
const wanted: Readonly<Record<string, string>> = {
  apiserver_admission_step_admission_duration_seconds: "STABLE histogram operation rejected type",
  apiserver_current_inflight_requests: "STABLE gauge request_kind",
  apiserver_flowcontrol_current_executing_requests: "BETA gauge flow_schema priority_level",
  apiserver_flowcontrol_current_executing_seats: "BETA gauge flow_schema priority_level",
  apiserver_flowcontrol_current_inqueue_requests: "BETA gauge flow_schema priority_level",
  apiserver_flowcontrol_dispatched_requests_total: "BETA counter flow_schema priority_level",
  apiserver_flowcontrol_nominal_limit_seats: "BETA gauge priority_level",
  apiserver_flowcontrol_rejected_requests_total: "BETA counter flow_schema priority_level reason",
  apiserver_flowcontrol_request_wait_duration_seconds: "BETA histogram execute flow_schema priority_level",
  apiserver_longrunning_requests: "STABLE gauge component group resource scope subresource verb version",
  apiserver_request_duration_seconds:
    "STABLE histogram component dry_run group resource scope subresource verb version",
  apiserver_request_total:
    "STABLE counter code component dry_run group resource scope subresource verb version",
  apiserver_requested_deprecated_apis: "STABLE gauge group removed_release resource subresource version",
  apiserver_response_sizes: "STABLE histogram component group resource scope subresource verb version",
  apiserver_storage_events_received_total: "BETA counter group resource",
  apiserver_storage_objects: "STABLE gauge resource",
  apiserver_storage_size_bytes: "STABLE gauge storage_cluster_id",
  disabled_metrics_total: "BETA counter",
  hidden_metrics_total: "BETA counter",
  kubernetes_feature_enabled: "BETA gauge name stage",
  registered_metrics_total: "BETA counter deprecated_version stability_level",
};

/** Stability, type and labels of each metric in the text. */
function shapesOf(text: string): ReadonlyMap<string, string> {
  const shapes = new Map<string, string>();
  const blocks = text.split("# HELP ").slice(1);
  for (const block of blocks) {
    const [, name = "", stability = ""] = /^(\S+) \[(\w+)\]/.exec(block) ?? [];
    const type = /^# TYPE \S+ (\w+)/m.exec(block)?.[1] ?? "";
    const labels = /^[a-z_]+\{(.*)\} /m.exec(block)?.[1] ?? "";
    const names = [...labels.matchAll(/(\w+)="/g)]
      .map(([, label]) => label)
      .filter((label) => label !== "le");
    shapes.set(name, [stability, type, ...names].join(" "));
  }
  return shapes;
}

test("stable metrics have upstream's names, types and labels", async () => {
  const front = await openFront({
    storageSize: () => 1,
    maxRequestsInflight: 1,
    maxMutatingRequestsInflight: 0,
    allows: () => true,
  });
  try {
    const as = "admin";
    await front.ask("/api/v1/namespaces/default/configmaps", {
      as,
      method: "POST",
      body: '{"metadata":{"name":"a"}}',
    });
    await front.ask("/api/v1/namespaces/default/configmaps", { as });
    await front.ask("/api/v1/namespaces/default/endpoints", { as });
    // One seat is taken, and the level of all others has no queues.
    const session = front.session();
    const watch = session.request({ ":path": "/api/v1/pods?watch=1", authorization: "Bearer admin" });
    const slow = front.ask("/slow", { as: "user" });
    while (!/executing_requests\{flow_schema="catch-all".*\} 1\n/.test(front.api.metrics.text())) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await front.ask("/version", { as: "user" })).status).toBe(429);
    const shapes = shapesOf(front.api.metrics.text());
    expect(Object.fromEntries(Object.keys(wanted).map((name) => [name, shapes.get(name)]))).toEqual(wanted);
    front.release();
    await slow;
    watch.close();
    session.close();
  } finally {
    await front.close();
  }
});
