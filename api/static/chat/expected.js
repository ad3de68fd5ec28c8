// Reading expectedInput: which single question it asks, when it asks one.

/** The one question of an ask or choice, as a field: {name, type, required, options, multiple, default, validation}. */
export function questionOf(expected) {
  const [name, schema = {}] = Object.entries(expected.schema?.properties ?? {})[0] ?? ["answer"];
  // One that may be left out also takes null.
  const sorts = [schema.type].flat().filter((sort) => sort !== "null");
  return {
    name,
    type: typeOf(expected, schema, sorts),
    required: (expected.schema?.required ?? []).includes(name),
    options: expected.options,
    multiple: sorts.includes("array"),
    default: schema.default,
    validation: { min: schema.minimum, max: schema.maximum, step: schema.multipleOf },
  };
}

function typeOf(expected, schema, sorts) {
  if (expected.kind === "upload") return "file_upload";
  if (expected.kind === "choice") return sorts.includes("array") ? "multi_select" : expected.options?.length ? "select" : "boolean";
  if (sorts.includes("integer")) return isScale(schema) ? "rating" : "integer";
  if (sorts.includes("number")) return "number";
  return ["date", "email"].includes(schema.format) ? schema.format : typeOfPatterns(schema);
}

/** A few whole numbers from 1 on read as a rating. */
function isScale({ minimum, maximum }) {
  return minimum === 1 && maximum >= 2 && maximum <= 10;
}

// Times, date-times, addresses and phone numbers are published as patterns, for the standard formats would refuse some that are taken.
// A pattern that takes one of these and none of the others asks for that kind.
const SAMPLES = {
  time: "14:30",
  datetime: "2026-01-31T14:30",
  date: "2026-01-31",
  url: "https://example.com",
  tel: "+49 (30) 123456",
  text: "abc",
};

function typeOfPatterns(schema) {
  const patterns = [schema, ...(schema.allOf ?? [])].map((part) => part.pattern).filter((pattern) => typeof pattern === "string");
  return patterns.map(typeOfPattern).find((type) => type !== "text") ?? "text";
}

function typeOfPattern(pattern) {
  const matcher = compiled(pattern);
  const taken = Object.keys(SAMPLES).filter((type) => matcher?.test(SAMPLES[type]));
  // Digits with hyphens, as of a date, may be a phone number too.
  const [only, more] = taken.includes("tel") ? taken.filter((type) => type !== "date") : taken;
  return only !== undefined && more === undefined ? only : "text";
}

function compiled(pattern) {
  try {
    return new RegExp(pattern, "u");
  } catch {
    return null;
  }
}
