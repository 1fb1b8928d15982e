/** What v1.20 says and v1.36 says in other words; where a text changed, all of these may be part of it. */
const rewordings: readonly (readonly [old: RegExp, words: string])[] = [
  // v1.33: lengths are told in bytes.
  [/must be no more than (\d+) characters/g, "must be no more than $1 bytes"],
  [/Too long: must have at most (\d+) (?:bytes|characters)/g, "Too long: may not be more than $1 bytes"],
  // v1.29: owners are checked in one way.
  [/(?:name|uid|kind) must not be empty/g, "must not be empty"],
  // v1.24: values that are neither texts nor numbers are written as JSON.
  [/\[\]string\{([^}]*)\}/g, "[$1]"],
  [/Invalid value: <time>/g, 'Invalid value: "<time>"'],
  [/Invalid value: 0x([0-9a-f]+)/g, "Invalid value: $1"],
  // v1.33: addresses, their ranges and names of ports are told in other words.
  [/must be a valid IP address(?!, \(e)/g, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"],
  [/not a valid CIDR/g, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"],
  [/must contain at least one letter or number \(a-z, 0-9\)/g, "must contain at least one letter (a-z)"],
  [/must to greater or equal than 0/g, "must be greater than or equal to 0"],
  // v1.25: programs are built with paths that are not whole.
  [/"k8s\.io\/kubernetes\/pkg\/api\/legacyscheme/g, '"pkg/api/legacyscheme'],
  [/"k8s\.io\/apimachinery\/pkg\/apis/g, '"pkg/apis'],
  // v1.22: what was part of extensions is part of its own group.
  [/^(\w+)\.extensions /g, "$1.networking.k8s.io "],
  [/on (\w+)\.extensions /g, "on $1.networking.k8s.io "],
  // v1.22: selectors are checked as fields are.
  [/invalid label key ("[^"]*"): /g, "<nil>: Invalid value: $1: "],
  [/invalid label value: ("[^"]*"): at key: "([^"]*)": /g, "values[0][$2]: Invalid value: $1: "],
  [/'=', '!=', '==', 'in', notin'/g, "in, notin, =, ==, !=, gt, lt"],
  [/requirement: (for 'Gt', 'Lt' operators, the value)/g, 'requirement: values[0]: Invalid value: "a": $1'],
  [/(Invalid value: "a\/b\/c": )a qualified name/g, "$1a valid label key"],
  // v1.24: what is too long or too much in custom resources is told as of other kinds.
  [
    /Invalid value: "[^"]*": \S+ in body should be at most (\d+) chars long/g,
    "Too long: may not be more than $1 bytes",
  ],
  [
    /Invalid value: (\d+): \S+ in body should have at most (\d+) items/g,
    "Too many: $1: must have at most $2 items",
  ],
  // v1.23: JSON is read by another decoder.
  [/unmarshalerDecoder: (Object 'Kind' is missing in '.*'), error found in #\d+ byte .*$/gs, "$1"],
  [/v1\.\w+\.\w+: decode base64: (illegal base64 data at input byte \d+), error found in .*$/gs, "$1"],
];

/** A text of v1.20 in the words of v1.36. */
export function reworded(text: string): string {
  return rewordings.reduce((rest, [old, words]) => rest.replace(old, words), text);
}
