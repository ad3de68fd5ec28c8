// Reading expectedInput: which single question it asks, when it asks one.

/** The one question of an ask or choice, as a field: {name, type, required, options, multiple, default, placeholder, validation}. */
export function questionOf(expected) {
  const [name, schema = {}] = Object.entries(expected.schema?.properties ?? {})[0] ?? ["answer"];
  // One that may be left out also takes null.
  const sorts = [schema.type].flat().filter((sort) => sort !== "null");
  return {
    name,
    type: typeOf(expected),
    required: (expected.schema?.required ?? []).includes(name),
    options: expected.options,
    multiple: sorts.includes("array"),
    default: schema.default,
    placeholder: expected.placeholder,
    validation: { min: schema.minimum, max: schema.maximum, step: schema.multipleOf },
  };
}

/** The input type; whatever it is, a question with options is answered by picking. */
function typeOf({ input = "text", options = [] }) {
  return options.length === 0 || ["radio", "multi_select"].includes(input) ? input : "select";
}
