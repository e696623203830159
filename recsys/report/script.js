"use strict";
// Everything here is a comfort: without it the page says the same, in the language it was made in.
(() => {
  const KEY = "recsys-report";
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  const kept = (() => {
    try { return JSON.parse(localStorage.getItem(KEY)) || {}; } catch { return {}; }
  })();
  const keep = (name, value) => {
    kept[name] = value;
    try { localStorage.setItem(KEY, JSON.stringify(kept)); } catch { /* a page may be opened where nothing is kept */ }
  };

  // Language and theme: radio buttons choose, the style sheet follows, and the choice is remembered here.
  // Whoever changes the language stays at the same part: where that is has to be known before the page changes.
  const inUse = () => document.querySelector(".page[lang='" + document.documentElement.lang + "']");
  let place = null;
  addEventListener("scroll", () => {
    const seen = all("section[id]", inUse()).find((part) => part.getBoundingClientRect().bottom > 80);
    place = seen && { id: seen.id, top: seen.getBoundingClientRect().top };
  }, { passive: true });
  const speak = (lang) => {
    document.documentElement.lang = lang;
    document.title = inUse().dataset.title;
    const same = place && document.getElementById(place.id.replace(/[a-z]+$/, lang));
    if (same) window.scrollBy({ top: same.getBoundingClientRect().top - place.top, behavior: "instant" });
  };
  for (const radio of all(".switches input")) {
    if (kept[radio.name] === radio.value) radio.checked = true;
    radio.addEventListener("change", () => {
      keep(radio.name, radio.value);
      if (radio.name === "lang") speak(radio.value);
    });
    if (radio.name === "lang" && radio.checked) speak(radio.value);
  }

  // Tables: a heading sorts, a field filters; the order of the page comes back with the third press.
  const worth = (cell) => {
    const text = cell.textContent.trim();
    const number = parseFloat(text.replace(/[,+%<>]/g, ""));
    return { text, number: /^[+\-<>]?[\d,.]/.test(text) ? number : NaN };
  };
  const compare = (a, b) => {
    if (!isNaN(a.number) && !isNaN(b.number)) return a.number - b.number;
    if (isNaN(a.number) !== isNaN(b.number)) return isNaN(a.number) ? 1 : -1;
    return a.text.localeCompare(b.text, document.documentElement.lang);
  };
  const sortable = (table) => {
    const body = table.tBodies[0], asMade = [...body.rows], heads = [...table.tHead.rows[0].cells];
    if (asMade.length < 3) return;
    heads.forEach((head, column) => {
      if (!head.textContent.trim()) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const next = { none: "ascending", ascending: "descending", descending: "none" }[head.ariaSort || "none"];
        for (const other of heads) other.removeAttribute("aria-sort");
        if (next !== "none") head.ariaSort = next;
        const sign = next === "descending" ? -1 : 1;
        const rows = [...asMade];
        if (next !== "none") rows.sort((a, b) => sign * compare(worth(a.cells[column]), worth(b.cells[column])));
        body.append(...rows);
      });
    });
  };
  const filterable = (table) => {
    const rows = [...table.tBodies[0].rows];
    if (rows.length < 10) return;
    const field = document.createElement("input");
    field.type = "search";
    field.className = "filter";
    field.placeholder = field.ariaLabel = table.closest(".page").dataset.filter;
    field.addEventListener("input", () => {
      const words = field.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
      for (const row of rows) {
        const text = row.textContent.toLocaleLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      }
    });
    table.closest(".scroll").before(field);
  };
  for (const table of all("table.sortable")) { sortable(table); filterable(table); }

  // Charts: a value is told under the pointer, and with the arrow keys once a chart has the focus.
  const chart = (figure) => {
    const marks = all("svg title", figure).map((title) => {
      const mark = title.parentElement;
      mark.dataset.tip = title.textContent;
      title.remove();
      return mark;
    });
    if (!marks.length) return;
    const tip = document.createElement("output");
    tip.className = "tip";
    tip.hidden = true;
    figure.append(tip);
    let at = -1;
    const show = (index) => {
      if (at >= 0) marks[at].classList.remove("here");
      at = index;
      tip.hidden = at < 0;
      if (at < 0) return;
      const mark = marks[at], box = mark.getBoundingClientRect(), frame = figure.getBoundingClientRect();
      mark.classList.add("here");
      tip.textContent = mark.dataset.tip;
      const half = tip.offsetWidth / 2, middle = box.left + box.width / 2 - frame.left;
      tip.style.left = Math.max(half, Math.min(frame.width - half, middle)) + "px";
      tip.style.top = Math.max(0, box.top - frame.top) + "px";
    };
    marks.forEach((mark, index) => mark.addEventListener("pointerenter", () => show(index)));
    figure.addEventListener("pointerleave", () => show(-1));
    figure.addEventListener("blur", () => show(-1));
    figure.tabIndex = 0;
    figure.role = "group";
    figure.ariaLabel = figure.closest(".page").dataset.arrows;
    figure.addEventListener("keydown", (event) => {
      const last = marks.length - 1;
      const next = { ArrowRight: Math.min(at + 1, last), ArrowLeft: at < 0 ? last : Math.max(at - 1, 0), Home: 0, End: last, Escape: -1 }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      show(next);
    });
  };
  all("figure").forEach(chart);

  // On paper everything is open.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all("details:not([open])");
    for (const part of opened) part.open = true;
  });
  addEventListener("afterprint", () => { for (const part of opened) part.open = false; });
})();
