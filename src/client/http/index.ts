export { createHttpClient, errorOf } from "./http-client.ts";
export type { HttpClient, HttpClientOptions, RawAnswer, RawRequest } from "./http-client.ts";
export type { HttpAnswer } from "./connection.ts";
export { objectPath, pathOf, queryString } from "./paths.ts";
export type { Query } from "./paths.ts";
export { inClusterOptions, loadKubeconfig } from "./kubeconfig.ts";
export type { Kubeconfig, LoadedKubeconfig } from "./kubeconfig.ts";
