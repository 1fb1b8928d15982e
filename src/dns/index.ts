export { resolversOf, runDns, type DnsOptions } from "./dns.ts";
