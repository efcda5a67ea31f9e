
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const unfoldTarget = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id && byId(id);
    if (target && target.tagName === "DETAILS") target.open = true;
  };
  addEventListener("hashchange", unfoldTarget);
  unfoldTarget();

  const bar = byId("filter");
  if (!bar) return;
  const text = byId("filter-text"), kind = byId("filter-kind"), rule = byId("filter-rule");
  const count = byId("filter-count"), unfold = byId("unfold"), empty = byId("no-match");
  const boxes = [...bar.querySelectorAll("input[name=severity]")];
  const openUpTo = 60;
  let files = null;

  // Reading every finding's text is left until somebody filters: the page opens faster.
  const read = () => [...document.querySelectorAll("#files-list > .file")].map((file) => ({
    file,
    path: file.querySelector("summary .path").textContent.toLowerCase(),
    rows: [...file.querySelectorAll(".finding")].map((row) => ({ row, text: row.textContent.toLowerCase() })),
  }));

  const apply = () => {
    files ??= read();
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const severities = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const narrowed = words.length > 0 || kind.value !== "all" || rule.value !== "all" || severities.size < boxes.length;
    let shown = 0, all = 0;
    const matching = [];
    for (const { file, path, rows } of files) {
      let here = 0;
      for (const { row, text: content } of rows) {
        const data = row.dataset;
        const fits = severities.has(data.s) && (kind.value === "all" || data.k === kind.value)
          && (rule.value === "all" || data.r === rule.value)
          && words.every((word) => path.includes(word) || content.includes(word));
        row.hidden = !fits;
        here += fits;
      }
      all += rows.length;
      shown += here;
      file.hidden = here === 0;
      if (here) matching.push(file);
    }
    const number = (value) => value.toLocaleString("en");
    const findings = `${number(all)} finding${all === 1 ? "" : "s"}`;
    count.textContent = narrowed ? `${number(shown)} of ${findings}` : findings;
    empty.hidden = shown > 0;
    if (narrowed && shown <= openUpTo) for (const file of matching) file.open = true;
  };

  let waiting = 0;
  text.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(apply, 120); });
  for (const control of [kind, rule, ...boxes]) control.addEventListener("change", apply);
  unfold.addEventListener("click", () => {
    const open = unfold.textContent === "Unfold all";
    for (const file of document.querySelectorAll("#files-list > .file:not([hidden])")) file.open = open;
    unfold.textContent = open ? "Fold all" : "Unfold all";
  });
  addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      text.focus();
    }
  });
  bar.hidden = false;
})();
