import { expect, test } from "vitest";
import type { ControllerRevision } from "../../api/types/apps-v1.ts";
import type { PodTemplateSpec } from "../../api/types/core-v1.ts";
import { keepsTemplate, revisionData, templateOf } from "./revisions.ts";

const template = {
  spec: { restartPolicy: "Always", containers: [{ name: "c", image: "i", resources: {} }] },
  metadata: { labels: { b: "2", a: "1" } },
} as unknown as PodTemplateSpec;
const revision = (data: object) => ({ data }) as unknown as ControllerRevision;

test("a revision is the text that clients make of the template", () => {
  expect(JSON.stringify(revisionData(template))).toBe(
    '{"spec":{"template":{"$patch":"replace","metadata":{"creationTimestamp":null,"labels":{"a":"1","b":"2"}},' +
      '"spec":{"containers":[{"image":"i","name":"c","resources":{}}],"restartPolicy":"Always"}}}}',
  );
});

test("a revision gives the template back, with the time that others leave out or not", () => {
  expect(templateOf(revision(revisionData(template)))).toEqual(template);
  const without = revision({ spec: { template: { ...template, $patch: "replace" } } });
  for (const kept of [revision(revisionData(template)), without]) {
    expect(keepsTemplate(kept, template)).toBe(true);
    expect(keepsTemplate(kept, { ...template, metadata: {} as PodTemplateSpec["metadata"] })).toBe(false);
  }
});
