"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const PAGE = 50;
  const WORDS = ["keep", "revoke", "change_role", "dont_know"];
  const SAID = { keep: "keep", revoke: "revoke", change_role: "change role", dont_know: "don't know" };
  const ROLES = ["admin", "member", "guest"];
  const KEPT = "asana-access-review:" + data.review_sha256;
  const order = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  // What was read, with what is searched in.
  const rows = data.rows.map((cells) => {
    const [row, account, email, name, role, status, joined, hr, changed, before, findings, recommended, reason, reviewer] = cells;
    return {
      row, account, email, name, role, status, joined, hr, changed, before, findings, recommended, reason, reviewer,
      who: name || email || account,
      text: [row, account, email, name, role, status, hr, changed, findings, reason].join("\n").toLowerCase(),
    };
  });

  // What the reviewer did: by row number the decision, the new role, the note, when. Nothing else is kept.
  let decisions = new Map();
  let me = data.reviewers.length === 1 && !data.anybody ? 0 : null;
  let view = [];
  let page = 0;
  let sort = { by: "", down: false };
  let active = null;
  let isKept = true;
  let unsaved = false;

  function recall() {
    try {
      const kept = JSON.parse(localStorage.getItem(KEPT) || "null");
      if (kept && kept.v === 1) {
        for (const [row, of] of kept.d) decisions.set(row, of);
        if (kept.who !== null) me = kept.who;
      }
    } catch { isKept = false; }
  }
  function keep() {
    try {
      localStorage.setItem(KEPT, JSON.stringify({ v: 1, who: me, d: [...decisions] }));
      isKept = true;
    } catch { isKept = false; }
    at("trouble").hidden = isKept;
    if (!isKept) at("trouble").textContent = "This browser keeps nothing for this page: save your decisions as a file before you close it.";
  }

  const of = (row) => decisions.get(row.row) || ["", "", "", ""];
  const lacksNote = (row) => { const [decision, , note] = of(row); return decision !== "" && decision !== "keep" && !note.trim(); };
  const lacksRole = (row) => { const [decision, role] = of(row); return decision === "change_role" && (!role || role === row.role); };
  const isMine = (row) => me !== null && (row.reviewer === me || row.reviewer === -1);
  const mine = () => rows.filter(isMine);

  function el(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null) made.setAttribute(name, value);
    }
    made.append(...children.filter((child) => child !== null && child !== ""));
    return made;
  }

  function drawn(row) {
    const [decision, role, note] = of(row);
    const name = "d" + row.row;
    const choices = WORDS.map((word) => el("label", {}, el("input", { type: "radio", name, value: word, checked: decision === word }), SAID[word]));
    const fields = el("fieldset", {}, el("legend", {}, "Decision about " + row.who), el("div", { class: "choice" }, ...choices));
    if (decision === "change_role") {
      const select = el("select", { "aria-invalid": lacksRole(row) ? "true" : null }, el("option", { value: "" }, "choose"), ...ROLES.filter((r) => r !== row.role).map((r) => el("option", { value: r, selected: r === role }, r)));
      fields.append(el("label", {}, "New role ", select));
    }
    if (decision !== "" && (decision !== "keep" || note)) {
      const text = el("textarea", { rows: "1", "aria-invalid": lacksNote(row) ? "true" : null });
      text.value = note;
      fields.append(el("label", {}, decision === "keep" ? "Note" : "Why (needed)", text));
    }
    const made = el("tr", { "data-row": row.row, tabindex: row.row === active ? "0" : "-1", class: rowClass(row) },
      el("th", { scope: "row" }, el("bdi", { class: "who" }, row.who), row.name && row.email ? el("bdi", { class: "mail" }, row.email) : "", el("code", {}, row.account)),
      el("td", {}, el("bdi", {}, row.role + ", " + row.status)),
      el("td", { class: "day" }, row.joined || el("span", { class: "none" }, "not known")),
      el("td", {}, row.hr ? el("bdi", {}, row.hr) : el("span", { class: "none" }, "no record")),
      el("td", {}, el("bdi", {}, row.changed), row.before ? el("small", {}, "decided then: " + SAID[row.before]) : ""),
      el("td", { class: "long" }, row.findings ? el("strong", {}, row.findings) : "", el("span", { class: "reason" }, SAID[row.recommended] + ": " + row.reason)),
      el("td", {}, fields));
    return made;
  }
  function rowClass(row) {
    if (lacksNote(row) || lacksRole(row)) return "lacking";
    return of(row)[0] ? "decided" : "";
  }

  const KEYS = {
    who: (row) => row.who, role: (row) => row.role + row.status, joined: (row) => row.joined, hr: (row) => row.hr,
    changed: (row) => row.changed, finding: (row) => row.findings + " " + row.recommended, decision: (row) => of(row)[0],
  };

  function refilter() {
    const find = at("find").value.trim().toLowerCase();
    const state = at("state").value;
    const role = at("role").value;
    const flagged = at("flagged").checked;
    const changed = at("changed").checked;
    view = rows.filter((row) => {
      if (!isMine(row)) return false;
      if (find && !row.text.includes(find)) return false;
      if (role && row.role !== role) return false;
      if (flagged && !row.findings) return false;
      if (changed && (row.changed === "unchanged" || row.changed === data.no_review_before)) return false;
      const decision = of(row)[0];
      if (state === "open") return !decision;
      if (state === "done") return decision !== "";
      if (state === "note") return lacksNote(row) || lacksRole(row);
      return !state || decision === state;
    });
    if (sort.by) {
      const key = KEYS[sort.by];
      const keyed = view.map((row) => [key(row), row]);
      keyed.sort((a, b) => order.compare(a[0], b[0]) || a[1].row - b[1].row);
      if (sort.down) keyed.reverse();
      view = keyed.map((pair) => pair[1]);
    }
    page = 0;
    active = view.length ? view[0].row : null;
    draw();
  }
  function draw() {
    const pages = Math.max(1, Math.ceil(view.length / PAGE));
    page = Math.min(page, pages - 1);
    at("rows").replaceChildren(...view.slice(page * PAGE, page * PAGE + PAGE).map(drawn));
    at("shown").textContent = view.length + " of your " + mine().length + " rows";
    at("page").textContent = "Page " + (page + 1) + " of " + pages;
    at("before").disabled = page === 0;
    at("after").disabled = page === pages - 1;
    count();
  }
  function count() {
    const all = mine();
    const decided = all.filter((row) => of(row)[0] !== "").length;
    at("bar").max = Math.max(1, all.length);
    at("bar").value = decided;
    at("counted").textContent = decided + " of " + all.length;
  }
  const drawnRow = (number) => at("rows").querySelector('tr[data-row="' + number + '"]');
  const byNumber = (number) => rows[number - 1];

  function redraw(number, focusOn) {
    const old = drawnRow(number);
    if (!old) return;
    const made = drawn(byNumber(number));
    old.replaceWith(made);
    if (focusOn) (made.querySelector(focusOn) || made).focus();
    count();
  }
  function decide(number, word, focusOn) {
    const row = byNumber(number);
    const [decision, role, note] = of(row);
    if (decision !== word) {
      decisions.set(number, [word, word === "change_role" ? role : "", note, now()]);
      unsaved = true;
      keep();
    }
    redraw(number, focusOn);
    at("said").textContent = row.who + ": " + SAID[word] + (lacksNote(row) ? ", and why?" : "");
  }
  const now = () => new Date().toISOString().slice(0, 19) + "Z";

  function activate(number, isFocused) {
    const place = view.findIndex((row) => row.row === number);
    if (place < 0) return;
    const before = active;
    active = number;
    const wanted = Math.floor(place / PAGE);
    if (wanted !== page || !drawnRow(number)) { page = wanted; draw(); }
    const old = drawnRow(before);
    if (old) old.tabIndex = -1;
    const tr = drawnRow(number);
    tr.tabIndex = 0;
    if (isFocused) { tr.focus(); tr.scrollIntoView({ block: "nearest" }); }
  }
  function step(by) {
    const place = view.findIndex((row) => row.row === active);
    const next = view[place + by];
    if (next) activate(next.row, true);
  }
  function nextUndecided() {
    const place = view.findIndex((row) => row.row === active);
    const ahead = view.slice(place + 1).concat(view.slice(0, place + 1));
    const next = ahead.find((row) => !of(row)[0]);
    if (next) activate(next.row, true);
    else at("said").textContent = "Nothing here is left undecided.";
  }

  function numberOf(target) {
    const tr = target.closest ? target.closest("tr[data-row]") : null;
    return tr ? Number(tr.dataset.row) : null;
  }
  function onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const target = event.target;
    const isText = target.matches("textarea, select, input:not([type=radio]):not([type=checkbox])");
    const number = numberOf(target);
    if (event.key === "Escape" && isText && number !== null) { activate(number, true); return; }
    if (isText) return;
    if (event.key === "/") { event.preventDefault(); at("find").focus(); return; }
    if (event.key === "u") { event.preventDefault(); nextUndecided(); return; }
    const isArrow = event.key === "ArrowDown" || event.key === "ArrowUp";
    const isRow = target.matches("tr[data-row]");
    if (number === null || (isArrow && !isRow)) return;
    if (event.key === "j" || event.key === "ArrowDown") { event.preventDefault(); step(1); }
    else if (event.key === "k" || event.key === "ArrowUp") { event.preventDefault(); step(-1); }
    else if (event.key === "n") {
      event.preventDefault();
      const text = drawnRow(number).querySelector("textarea");
      if (text) text.focus();
    } else if (event.key >= "1" && event.key <= "4") {
      event.preventDefault();
      const word = WORDS[Number(event.key) - 1];
      decide(number, word, word === "keep" ? null : word === "change_role" ? "select" : "textarea");
      if (word === "keep") activate(number, true);
    }
  }

  function address() {
    if (me === null) return "";
    return me < data.reviewers.length ? data.reviewers[me] : at("other").value.trim();
  }
  function save() {
    const who = address();
    if (!/^[^\s@]+@[^\s@]+$/.test(who)) {
      at("said").textContent = "Say first who you are.";
      (at("other-label").hidden ? at("reviewer") : at("other")).focus();
      return;
    }
    const all = mine();
    const lacking = all.filter((row) => lacksNote(row) || lacksRole(row));
    if (lacking.length) {
      at("said").textContent = lacking.length + " row(s) still need a note or a new role; they are shown now. Everything but keep needs its reason.";
      at("find").value = ""; at("role").value = ""; at("flagged").checked = false; at("changed").checked = false;
      at("state").value = "note";
      refilter();
      activate(view[0].row, true);
      return;
    }
    const own = all.filter((row) => who.toLowerCase() === row.email.toLowerCase() && of(row)[0]);
    if (own.length) {
      at("said").textContent = "Row " + own[0].row + " is your own account: somebody else decides it.";
      return;
    }
    const decided = all.filter((row) => of(row)[0]);
    const head = { schema: "asana-access-review/decisions/v1", review: data.review, review_sha256: data.review_sha256, reviewer: who, exported_at: now(), decisions: decided.length };
    const lines = decided.map((row) => {
      const [decision, role, note, when] = of(row);
      return { row: row.row, account_id: row.account, decision, new_role: role || null, note: note.trim(), decided_at: when };
    });
    const text = [head, ...lines].map((line) => JSON.stringify(line)).join("\n") + "\n";
    const link = el("a", { href: URL.createObjectURL(new Blob([text], { type: "application/jsonl" })), download: data.review + "." + who.replace(/[^A-Za-z0-9]+/g, "-") + ".decisions.jsonl" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    unsaved = false;
    const left = all.length - decided.length;
    at("said").textContent = decided.length + " decision(s) saved as a file." + (left ? " " + left + " row(s) are still undecided." : " That is every row of yours.");
  }

  function fill() {
    const select = at("reviewer");
    select.append(el("option", { value: "" }, "choose"));
    data.reviewers.forEach((who, place) => select.append(el("option", { value: place }, who)));
    if (data.anybody) select.append(el("option", { value: data.reviewers.length }, "somebody else"));
    at("role").append(el("option", { value: "" }, "every role"), ...[...new Set(rows.map((row) => row.role))].sort().map((role) => el("option", { value: role }, role)));
    select.value = me === null ? "" : String(me);
    at("other-label").hidden = me !== data.reviewers.length;
  }
  function listen() {
    at("reviewer").addEventListener("change", () => {
      me = at("reviewer").value === "" ? null : Number(at("reviewer").value);
      at("other-label").hidden = me !== data.reviewers.length;
      keep();
      refilter();
    });
    for (const id of ["state", "role", "flagged", "changed"]) at(id).addEventListener("change", refilter);
    at("find").addEventListener("input", refilter);
    at("next").addEventListener("click", nextUndecided);
    at("save").addEventListener("click", save);
    at("before").addEventListener("click", () => { page -= 1; draw(); });
    at("after").addEventListener("click", () => { page += 1; draw(); });
    for (const th of document.querySelectorAll("th[data-sort]")) {
      th.firstElementChild.addEventListener("click", () => {
        sort = { by: th.dataset.sort, down: sort.by === th.dataset.sort && !sort.down };
        for (const other of document.querySelectorAll("th[data-sort]")) other.removeAttribute("aria-sort");
        th.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
        refilter();
      });
    }
    at("rows").addEventListener("change", (event) => {
      const number = numberOf(event.target);
      if (event.target.type === "radio") decide(number, event.target.value, 'input[value="' + event.target.value + '"]');
      else if (event.target.matches("select")) {
        const [decision, , note] = of(byNumber(number));
        decisions.set(number, [decision, event.target.value, note, now()]);
        unsaved = true;
        keep();
        redraw(number, "textarea");
      }
    });
    at("rows").addEventListener("input", (event) => {
      if (!event.target.matches("textarea")) return;
      const number = numberOf(event.target);
      const [decision, role] = of(byNumber(number));
      decisions.set(number, [decision, role, event.target.value, now()]);
      unsaved = true;
      keep();
      const row = byNumber(number);
      event.target.toggleAttribute("aria-invalid", false);
      if (lacksNote(row)) event.target.setAttribute("aria-invalid", "true");
      drawnRow(number).className = rowClass(row);
    });
    at("rows").addEventListener("focusin", (event) => {
      const number = numberOf(event.target);
      if (number !== null && number !== active) {
        const old = drawnRow(active);
        if (old) old.tabIndex = -1;
        active = number;
        drawnRow(number).tabIndex = 0;
      }
    });
    document.addEventListener("keydown", onKey);
    addEventListener("beforeunload", (event) => { if (unsaved && !isKept) event.preventDefault(); });
  }

  recall();
  fill();
  listen();
  refilter();
})();
