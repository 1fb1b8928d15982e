"""What programs do with Python's kubernetes client; each step asserts what it saw. Called with a kubeconfig."""
import json
import sys
import threading

from kubernetes import client, config, dynamic, utils, watch
from kubernetes.client.rest import ApiException

config.load_kube_config(sys.argv[1])
core = client.CoreV1Api()
apps = client.AppsV1Api()
NAMESPACE = "default"


def refused(status, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except ApiException as error:
        assert error.status == status, (error.status, error.body)
        return error
    raise AssertionError("not refused with %d" % status)


def reads_and_writes():
    body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="python"), data={"a": "1"})
    created = core.create_namespaced_config_map(NAMESPACE, body)
    assert created.metadata.uid and created.metadata.creation_timestamp.tzinfo
    refused(409, core.create_namespaced_config_map, NAMESPACE, body)
    read = core.read_namespaced_config_map("python", NAMESPACE)
    read.data = {"a": "2"}
    core.replace_namespaced_config_map("python", NAMESPACE, read)
    conflict = refused(409, core.replace_namespaced_config_map, "python", NAMESPACE, read)
    assert "the object has been modified" in conflict.body
    listed = core.list_config_map_for_all_namespaces(field_selector="metadata.name=python")
    assert [item.data for item in listed.items] == [{"a": "2"}]
    core.delete_namespaced_config_map("python", NAMESPACE)
    refused(404, core.read_namespaced_config_map, "python", NAMESPACE)
    invalid = refused(422, core.create_namespace, {"metadata": {"name": "Not_Valid"}})
    assert "a lowercase RFC 1123 label" in invalid.body


def patches():
    core.create_namespaced_config_map(NAMESPACE, {"metadata": {"name": "patched"}, "data": {"a": "1", "b": "2"}})
    merged = core.patch_namespaced_config_map("patched", NAMESPACE, {"data": {"a": None, "c": "3"}})
    assert merged.data == {"b": "2", "c": "3"}
    operations = [{"op": "replace", "path": "/data/b", "value": "4"}]
    assert core.patch_namespaced_config_map("patched", NAMESPACE, operations).data == {"b": "4", "c": "3"}
    pages = core.list_namespaced_config_map(NAMESPACE, limit=1)
    assert len(pages.items) == 1 and pages.metadata._continue
    rest = core.list_namespaced_config_map(NAMESPACE, _continue=pages.metadata._continue)
    assert pages.items[0].metadata.name not in [item.metadata.name for item in rest.items]


def watches():
    version = core.list_namespaced_secret(NAMESPACE).metadata.resource_version

    def write():
        core.create_namespaced_secret(NAMESPACE, {"metadata": {"name": "watched"}, "stringData": {"a": "b"}})
        core.patch_namespaced_secret("watched", NAMESPACE, {"stringData": {"a": "c"}})
        core.delete_namespaced_secret("watched", NAMESPACE)

    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    stream = watch.Watch()
    for event in stream.stream(
        core.list_namespaced_secret, NAMESPACE, resource_version=version, timeout_seconds=20
    ):
        if event["object"].metadata.name != "watched":
            continue
        seen.append((event["type"], event["object"].data["a"]))
        if event["type"] == "DELETED":
            stream.stop()
    writer.join()
    assert seen == [("ADDED", "Yg=="), ("MODIFIED", "Yw=="), ("DELETED", "Yw==")], seen


def dynamic_client():
    resources = dynamic.DynamicClient(client.ApiClient())
    deployments = resources.resources.get(api_version="apps/v1", kind="Deployment")
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "dynamic"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "dynamic"}},
            "template": {
                "metadata": {"labels": {"app": "dynamic"}},
                "spec": {"containers": [{"name": "web", "image": "web:1"}]},
            },
        },
    }
    applied = deployments.patch(
        body=json.dumps(manifest),
        name="dynamic",
        namespace=NAMESPACE,
        content_type="application/apply-patch+yaml",
        field_manager="python",
    )
    assert applied.metadata.managedFields[0].operation == "Apply"
    conflict = dict(manifest, spec=dict(manifest["spec"], replicas=3))
    refused(
        409,
        deployments.patch,
        body=json.dumps(conflict),
        name="dynamic",
        namespace=NAMESPACE,
        content_type="application/apply-patch+yaml",
        field_manager="other",
    )
    assert deployments.get(name="dynamic", namespace=NAMESPACE).spec.replicas == 1
    assert [item.metadata.name for item in deployments.get(namespace=NAMESPACE).items] == ["dynamic"]


def rollback():
    template = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "web:2"}]}}}}
    apps.patch_namespaced_deployment("dynamic", NAMESPACE, template)
    stream = watch.Watch()
    for _ in stream.stream(apps.list_namespaced_replica_set, NAMESPACE, timeout_seconds=20):
        sets = apps.list_namespaced_replica_set(NAMESPACE, label_selector="app=dynamic").items
        if len(sets) == 2:
            stream.stop()
    revision = "deployment.kubernetes.io/revision"
    first = min(sets, key=lambda item: int(item.metadata.annotations[revision]))
    labels = {name: value for name, value in first.spec.template.metadata.labels.items() if name == "app"}
    first.spec.template.metadata.labels = labels
    body = [{"op": "replace", "path": "/spec/template", "value": client.ApiClient().sanitize_for_serialization(first.spec.template)}]
    rolled = apps.patch_namespaced_deployment("dynamic", NAMESPACE, body)
    assert rolled.spec.template.spec.containers[0].image == "web:1"
    scale = apps.read_namespaced_deployment_scale("dynamic", NAMESPACE)
    assert scale.spec.replicas == 1 and "app=dynamic" in scale.status.selector
    apps.delete_namespaced_deployment("dynamic", NAMESPACE, propagation_policy="Background")


def from_manifest():
    utils.create_from_dict(
        client.ApiClient(),
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "made"}, "spec": {"ports": [{"port": 80}]}},
    )
    service = core.read_namespaced_service("made", NAMESPACE)
    assert service.spec.cluster_ip and service.spec.ports[0].target_port == 80
    refused(404, core.read_namespaced_pod_log, "none", NAMESPACE)
    review = client.AuthorizationV1Api().create_self_subject_access_review(
        {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
    )
    assert review.status.allowed
    assert client.VersionApi().get_code().minor == "36"
    assert "apps" in [group.name for group in client.ApisApi().get_api_versions().groups]


for step in (reads_and_writes, patches, watches, dynamic_client, rollback, from_manifest):
    step()
    print("ok", step.__name__)
