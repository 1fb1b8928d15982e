/** Replaces `$(NAME)` by the variable's value where there is one; `$$` stands for `$`. */
export function expand(text: string, variables: ReadonlyMap<string, string>): string {
  return expandWith(text, (name) => variables.get(name) ?? `$(${name})`);
}

function expandWith(text: string, valueOf: (name: string) => string): string {
  let result = "";
  for (let index = 0; index < text.length; index++) {
    if (text[index] !== "$" || index + 1 >= text.length) {
      result += text[index];
      continue;
    }
    const next = text[index + 1];
    const end = next === "(" ? text.indexOf(")", index + 2) : -1;
    if (next === "$") {
      result += "$";
      index++;
    } else if (next === "(" && end >= 0) {
      result += valueOf(text.slice(index + 2, end));
      index = end;
    } else {
      // What is no reference stays as it is.
      result += `$${next}`;
      index++;
    }
  }
  return result;
}

/** Like `expand`, for paths: an unknown variable is an error. */
export function expandStrictly(text: string, variables: ReadonlyMap<string, string>): string {
  const missing: string[] = [];
  const result = expandWith(text, (name) => {
    const value = variables.get(name);
    if (value === undefined) missing.push(name);
    return value ?? "";
  });
  if (missing.length > 0)
    throw new Error(`missing value for ${missing.map((name) => JSON.stringify(name)).join(", ")}`);
  return result;
}
