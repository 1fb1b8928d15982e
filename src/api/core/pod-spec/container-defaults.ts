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

const longestName = 255;
const pathPart = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const hostPart = /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/;
const address = /^\[[\da-fA-F:]+\]$/;
const digestText = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[\da-fA-F]{32,}$/;
const tagText = /^\w[\w.-]{0,127}$/;

/**
 * The tag of an image's name: `latest` when it has neither tag nor digest, empty when it has a digest only or
 * the name cannot be read. Each part is read by itself: a pattern for all of a name could take forever.
 */
export function tagOf(image: string): string {
  const at = image.indexOf("@");
  const hasDigest = at >= 0;
  if ((hasDigest && !digestText.test(image.slice(at + 1))) || /^[\da-f]{64}$/.test(image)) return "";
  const named = hasDigest ? image.slice(0, at) : image;
  const slash = named.indexOf("/");
  const first = slash < 0 ? "" : named.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  const rest = isHost ? named.slice(slash + 1) : named;
  const colon = rest.indexOf(":");
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const whole = isHost ? `${first}/${path}` : `docker.io/${slash < 0 ? "library/" : ""}${path}`;
  const isReadable = (!isHost || isHostName(first)) && path.split("/").every((part) => pathPart.test(part));
  if (!isReadable || whole.length > longestName) return "";
  if (colon < 0) return hasDigest ? "" : "latest";
  const tag = rest.slice(colon + 1);
  return tagText.test(tag) ? tag : "";
}

function isHostName(text: string): boolean {
  const host = text.replace(/:\d+$/, "");
  return address.test(host) || host.split(".").every((part) => hostPart.test(part));
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
