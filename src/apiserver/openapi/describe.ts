import texts from "./descriptions.json" with { type: "json" };

/** Descriptions in our own words: `Pod`, `Pod.spec`, or `*.metadata` for a field of any type. */
const written = texts as Readonly<Record<string, string>>;

/** What a type is, for `kubectl explain`. */
export function describeType(typeName: string): string {
  const known = written[typeName];
  if (known !== undefined) return known;
  const words = wordsOf(typeName);
  if (typeName.endsWith("List")) return `${typeName} is a list of ${wordsOf(typeName.slice(0, -4))} objects.`;
  if (typeName.endsWith("Spec"))
    return `${typeName} is the desired state of ${article(wordsOf(typeName.slice(0, -4)))}.`;
  if (typeName.endsWith("Status"))
    return `${typeName} is the observed state of ${article(wordsOf(typeName.slice(0, -6)))}.`;
  if (typeName.endsWith("Condition"))
    return `${typeName} is one aspect of the state of ${article(wordsOf(typeName.slice(0, -9)))}.`;
  return `${typeName} holds the fields of ${article(words)}.`;
}

/** What a field is for. */
export function describeField(typeName: string, field: string): string {
  const known = written[`${typeName}.${field}`] ?? written[`*.${field}`];
  if (known !== undefined) return known;
  const words = wordsOf(field);
  return `${words.charAt(0).toUpperCase()}${words.slice(1)} of the ${wordsOf(typeName)}.`;
}

/** `minReadySeconds` → `min ready seconds`; runs of capitals stay together. */
function wordsOf(name: string): string {
  return name
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .split(" ")
    .map((word) => (/^[A-Z]+s?$/.test(word) && word.length > 1 ? word : word.toLowerCase()))
    .join(" ");
}

function article(words: string): string {
  if (words === "") return "an object";
  return /^[aeiou]/i.test(words) ? `an ${words}` : `a ${words}`;
}
