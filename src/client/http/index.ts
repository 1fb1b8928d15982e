export { createHttpClient, createTransportClient } from "./http-client.ts";
export type { HttpClient, HttpClientOptions, RawAnswer, RawRequest } from "./http-client.ts";
export type { HttpAnswer, HttpExchange, Transport } from "./connection.ts";
export type { Query } from "./paths.ts";
export { loadKubeconfig } from "./kubeconfig.ts";
export type { Kubeconfig, LoadedKubeconfig } from "./kubeconfig.ts";
