if (issue.minimum === 1 && issue.inclusive) {
  const singularPhrase = issue.origin === "set" ? "לפחות פריט אחד" : "לפחות פריט אחד";
  return `קטן מדי: ${subject} ${verb} להכיל ${singularPhrase}`;
}
