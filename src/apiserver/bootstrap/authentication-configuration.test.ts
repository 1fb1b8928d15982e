import { expect, test } from "vitest";
import { VirtualClock } from "../../base/index.ts";
import { ConfigMap } from "../../api/types/core-v1.ts";
import { createMemoryStore } from "../../store/index.ts";
import { createApiServer } from "../server/server.ts";
import { publishClientAuthority } from "./authentication-configuration.ts";

test("aggregated servers are told of clients and proxies, and of changes", async () => {
  const clock = new VirtualClock();
  const {
    reader,
    client: clientFor,
    close,
  } = await createApiServer({
    store: createMemoryStore({ clock }),
    clock,
    authorizer: { authorize: () => ({ type: "allow", reason: "" }) },
  });
  const client = clientFor({ name: "system:apiserver", groups: ["system:masters"] });
  const key = { namespace: "kube-system", name: "extension-apiserver-authentication" };
  const data = () => reader.get(ConfigMap, key)?.data;
  await publishClientAuthority({ client, reader, clientAuthority: "A" });
  expect(data()).toEqual({ "client-ca-file": "A" });
  const requestHeader = {
    clientAuthority: "P",
    allowedNames: ["front-proxy-client"],
    usernameHeaders: ["X-Remote-User"],
    uidHeaders: [],
    groupHeaders: ["X-Remote-Group"],
    extraHeadersPrefixes: ["X-Remote-Extra-"],
  };
  await publishClientAuthority({ client, reader, clientAuthority: "B", requestHeader });
  expect(data()).toEqual({
    "client-ca-file": "B",
    "requestheader-client-ca-file": "P",
    "requestheader-allowed-names": '["front-proxy-client"]',
    "requestheader-username-headers": '["X-Remote-User"]',
    "requestheader-uid-headers": "[]",
    "requestheader-group-headers": '["X-Remote-Group"]',
    "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
  });
  await close();
});
