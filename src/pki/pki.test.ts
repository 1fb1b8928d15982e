import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { VirtualClock } from "../base/index.ts";
import {
  certificateServes,
  certificateSubject,
  createCertificateAuthority,
  createSigningRequest,
  ensureClusterPki,
  issueCertificate,
  signRequest,
} from "./index.ts";

const now = Date.UTC(2026, 0, 1);
const day = 24 * 60 * 60 * 1000;

describe("certificates", () => {
  test("carry subject, names and purposes, and verify against their authority", async () => {
    const ca = await createCertificateAuthority({ commonName: "kubernetes", now });
    const pair = await issueCertificate({
      ca,
      commonName: 'ann, the "first"',
      organizations: ["devs", "a=b,c+d"],
      dnsNames: ["api.example.com"],
      ipAddresses: ["10.96.0.1", "::1"],
      usages: ["server", "client"],
      now,
    });
    expect(certificateSubject(pair.certificate)).toEqual({
      commonName: 'ann, the "first"',
      organizations: ["devs", "a=b,c+d"],
    });
    const certificate = new X509Certificate(pair.certificate);
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
    expect(certificate.ca).toBe(false);
    expect(new X509Certificate(ca.certificate).ca).toBe(true);
    const serves = (names: string[], margin = 30 * day) =>
      certificateServes(pair, { ca, names, now, margin });
    expect(serves(["api.example.com", "10.96.0.1", "::1"])).toBe(true);
    expect(serves(["other.example.com"])).toBe(false);
    expect(serves(["10.96.0.2"])).toBe(false);
    expect(serves([], 366 * day)).toBe(false);
    const stranger = await createCertificateAuthority({ commonName: "kubernetes", now });
    expect(certificateServes(pair, { ca: stranger, names: [], now, margin: 0 })).toBe(false);
  });

  test("are signed for requests", async () => {
    const ca = await createCertificateAuthority({ commonName: "kubernetes", now });
    const { request, key } = await createSigningRequest({
      commonName: "system:node:one",
      organizations: ["system:nodes"],
      dnsNames: ["one"],
    });
    const usages = ["digital signature", "server auth"];
    const validity = { notBefore: now - day, notAfter: now + day };
    const certificate = await signRequest({ ca, request, usages, ...validity });
    expect(certificateSubject(certificate)).toEqual({
      commonName: "system:node:one",
      organizations: ["system:nodes"],
    });
    expect(certificateServes({ certificate, key }, { ca, names: ["one"], now, margin: 0 })).toBe(true);
    const read = new X509Certificate(certificate);
    expect([Date.parse(read.validFrom), Date.parse(read.validTo)]).toEqual([now - day, now + day]);
    const { KeyUsagesExtension, X509Certificate: Parsed } = await import("@peculiar/x509");
    expect(new Parsed(certificate).getExtension(KeyUsagesExtension)?.usages).toBe(1);
    expect(read.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    await expect(signRequest({ ca, request, usages: ["magic"], ...validity })).rejects.toThrow(
      'unrecognized usage values: ["magic"]',
    );
  });
});

describe("a cluster's directory", () => {
  let directory = "";
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "pki-"));
  });
  afterAll(() => rm(directory, { recursive: true }));

  test("is filled once, kept, and mended where it no longer serves", async () => {
    const clock = new VirtualClock(now);
    const ensure = (hosts: string[]) => ensureClusterPki({ directory, hosts, ips: ["10.96.0.1"], clock });
    const first = await ensure(["one"]);
    for (const file of ["ca.crt", "ca.key", "apiserver.key", "sa.key", "sa.pub", "admin.crt"]) {
      expect((await stat(join(directory, file))).mode & 0o777).toBe(0o600);
    }
    expect(await ensure(["one"])).toEqual(first);
    const second = await ensure(["one", "two.example.com"]);
    expect({ ...second, apiserver: undefined }).toEqual({ ...first, apiserver: undefined });
    expect(new X509Certificate(second.apiserver.certificate).checkHost("two.example.com")).toBeDefined();
    await clock.advance(300 * day);
    const third = await ensure(["one"]);
    expect(third.ca).toEqual(first.ca);
    expect(third.admin).not.toEqual(first.admin);
    await writeFile(join(directory, "admin.key"), first.apiserver.key);
    expect((await ensure(["one"])).admin).not.toEqual(third.admin);
  });
});
