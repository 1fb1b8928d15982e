import { connect as connectPlain } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createCertificateAuthority, issueCertificate } from "../../src/pki/index.ts";
import { startCluster, type TestCluster } from "../../src/testing/index.ts";
import { HttpsClient, type HttpRequest } from "./harness.ts";

let cluster: TestCluster;
let kubeconfig: string;
let client: HttpsClient;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 0 });
  kubeconfig = await cluster.kubeconfig();
  client = new HttpsClient(kubeconfig);
});
afterAll(async () => {
  client.close();
  await cluster.stop();
});
/** Whatever was sent, the next one is served. */
afterEach(async () => {
  expect(await client.send("/readyz")).toMatchObject({ status: 200, text: "ok" });
});

const configMaps = "/api/v1/namespaces/default/configmaps";
const json = "application/json";

interface Case extends HttpRequest {
  readonly name: string;
  readonly path?: string;
  readonly status: number;
  readonly reason: string | undefined;
  /** The whole message, or what it must hold. */
  readonly message: string | RegExp;
}

async function check({ path = configMaps, status, reason, message, ...request }: Case) {
  const answer = await client.send(path, request);
  const { kind, code, reason: given, message: words } = answer.body;
  expect({ status: answer.status, kind, code, reason: given }).toEqual({
    status,
    kind: "Status",
    code: status,
    reason,
  });
  if (typeof message === "string") expect(words).toBe(message);
  else expect(words).toMatch(message);
}

const post = (body: string | Uint8Array, type = json): HttpRequest => ({
  method: "POST",
  body,
  headers: { "content-type": type },
});
const put = (body: string): HttpRequest => ({ method: "PUT", body });
const patch = (body: string, type: string): HttpRequest => ({
  method: "PATCH",
  body,
  headers: { "content-type": type },
});
const badRequest = { status: 400, reason: "BadRequest" };
const invalid = { status: 422, reason: "Invalid" };
const unrecognized =
  "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind;";
const map = (rest: object) => JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", ...rest });

describe("bodies that cannot be read", () => {
  const cannot = 'ConfigMap in version "v1" cannot be handled as a ConfigMap:';
  test.each<Case>([
    {
      name: "cut JSON",
      ...post("{"),
      ...badRequest,
      message: `${unrecognized} json parse error: unexpected end of JSON input ({)`,
    },
    {
      name: "no body",
      ...post(""),
      ...badRequest,
      message: /unexpected end of JSON input|couldn't get version\/kind/,
    },
    {
      name: "no JSON",
      ...post("hello"),
      ...badRequest,
      message:
        /^the object provided is unrecognized \(must be of type ConfigMap\): couldn't get version\/kind; json parse error: /,
    },
    {
      name: "a list",
      ...post("[]"),
      ...badRequest,
      message: /json parse error: json: cannot unmarshal array into Go value of type/,
    },
    {
      name: "another kind",
      ...post(`{"apiVersion":"v1","kind":"Secret"}`),
      ...badRequest,
      message:
        /^Secret in version "v1" cannot be handled as a ConfigMap: converting \(.*Secret\) to \(.*ConfigMap\): unknown conversion$/,
    },
    {
      name: "an unknown kind",
      ...post(`{"apiVersion":"v1","kind":"Nothing"}`),
      ...badRequest,
      message: /^Nothing in version "v1" cannot be handled as a ConfigMap: /,
    },
    {
      name: "a field of the wrong type",
      ...post(map({ metadata: { name: "a" }, data: 7 })),
      ...badRequest,
      message: `${cannot} json: cannot unmarshal number into Go struct field ConfigMap.data of type map[string]string`,
    },
    {
      name: "a value of the wrong type",
      ...post(map({ metadata: { name: "a" }, data: { b: 7 } })),
      ...badRequest,
      message: `${cannot} json: cannot unmarshal number into Go struct field ConfigMap.data of type string`,
    },
    {
      name: "wrong metadata",
      ...post(map({ metadata: { name: 5 } })),
      ...badRequest,
      message: `${cannot} json: cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string`,
    },
    {
      name: "YAML that is none",
      ...post("a: b: c", "application/yaml"),
      ...badRequest,
      message:
        /^the object provided is unrecognized \(must be of type ConfigMap\): (yaml: |error converting YAML to JSON: yaml: ).* \(613a20623a2063\)$/,
    },
    {
      name: "protobuf without its prefix",
      ...post(Uint8Array.of(1, 2, 3, 4, 5), "application/vnd.kubernetes.protobuf"),
      ...badRequest,
      message:
        /^the object provided is unrecognized \(must be of type ConfigMap\): provided data does not appear to be a protobuf message, expected prefix/,
    },
    {
      name: "cut protobuf",
      ...post(Uint8Array.of(0x6b, 0x38, 0x73, 0, 0x0a, 0xff), "application/vnd.kubernetes.protobuf"),
      ...badRequest,
      message: /unexpected EOF/,
    },
    {
      name: "the namespace of another",
      ...post(map({ metadata: { name: "a", namespace: "other" } })),
      ...badRequest,
      message: "the namespace of the provided object does not match the namespace sent on the request",
    },
    {
      name: "the name of another",
      path: `${configMaps}/a`,
      ...put(map({ metadata: { name: "b" } })),
      ...badRequest,
      message: "the name of the object (b) does not match the name on the URL (a)",
    },
    {
      name: "no name",
      ...post(map({})),
      ...invalid,
      message: 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    },
    {
      name: "an invalid name",
      ...post(map({ metadata: { name: "Bad_Name" } })),
      ...invalid,
      message: `ConfigMap "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
    },
    {
      name: "an invalid label",
      ...post(map({ metadata: { name: "a", labels: { "a b": "c" } } })),
      ...invalid,
      message:
        /^ConfigMap "a" is invalid: metadata.labels: Invalid value: "a b": name part must consist of alphanumeric characters/,
    },
    {
      name: "an unknown namespace",
      path: "/api/v1/namespaces/none/configmaps",
      ...post(map({ metadata: { name: "a" } })),
      status: 404,
      reason: "NotFound",
      message: 'namespaces "none" not found',
    },
    {
      name: "a version at creation",
      ...post(map({ metadata: { name: "a", resourceVersion: "5" } })),
      status: 500,
      reason: undefined,
      message: "resourceVersion should not be set on objects to be created",
    },
    {
      name: "10 MB",
      ...post(map({ metadata: { name: "a" }, data: { a: "x".repeat(10_000_000) } })),
      status: 413,
      reason: "RequestEntityTooLarge",
      message: "Request entity too large: limit is 3145728",
    },
  ])("$name", check);
});

describe("unknown fields", () => {
  const body = map({ metadata: { name: "fields" }, data: { a: "b" }, nonsense: 1, immutable: false });
  const send = (fieldValidation: string) =>
    client.send(`${configMaps}?dryRun=All&fieldValidation=${fieldValidation}`, post(body));

  test("are refused by Strict", async () => {
    const { status, body } = await send("Strict");
    expect(status).toBe(400);
    expect(body.message).toBe(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "nonsense"',
    );
  });

  test("are warned of by Warn, and by default", async () => {
    for (const answer of [await send("Warn"), await client.send(`${configMaps}?dryRun=All`, post(body))]) {
      expect(answer.status).toBe(201);
      expect(answer.headers["warning"]).toBe('299 - "unknown field \\"nonsense\\""');
    }
  });

  test("are dropped by Ignore", async () => {
    const answer = await send("Ignore");
    expect(answer.status).toBe(201);
    expect(answer.headers["warning"]).toBeUndefined();
    expect(answer.text).not.toContain("nonsense");
  });

  test.each<Case>([
    {
      name: "another word",
      path: `${configMaps}?fieldValidation=Perhaps`,
      ...post(body),
      ...invalid,
      message:
        /fieldValidation: Unsupported value: "Perhaps": supported values: "Ignore", "Strict", "Warn"|fieldValidation: Unsupported value: "Perhaps"/,
    },
    {
      name: "duplicates",
      path: `${configMaps}?fieldValidation=Strict`,
      ...post('{"metadata":{"name":"a"},"data":{},"data":{}}'),
      ...badRequest,
      message:
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: duplicate field "data"',
    },
  ])("$name", check);
});

describe("media types", () => {
  test.each<Case>([
    {
      name: "a body of an unknown type",
      ...post("<a/>", "application/xml"),
      status: 415,
      reason: "UnsupportedMediaType",
      message:
        /^the body of the request was in an unknown format - accepted media types include: application\/json, application\/yaml, application\/vnd.kubernetes.protobuf/,
    },
    {
      name: "a patch that is none",
      path: `${configMaps}/kube-root-ca.crt`,
      ...patch("{}", json),
      status: 415,
      reason: "UnsupportedMediaType",
      message: "415: Unsupported Media Type",
    },
    {
      name: "an answer of an unknown type",
      headers: { accept: "text/html" },
      status: 406,
      reason: "NotAcceptable",
      message:
        /^406: Not Acceptable\n\nAvailable representations: application\/json, application\/yaml, application\/vnd.kubernetes.protobuf/,
    },
  ])("$name", check);
});

describe("patches", () => {
  const path = `${configMaps}/kube-root-ca.crt`;
  const jsonPatch = "application/json-patch+json";
  test.each<Case>([
    {
      name: "of the wrong shape",
      path,
      ...patch("{}", jsonPatch),
      ...badRequest,
      message:
        "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
    },
    {
      name: "cut",
      path,
      ...patch("[", jsonPatch),
      ...badRequest,
      message: "error decoding patch: unexpected end of JSON input",
    },
    {
      name: "a test that fails",
      path,
      ...patch('[{"op":"test","path":"/metadata/name","value":"x"}]', jsonPatch),
      ...invalid,
      message: "the server rejected our request due to an error in our request",
    },
    {
      name: "a path that is not there",
      path,
      ...patch('[{"op":"remove","path":"/data/none"}]', jsonPatch),
      ...invalid,
      message: "the server rejected our request due to an error in our request",
    },
    {
      name: "no object",
      path,
      ...patch("[1]", "application/merge-patch+json"),
      ...badRequest,
      message:
        "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}",
    },
    {
      name: "wrong types",
      path,
      ...patch('{"data":[1]}', "application/merge-patch+json"),
      ...invalid,
      message: /cannot unmarshal array into Go struct field ConfigMap\.data of type map\[string\]string/,
    },
    {
      name: "apply without a manager",
      path,
      ...patch("{}", "application/apply-patch+yaml"),
      ...invalid,
      message:
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    },
    {
      name: "of nothing",
      path: `${configMaps}/none`,
      ...patch("{}", "application/merge-patch+json"),
      status: 404,
      reason: "NotFound",
      message: 'configmaps "none" not found',
    },
  ])("$name", check);
});

describe("reads", () => {
  test.each<Case>([
    {
      name: "a label selector",
      path: `${configMaps}?labelSelector=a+in`,
      ...badRequest,
      message: /^unable to parse requirement: found '' expected: '\('/,
    },
    {
      name: "a label selector's value",
      path: `${configMaps}?labelSelector=a%3D%3D-b`,
      ...badRequest,
      message:
        /^unable to parse requirement: values\[0\]\[a\]: Invalid value: "-b": a valid label must be an empty string or consist of/,
    },
    {
      name: "a field selector",
      path: `${configMaps}?fieldSelector=a`,
      ...badRequest,
      message: "invalid selector: 'a'; can't understand 'a'",
    },
    {
      name: "an unknown field",
      path: `${configMaps}?fieldSelector=spec.a%3Db`,
      ...badRequest,
      message: '"spec.a" is not a known field selector: only "metadata.name", "metadata.namespace"',
    },
    {
      name: "a continue token",
      path: `${configMaps}?limit=1&continue=nonsense`,
      ...badRequest,
      message: /^invalid continue token: continue key is not valid: /,
    },
    {
      name: "a limit",
      path: `${configMaps}?limit=x`,
      ...badRequest,
      message: 'strconv.ParseInt: parsing "x": invalid syntax',
    },
    {
      name: "a version",
      path: `${configMaps}?resourceVersion=x`,
      ...badRequest,
      message:
        'invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax',
    },
    {
      name: "a match without version",
      path: `${configMaps}?resourceVersionMatch=Exact`,
      ...invalid,
      message:
        /resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided/,
    },
    {
      name: "a version to come",
      path: `${configMaps}?resourceVersion=99999999`,
      status: 504,
      reason: "Timeout",
      message: /^Timeout: Too large resource version: 99999999, current: \d+$/,
    },
    {
      name: "a name that is not there",
      path: `${configMaps}/none`,
      status: 404,
      reason: "NotFound",
      message: 'configmaps "none" not found',
    },
    {
      name: "a resource that is not there",
      path: "/api/v1/namespaces/default/nothings",
      status: 404,
      reason: "NotFound",
      message: "the server could not find the requested resource",
    },
    {
      name: "a subresource that is not there",
      path: `${configMaps}/a/nothing`,
      status: 404,
      reason: "NotFound",
      message: "the server could not find the requested resource",
    },
    {
      name: "a method",
      path: configMaps,
      method: "PATCH",
      body: "{}",
      status: 405,
      reason: "MethodNotAllowed",
      message: "the server does not allow this method on the requested resource",
    },
    {
      name: "a method on an object",
      path: `${configMaps}/a`,
      ...post("{}"),
      status: 405,
      reason: "MethodNotAllowed",
      message: "the server does not allow this method on the requested resource",
    },
  ])("$name", check);

  test.each(["/api/v2", "/api/v1x", "/apis/apps/v9/deployments"])(
    "%s is a version that is not served",
    async (path) => {
      const message = "the server could not find the requested resource";
      const body = { reason: "NotFound", message };
      expect(await client.send(path)).toMatchObject({ status: 404, body });
    },
  );

  test.each(["/nothing", "/apis/none.example.com/v1/things"])("%s is no path", async (path) => {
    expect(await client.send(path)).toMatchObject({ status: 404, text: "404 page not found\n" });
  });

  test("a version that was compacted", async () => {
    const { status, body } = await client.send(`${configMaps}?watch=1&resourceVersion=1&timeoutSeconds=1`);
    // Nothing is compacted yet in a young cluster: either the watch starts, or it says that it cannot.
    expect([200, 410]).toContain(status);
    if (status === 410) expect(body.reason).toBe("Expired");
  });
});

describe("who asks", () => {
  const anonymous = 'forbidden: User "system:anonymous" cannot';
  const withToken = async (token: string) => {
    const stranger = new HttpsClient(kubeconfig, {});
    const answer = await stranger.send(configMaps, { headers: { authorization: `Bearer ${token}` } });
    stranger.close();
    return answer;
  };

  test.each(["garbage", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzeXN0ZW06YWRtaW4ifQ.", "x".repeat(7_000)])(
    "token %.20s",
    async (token) => {
      const { status, body } = await withToken(token);
      expect({ status, reason: body.reason, message: body.message }).toEqual({
        status: 401,
        reason: "Unauthorized",
        message: "Unauthorized",
      });
    },
  );

  test("nobody is anonymous and may little", async () => {
    const stranger = new HttpsClient(kubeconfig, {});
    const { status, body } = await stranger.send(configMaps);
    expect(status).toBe(403);
    expect(body.message).toContain(
      `configmaps is ${anonymous} list resource "configmaps" in API group "" in the namespace "default"`,
    );
    expect(await stranger.send("/version")).toMatchObject({ status: 200 });
    stranger.close();
  });

  test("a certificate of another authority", async () => {
    const now = Date.now();
    const ca = await createCertificateAuthority({ commonName: "kubernetes", now });
    const { certificate, key } = await issueCertificate({
      ca,
      commonName: "kubernetes-admin",
      organizations: ["system:masters"],
      usages: ["client"],
      now,
    });
    const stranger = new HttpsClient(kubeconfig, { cert: certificate, key });
    expect((await stranger.send(configMaps)).status).toBe(401);
    stranger.close();
  });
});

describe("connections", () => {
  /** What the server says to raw bytes until it closes the connection. */
  function talk(bytes: string | Uint8Array, open: typeof connectPlain): Promise<string> {
    return new Promise((resolve) => {
      const socket = open({ host: "127.0.0.1", port: client.port });
      let text = "";
      socket.on("data", (data) => (text += data.toString("latin1")));
      socket.once("error", () => socket.destroy());
      socket.once("close", () => resolve(text));
      socket.write(bytes);
    });
  }
  const overTls = ((options: { host: string; port: number }) =>
    connectTls({ ...options, ca: client.ca })) as unknown as typeof connectPlain;

  test("plain HTTP to the TLS port", async () => {
    const text = await talk("GET / HTTP/1.1\r\nHost: a\r\n\r\n", connectPlain);
    expect(text).not.toContain("200");
  });

  test("garbage instead of a handshake", async () => {
    const text = await talk(
      Uint8Array.from({ length: 300 }, (_, index) => (index * 37) % 256),
      connectPlain,
    );
    expect(text).not.toContain("200");
  });

  test("garbage instead of a request", async () => {
    expect(await talk("nonsense\r\n\r\n", overTls)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  });

  test("headers without end", async () => {
    const text = await talk(`GET / HTTP/1.1\r\nhost: a\r\na: ${"b".repeat(2_000_000)}\r\n\r\n`, overTls);
    expect(text).toMatch(/^HTTP\/1\.1 431 |^$/);
  });
});
