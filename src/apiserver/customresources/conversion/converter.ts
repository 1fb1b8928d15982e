import { ApiError, versionNamed } from "../../../apimachinery/index.ts";
import type { SchemaNode } from "../../../api/index.ts";
import type { CustomResourceDefinition } from "../../../api/types/apiextensions-v1.ts";
import type { Random } from "../../../base/index.ts";
import { HookCallError } from "../../admission/webhooks/index.ts";
import type { PostToHook } from "../../admission/webhooks/index.ts";
import type { AnyObject } from "../../registry/entry.ts";
import type { ConversionUse } from "../../registry/conversion-use.ts";
import { Unconverted } from "../../registry/remote-conversion.ts";
import { readConverted, restored, RestoreError } from "./restore.ts";
import { convertedIn, ReviewError, reviewText, reviewVersionOf, sentText } from "./review.ts";
import type { Review } from "./review.ts";
import { knownTo } from "../served-version.ts";

/** Upstream waits as long, whatever is asked. */
const timeoutSeconds = 30;
/** How long a question grows at most, in characters; what does not fit is asked next. An object of its own always goes. */
const longestQuestion = 4 * 1024 * 1024;
/** Bytes of the longest answer: objects may grow when they are converted. */
const longestAnswer = 4 * longestQuestion;

/** What webhooks are called with. */
export interface ConverterParts {
  readonly post: PostToHook;
  readonly random: Random;
  readonly use: ConversionUse;
  /** Ends calls that are under way. */
  readonly signal: AbortSignal;
}

/** An error of the server's own, as upstream shows one that it has no reason for. */
const unexplained = (message: string) => new ApiError({ message, code: 500 });

const kindText = ({ apiVersion = "", kind = "" }: AnyObject) =>
  `${apiVersion.includes("/") ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;

/** What objects have become, and what they are about to become, in one version. */
interface Conversions {
  /** As long as anyone has the object that was converted. */
  readonly made: WeakMap<AnyObject, AnyObject>;
  readonly pending: Map<AnyObject, Promise<void>>;
}

/** Converts the objects of one definition by its webhook, each object once for all who want it. */
export class Converter {
  readonly #name: string;
  readonly #webhook: NonNullable<NonNullable<CustomResourceDefinition["spec"]["conversion"]>["webhook"]>;
  readonly #nodes: ReadonlyMap<string, SchemaNode>;
  readonly #parts: ConverterParts;
  readonly #versions = new Map<string, Conversions>();

  constructor(
    definition: CustomResourceDefinition,
    /** The schemas of all versions, by apiVersion. */
    nodes: ReadonlyMap<string, SchemaNode>,
    parts: ConverterParts,
  ) {
    const { conversion } = definition.spec;
    this.#name = definition.metadata.name;
    this.#webhook = conversion?.webhook ?? { conversionReviewVersions: [] };
    this.#nodes = nodes;
    this.#parts = parts;
  }

  /** An object in a version in which it was asked for; throws `Unconverted`. */
  as(object: AnyObject, apiVersion: string): AnyObject {
    if (object.apiVersion === apiVersion) return object;
    const made = this.#of(apiVersion).made.get(object);
    if (made) return made;
    throw new Unconverted(() => this.until([object], apiVersion) ?? Promise.resolve());
  }

  /** What must be waited for until objects can be had in a version; undefined when they can. */
  until(
    objects: readonly AnyObject[],
    apiVersion: string,
    { anew = false }: { readonly anew?: boolean } = {},
  ): Promise<void> | undefined {
    const foreign = objects.filter((object) => object.apiVersion !== apiVersion);
    if (foreign.length === 0) return undefined;
    const { made, pending } = this.#of(apiVersion);
    const wanted = new Set<AnyObject>();
    const others = new Set<Promise<void>>();
    for (const object of foreign) {
      if (!anew && made.has(object)) continue;
      const asked = pending.get(object);
      if (asked) others.add(asked);
      else wanted.add(object);
    }
    if (wanted.size > 0) others.add(this.#begin([...wanted], apiVersion));
    return others.size === 0 ? undefined : Promise.all(others).then(() => {});
  }

  #of(apiVersion: string): Conversions {
    const known = this.#versions.get(apiVersion) ?? { made: new WeakMap(), pending: new Map() };
    if (this.#nodes.has(apiVersion)) this.#versions.set(apiVersion, known);
    return known;
  }

  #begin(objects: readonly AnyObject[], apiVersion: string): Promise<void> {
    const { pending } = this.#of(apiVersion);
    const asked = this.#convertAll(objects, apiVersion).finally(() => {
      for (const object of objects) pending.delete(object);
    });
    for (const object of objects) pending.set(object, asked);
    return asked;
  }

  async #convertAll(objects: readonly AnyObject[], apiVersion: string): Promise<void> {
    this.#checkVersions(objects, apiVersion);
    for (const question of questionsOf(objects)) await this.#observed(question, apiVersion);
  }

  #checkVersions(objects: readonly AnyObject[], apiVersion: string): void {
    if (!this.#nodes.has(apiVersion)) {
      throw unexplained(`request to convert CR to an invalid group/version: ${apiVersion}`);
    }
    const unknown = objects.find(({ apiVersion: from }) => !this.#nodes.has(from ?? ""));
    if (!unknown) return;
    throw unexplained(`request to convert CR from an invalid group/version: ${unknown.apiVersion ?? ""}`);
  }

  async #observed(question: Question, apiVersion: string): Promise<void> {
    const { observer } = this.#parts.use;
    const started = observer?.now() ?? 0;
    const note = (succeeded: boolean) =>
      observer?.converted({
        definition: this.#name,
        toVersion: versionNamed(apiVersion).version,
        seconds: observer.now() - started,
        succeeded,
      });
    let answers: readonly Readonly<Record<string, unknown>>[];
    try {
      answers = (await this.#ask(question, apiVersion)).map(readConverted);
      note(true);
    } catch (error) {
      note(false);
      throw failureOf(error, question);
    }
    this.#keep(question, answers, apiVersion);
  }

  /** Takes over what was answered, once all of it has proved to be right. */
  #keep({ objects }: Question, answers: readonly Readonly<Record<string, unknown>>[], desired: string): void {
    const { made } = this.#of(desired);
    const node = this.#nodes.get(desired);
    const [first] = objects;
    if (answers.length !== objects.length && first) {
      throw unexplained(
        `conversion for ${kindText(first)} returned ${answers.length} objects, expected ${objects.length}`,
      );
    }
    const whole = objects.map((original, index) => {
      const converted = answers[index] ?? {};
      try {
        return restored({ original, converted, desired, index: index + 1 });
      } catch (error) {
        if (!(error instanceof RestoreError)) throw error;
        throw unexplained(`conversion for ${kindText(original)} ${error.message}`);
      }
    });
    const known = node ? whole.map((object) => knownTo(object, node)) : whole;
    for (const [index, original] of objects.entries()) {
      const object = known[index];
      if (object) made.set(original, object);
    }
  }

  async #ask({ texts }: Question, desired: string): Promise<readonly unknown[]> {
    const { clientConfig, conversionReviewVersions } = this.#webhook;
    const version = reviewVersionOf(conversionReviewVersions);
    if (!version || !clientConfig) throw new RestoreError("no supported conversion review versions");
    const { post, random, use, signal } = this.#parts;
    const review: Review = { version, uid: random.uuid() };
    const body = reviewText(review, { desired, objects: texts });
    const { observer } = use;
    const started = observer?.now() ?? 0;
    const note = (failed: boolean) => observer?.called({ seconds: observer.now() - started, failed });
    try {
      const answer = await post({ clientConfig, timeoutSeconds, body, longestAnswer, signal });
      const converted = convertedIn(answer, review);
      note(false);
      return converted;
    } catch (error) {
      note(true);
      throw error;
    }
  }
}

/** Objects that go into one call, and their texts. */
interface Question {
  readonly objects: readonly AnyObject[];
  readonly texts: readonly string[];
}

function* questionsOf(objects: readonly AnyObject[]): Generator<Question> {
  let question: { readonly objects: AnyObject[]; readonly texts: string[] } = { objects: [], texts: [] };
  let size = 0;
  for (const object of objects) {
    const text = sentText(object);
    if (size > 0 && size + text.length > longestQuestion) {
      yield question;
      question = { objects: [], texts: [] };
      size = 0;
    }
    question.objects.push(object);
    question.texts.push(text);
    size += text.length;
  }
  yield question;
}

/** Why objects could not be converted; the webhook's own list has no kind upstream. */
function failureOf(error: unknown, { objects: [first] }: Question): unknown {
  const about = first ? kindText(first) : "";
  if (error instanceof HookCallError || error instanceof ReviewError) {
    return unexplained(
      `conversion for ${about} failed: conversion webhook for /, Kind= failed: ${error.message}`,
    );
  }
  return error instanceof RestoreError
    ? unexplained(`conversion for ${about} failed: ${error.message}`)
    : error;
}
