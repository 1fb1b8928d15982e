import { fill, fillZero, mapField, mapList } from "../../common/fill.ts";
import type {
  Container,
  ContainerPort,
  EnvVar,
  EphemeralContainer,
  LifecycleHandler,
  ObjectFieldSelector,
  Probe,
  ResourceFieldSelector,
} from "../../types/core-v1.ts";

/** Fills in what a container leaves open. */
export function defaultContainer<C extends Container | EphemeralContainer>(container: C): C {
  let result: Container = fill<Container>(container, {
    resources: {},
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    imagePullPolicy: tagOf(container.image ?? "") === "latest" ? "Always" : "IfNotPresent",
  });
  result = mapField(result, "ports", (ports) => mapList(ports, defaultPort));
  result = mapField(result, "env", (variables) => mapList(variables, defaultEnvironment));
  result = mapField(result, "livenessProbe", defaultProbe);
  result = mapField(result, "readinessProbe", defaultProbe);
  result = mapField(result, "startupProbe", defaultProbe);
  result = mapField(result, "lifecycle", (lifecycle) =>
    mapField(mapField(lifecycle, "postStart", defaultHandler), "preStop", defaultHandler),
  );
  return result as C;
}

/** Fills in the version of a reference to a field of the pod. */
export function defaultFieldRef(selector: ObjectFieldSelector): ObjectFieldSelector {
  return fill(selector, { apiVersion: "v1" });
}

/** Fills in the divisor of a reference to a container's resources. */
export function defaultResourceFieldRef(selector: ResourceFieldSelector): ResourceFieldSelector {
  return fill(selector, { divisor: "0" });
}

/**
 * The tag of an image's name: `latest` when it has neither tag nor digest, empty when it has a digest only or
 * the name cannot be read.
 */
export function tagOf(image: string): string {
  const at = image.indexOf("@");
  const named = at < 0 ? image : image.slice(0, at);
  const match =
    /^(?:[A-Za-z0-9.\-[\]:]+\/)?(?:[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*\/?)+(?::([\w][\w.-]{0,127}))?$/.exec(
      named,
    );
  if (match === null) return "";
  return match[1] ?? (at < 0 ? "latest" : "");
}

function defaultPort(port: ContainerPort): ContainerPort {
  return fill(port, { protocol: "TCP" });
}

function defaultEnvironment(variable: EnvVar): EnvVar {
  return mapField(variable, "valueFrom", (source) =>
    mapField(mapField(source, "fieldRef", defaultFieldRef), "resourceFieldRef", defaultResourceFieldRef),
  );
}

function defaultProbe(probe: Probe): Probe {
  return defaultHandler(
    mapField(
      fillZero(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 }),
      "grpc",
      (action) => (action.service === undefined ? { ...action, service: "" } : action),
    ),
  );
}

function defaultHandler<H extends LifecycleHandler>(handler: H): H {
  return mapField<LifecycleHandler, "httpGet">(handler, "httpGet", (action) =>
    fill(action, { path: "/", scheme: "HTTP" }),
  ) as H;
}
