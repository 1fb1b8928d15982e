import dnsPacket, { type Answer } from "dns-packet";
import type { Logger } from "../base/index.ts";
import type { Forwarder } from "./forwarder.ts";
import type { Resolution, Zone } from "./zone.ts";

/** Names that lead to names that lead to names: a circle of ExternalName services has no end. */
const longestChain = 8;

/** What a question is resolved with. */
export interface Resolver {
  readonly zone: Zone;
  readonly forwarder: Forwarder;
  readonly logger: Logger;
}

interface Question {
  readonly name: string;
  readonly type: string;
}

/** The answers with those of the name that an alias leads to: clients ask once and expect addresses. */
export async function followAlias(
  first: Resolution,
  { question, transport }: { readonly question: Question; readonly transport: "udp" | "tcp" },
  { zone, forwarder, logger }: Resolver,
): Promise<Resolution> {
  if (first.type !== "found" || question.type === "CNAME" || question.type === "ANY") return first;
  const answers = [...first.answers];
  for (let step = 0; step < longestChain; step++) {
    const alias = answers.at(-1);
    if (alias?.type !== "CNAME") break;
    const next = { name: alias.data, type: question.type };
    const resolution = zone.resolve(next);
    if (resolution.type === "nameError") break;
    if (resolution.type === "found") {
      answers.push(...resolution.answers);
      continue;
    }
    try {
      answers.push(...(await askOutside(next, { forwarder, transport })));
    } catch (error) {
      logger.debug("an alias leads nowhere", { name: next.name, error });
    }
    break;
  }
  return { ...first, answers };
}

async function askOutside(
  { name, type }: Question,
  { forwarder, transport }: { forwarder: Forwarder; transport: "udp" | "tcp" },
): Promise<Answer[]> {
  const query = dnsPacket.encode({
    type: "query",
    // Which number it has is of no account: it goes over a socket of its own.
    id: 1,
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ name, type: type as "A" }],
  });
  return dnsPacket.decode(Buffer.from(await forwarder.forward(query, transport))).answers ?? [];
}
