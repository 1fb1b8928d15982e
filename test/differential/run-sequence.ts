import { setTimeout } from "node:timers/promises";
import type { Answer, Server } from "./exchange.ts";
import type { Sequence, Step } from "./step.ts";

/** How often an answer is awaited, and how long in between. */
const attempts = 100;
const pause = 100;

/** What one server said to each step of a sequence. */
export async function runSequence(server: Server, { steps }: Sequence): Promise<readonly Answer[]> {
  const captured = new Map<string, string>();
  const answers: Answer[] = [];
  for (const step of steps) {
    const answer = await answerOf(server, step, captured);
    for (const [name, path] of Object.entries(step.capture ?? {})) captured.set(name, valueAt(answer, path));
    answers.push(answer);
  }
  return answers;
}

async function answerOf(server: Server, step: Step, captured: ReadonlyMap<string, string>): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const answer = await server.send(requestOf(step, captured));
    if (!step.until || valueAt(answer, step.until.path) === step.until.is) return answer;
    if (attempt === attempts) throw new Error(`${step.path} does not become as it should: ${answer.text}`);
    await setTimeout(pause);
  }
}

function requestOf({ method, path, headers = {}, body }: Step, captured: ReadonlyMap<string, string>) {
  const fill = (text: string) => text.replace(/\$\{(\w+)\}/g, (_, name: string) => captured.get(name) ?? "");
  const json = body === undefined ? {} : { "content-type": "application/json" };
  const filled = Object.entries({ ...json, ...headers }).map(([name, value]) => [name, fill(value)] as const);
  return {
    method,
    path: fill(path),
    headers: Object.fromEntries(filled.filter(([, value]) => value !== "")),
    body: body === undefined ? undefined : fill(typeof body === "string" ? body : JSON.stringify(body)),
  };
}

function valueAt({ text }: Answer, path: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "";
  }
  for (const part of path.split("."))
    value =
      typeof value === "object" && value !== null ? (value as Record<string, unknown>)[part] : undefined;
  return typeof value === "string" ? value : "";
}
