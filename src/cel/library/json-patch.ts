import { stringType } from "../check/types.ts";
import { text } from "../values/arguments.ts";
import { fn, signature, type Library } from "./library.ts";

/** `jsonpatch.escapeKey`: a key as a part of a JSON pointer. */
export const jsonPatchLibrary: Library = {
  name: "kubernetes.jsonpatch",
  functions: [
    fn(
      "jsonpatch.escapeKey",
      signature("string_jsonpatch_escapeKey_string", [stringType, stringType], (value) =>
        text(value).replaceAll("~", "~0").replaceAll("/", "~1"),
      ),
    ),
  ],
};
