// Reading expectedInput: which single question it asks, when it asks one.

const FORMATS = { date: "date", time: "time", "date-time": "datetime", email: "email", uri: "url", url: "url", tel: "tel", "idn-email": "email", iri: "url" };

/** The one question of an ask or choice, as a field: {name, type, required, options, validation}. */
export function questionOf(expected) {
  const described = (expected.fields ?? []).filter((field) => field.name);
  if (described.length === 1) return { options: expected.options, ...described[0] };
  const [name, schema = {}] = Object.entries(expected.schema?.properties ?? {})[0] ?? ["answer"];
  const required = (expected.schema?.required ?? []).includes(name);
  const sorts = [schema.type].flat().filter((sort) => sort !== "null");
  return {
    name,
    type: typeOf(expected, schema, sorts[0]),
    required,
    options: expected.options,
    multiple: sorts[0] === "array",
    default: schema.default,
    validation: { min: schema.minimum, max: schema.maximum, step: schema.multipleOf, date_min: schema.formatMinimum, date_max: schema.formatMaximum },
  };
}

function typeOf(expected, schema, sort) {
  if (expected.kind === "upload") return "file_upload";
  if (expected.kind === "choice") return sort === "array" ? "multi_select" : expected.options?.length ? "select" : "boolean";
  if (sort === "integer") return isScale(schema) ? "rating" : "integer";
  if (sort === "number") return "number";
  return FORMATS[schema.format] ?? "text";
}

/** A few whole numbers from 1 on read as a rating. */
function isScale({ minimum, maximum }) {
  return minimum === 1 && maximum >= 2 && maximum <= 10;
}
