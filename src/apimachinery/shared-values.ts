/** How much text a generation of values may have; two generations are kept. */
const generationText = 1 << 20;

/**
 * Values that many objects have alike, such as the specs of pods made of one template: each is held once, whoever has
 * it, and what is found out of it once is known for all. Values are known by their text. What has not been met during
 * a generation is forgotten; what is met only once is never held for its own sake.
 */
class SharedValues {
  private current = new Map<string, object>();
  private previous: ReadonlyMap<string, object> = new Map();
  private size = 0;
  private readonly texts = new WeakMap<object, string>();

  share<Value extends object>(value: Value): Value {
    if (this.texts.has(value)) return value;
    const text = JSON.stringify(value);
    const known = this.current.get(text) ?? this.previous.get(text);
    if (known !== undefined && known !== value) this.texts.set(known, text);
    if (!this.current.has(text)) this.keep(text, known ?? value);
    return (known as Value | undefined) ?? value;
  }

  hold<Value extends object>(value: Value): Value {
    const text = JSON.stringify(value);
    this.keep(text, value);
    this.texts.set(value, text);
    return value;
  }

  textOf(value: object): string | undefined {
    return this.texts.get(value);
  }

  private keep(text: string, value: object): void {
    if (this.size + text.length > generationText) {
      this.previous = this.current;
      this.current = new Map();
      this.size = 0;
    }
    this.size += text.length;
    this.current.set(text, value);
  }
}

const values = new SharedValues();

/** The value that others have too where there is one, else the value itself. */
export const share = <Value extends object>(value: Value): Value => values.share(value);

/** The value, which others are going to have. */
export const hold = <Value extends object>(value: Value): Value => values.hold(value);

/** The value in JSON, when others have it too. */
export const sharedText = (value: object): string | undefined => values.textOf(value);

/** The function, which for a value that others have too is called once. It must depend on nothing but the value. */
export function rememberShared<Value extends object, Result>(
  derive: (value: Value) => Result,
): (value: Value) => Result {
  const known = new WeakMap<Value, { readonly result: Result }>();
  return (value) => {
    if (values.textOf(value) === undefined) return derive(value);
    let found = known.get(value);
    if (found === undefined) {
      found = { result: derive(value) };
      known.set(value, found);
    }
    return found.result;
  };
}
