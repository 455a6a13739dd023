"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const PAGE = 50;
  // In the order of the keys. Without readable roles, no role can be changed.
  const WORDS = ["keep", "revoke", "change_role", "dont_know"].map((word) => data.decisions.includes(word) ? word : "");
  const LABELS = { keep: "keep", revoke: "revoke", change_role: "change role", dont_know: "don't know" };
  const ROLES = ["admin", "member", "guest"];
  const SCHEMA = "asana-access-review/decisions/v1";
  const KEPT = "asana-access-review:" + data.review_sha256;
  // A person who is not on the list: any person if there is no list, else a deputy of a reviewer.
  const OTHER = data.reviewers.length;
  const order = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  // The rows, each with its text for the search.
  const rows = data.rows.map((cells) => {
    const [row, account, email, name, role, status, joined, hr, place, changed, before, findings, facts, recommended, reason, needed, reviewer, others] = cells;
    return {
      row, account, email, name, role, status, joined, hr, place, changed, before, findings, facts, recommended, reason, needed, reviewer,
      who: name || email || account,
      owners: [email, ...others].filter((address) => address.includes("@")).map(person),
      text: [row, account, email, name, role, status, hr, place, changed, findings, ...facts, reason, ...others].join("\n").toLowerCase(),
    };
  });
  const byNumber = (number) => rows[number - 1];

  // By row number: the decision ("" if it was cleared), the new role, the note, the time of the decision, and the time
  // of the change in this browser. Nothing else is kept.
  let decisions = new Map();
  // Rows that changed since the last saved file of this reviewer.
  let unfiled = new Set();
  let me = data.without_reviewer ? OTHER : data.reviewers.length === 1 ? 0 : null;
  let place = data.reviewers.length === 1 ? 0 : null;
  let view = [];
  let page = 0;
  let sort = { by: "", down: false };
  let active = null;
  let noting = null;
  let offered = null;
  let isKept = true;
  // Whether closing the tab would lose decisions.
  let isAtRisk = false;

  function kept() {
    const found = JSON.parse(localStorage.getItem(KEPT) || "null");
    if (!found || found.v !== 2) return null;
    const isEntry = ([row, of]) => byNumber(row) && ["", ...WORDS].includes(of[0]);
    return { ...found, d: found.d.filter(isEntry), f: new Set(found.f) };
  }
  function recall() {
    try {
      const found = kept();
      if (found) {
        decisions = new Map(found.d);
        unfiled = found.f;
        if (found.who !== null && found.who <= OTHER) me = found.who;
        if (found.place !== null && found.place < OTHER) place = found.place;
      }
      localStorage.setItem(KEPT + ":probe", "1");
      localStorage.removeItem(KEPT + ":probe");
    } catch { isKept = false; }
  }
  function keep() {
    try {
      localStorage.setItem(KEPT, JSON.stringify({ v: 2, who: me, place, d: [...decisions], f: [...unfiled] }));
      isKept = true;
    } catch { isKept = false; }
    isAtRisk = !isKept;
    warn();
  }
  function warn() {
    const text = isKept ? "" : "This browser keeps nothing for this page: its storage is off or full. Save your decisions as a file before you close the page; you can load that file later.";
    if (at("storage").textContent !== text) at("storage").textContent = text;
    at("storage").hidden = isKept;
  }
  // Takes over newer decisions from another tab of this page. For each row, the later change counts.
  function adopt() {
    let found = null;
    try { found = kept(); } catch { return; }
    if (!found) return;
    let isChanged = false;
    for (const [number, theirs] of found.d) {
      const own = decisions.get(number);
      if (own && own[4] > theirs[4]) continue;
      if (found.f.has(number)) unfiled.add(number); else unfiled.delete(number);
      if (own && own[4] === theirs[4]) continue;
      decisions.set(number, theirs);
      isChanged = true;
      const focused = numberOf(document.activeElement) === number ? fieldOf(document.activeElement) : null;
      redraw(number, focused);
    }
    count();
    if (isChanged) report("Loaded newer decisions from another tab of this page.");
  }

  const of = (row) => decisions.get(row.row) || ["", "", "", "", 0];
  // A reason has at least one letter.
  const isReason = (note) => /\p{Alphabetic}/u.test(note);
  const needsNote = (row, decision) => decision !== "" && (decision !== "keep" || row.needed !== "");
  const lacksNote = (row) => { const [decision, , note] = of(row); return needsNote(row, decision) && !isReason(note); };
  const lacksRole = (row) => { const [decision, role] = of(row); return decision === "change_role" && (!role || role === row.role); };
  const lacks = (row) => lacksNote(row) || lacksRole(row);
  const isOpen = (row) => !of(row)[0] || lacks(row);
  // Addresses with different plus tags belong to one person.
  function person(address) { return address.trim().toLowerCase().replace(/\+[^@]*(?=@)/, ""); }
  function address() {
    if (me === null) return "";
    return me < OTHER ? data.reviewers[me] : at("other").value.trim();
  }
  const isAddress = (text) => /^[^\s@]+@[^\s@]+$/.test(text);
  const isAssigned = (row) => row.reviewer === -1 || (me !== null && row.reviewer === (me < OTHER ? me : place));
  const owned = () => { const self = person(address()); return (row) => row.owners.includes(self); };
  function mine() { const isOwn = owned(); return me === null ? [] : rows.filter((row) => isAssigned(row) && !isOwn(row)); }
  const counted = (number, one, more) => number + " " + (number === 1 ? one : more);
  const short = (text) => { const letters = [...text]; return letters.length > 60 ? letters.slice(0, 59).join("") + "…" : text; };
  const now = () => new Date().toISOString().slice(0, 19) + "Z";

  function set(number, decision, role, note, when, isFiled) {
    const before = decisions.get(number);
    decisions.set(number, [decision, role, note, when, Math.max(Date.now(), before ? before[4] + 1 : 0)]);
    if (isFiled) unfiled.delete(number); else unfiled.add(number);
  }

  function el(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null) made.setAttribute(name, value);
    }
    made.append(...children.filter((child) => child !== null && child !== ""));
    return made;
  }
  // A long address breaks after its @, not in the middle of a word.
  const parts = (text) => text.split("@").flatMap((part, place, all) => [place ? el("wbr") : "", part + (place < all.length - 1 ? "@" : "")]);
  const name = (text) => el("bdi", {}, short(text));
  function report(...parts) { at("message").replaceChildren(...parts); }

  const linesOf = (note) => Math.min(8, note.split("\n").reduce((lines, line) => lines + 1 + Math.floor(line.length / 32), 0));

  function fieldset(row) {
    const [decision, role, note] = of(row);
    const choices = WORDS.filter(Boolean).map((word) => el("label", {}, el("input", { type: "radio", name: "d" + row.row, value: word, checked: decision === word }), LABELS[word]));
    const isNoted = decision !== "" && (needsNote(row, decision) || note !== "" || noting === row.row);
    if (decision && !isNoted) choices.push(el("button", { type: "button", class: "add", "aria-label": "Note about " + row.who }, "Note"));
    if (decision) choices.push(el("button", { type: "button", class: "clear", "aria-label": "Clear the decision about " + row.who }, "Clear"));
    const made = el("fieldset", {}, el("legend", {}, "Decision about " + row.who), el("div", { class: "choice" }, ...choices));
    if (decision === "change_role") {
      const roles = ROLES.filter((r) => r !== row.role).map((r) => el("label", {}, el("input", { type: "radio", name: "r" + row.row, value: r, checked: r === role }), r));
      made.append(el("fieldset", { class: "roles", role: "radiogroup", "aria-invalid": lacksRole(row) ? "true" : null }, el("legend", {}, "New role (needed)"), el("div", { class: "choice" }, ...roles)));
    }
    if (isNoted) {
      const text = el("textarea", { rows: linesOf(note), dir: "auto", "aria-invalid": lacksNote(row) ? "true" : null });
      text.value = note;
      const why = decision !== "keep" ? "Why (needed)" : row.needed ? "Why keep (needed for " + row.needed + ")" : "Note";
      made.append(el("label", {}, why, text));
    }
    return made;
  }
  // The decision, for a print.
  function printed(row) {
    const [decision, role, note] = of(row);
    if (!decision) return el("span", { class: "none" }, "undecided");
    return el("span", {}, el("strong", {}, LABELS[decision] + (role ? " to " + role : "")), note ? el("bdi", {}, note) : lacksNote(row) ? el("bdi", {}, "(missing note)") : "");
  }
  function drawn(row, isPrinted) {
    const cell = (label, attributes, ...children) => el("td", { role: "cell", "data-label": label, ...attributes }, ...children);
    return el("tr", { role: "row", "data-row": row.row, tabindex: row.row === active ? "0" : "-1", class: rowClass(row) },
      el("th", { scope: "row", role: "rowheader" }, el("bdi", { class: "who" }, ...parts(row.who)), row.name && row.email ? el("bdi", { class: "mail" }, ...parts(row.email)) : "", el("code", {}, row.account)),
      cell("Role, status", {}, el("bdi", {}, row.role + ", " + row.status)),
      cell("Joined", { class: "day" }, row.joined || el("span", { class: "none" }, "unknown")),
      cell("In HR", {}, row.hr ? el("bdi", {}, row.hr) : el("span", { class: "none" }, "no record"), row.place ? el("small", {}, el("bdi", {}, row.place)) : ""),
      cell("Since the last review", { class: "since" }, el("bdi", {}, ...parts(row.changed)), row.before ? el("small", {}, "previous decision: " + LABELS[row.before]) : ""),
      cell("Evidence", { class: "long" }, row.findings ? el("strong", {}, row.findings) : "", ...row.facts.map((fact) => el("bdi", { class: "fact" }, fact)), el("span", { class: "reason" }, (row.recommended ? "suggests " + LABELS[row.recommended] + ": " : "") + row.reason)),
      el("td", { role: "cell", class: "decision" }, isPrinted ? printed(row) : fieldset(row)));
  }
  function rowClass(row) {
    if (lacks(row)) return "lacking";
    return of(row)[0] ? "decided" : null;
  }

  const KEYS = {
    who: (row) => row.who, role: (row) => row.role + row.status, joined: (row) => row.joined, hr: (row) => row.hr,
    changed: (row) => row.changed, finding: (row) => row.findings + " " + row.facts.join(" ") + " " + row.recommended, decision: (row) => of(row)[0],
  };

  // Decided rows stay in place until the filter changes, so that no row disappears during work.
  function refilter(isFromTop) {
    const find = at("find").value.trim().toLowerCase();
    const state = at("state").value;
    const role = at("role").value;
    const flagged = at("flagged").checked;
    const changed = at("changed").checked;
    const all = mine();
    view = all.filter((row) => {
      if (find && !row.text.includes(find)) return false;
      if (role && row.role !== role) return false;
      if (flagged && !row.findings && !row.facts.length) return false;
      if (changed && (row.changed === "unchanged" || row.changed === data.no_review_before)) return false;
      const decision = of(row)[0];
      if (state === "open") return !decision;
      if (state === "done") return decision !== "";
      if (state === "note") return lacks(row);
      if (state === "reason") return row.needed !== "";
      return !state || decision === state;
    });
    if (sort.by) {
      const key = KEYS[sort.by];
      const keyed = view.map((row) => [key(row), row]);
      keyed.sort((a, b) => order.compare(a[0], b[0]) || a[1].row - b[1].row);
      if (sort.down) keyed.reverse();
      view = keyed.map((pair) => pair[1]);
    }
    const stays = isFromTop === true ? -1 : view.findIndex((row) => row.row === active);
    page = Math.floor(Math.max(0, stays) / PAGE);
    if (stays < 0) active = view.length ? view[0].row : null;
    draw(all);
  }
  const unfiltered = () => !at("find").value.trim() && !at("state").value && !at("role").value && !at("flagged").checked && !at("changed").checked;
  function showAll(state) {
    at("find").value = ""; at("role").value = ""; at("flagged").checked = false; at("changed").checked = false;
    at("state").value = state;
    refilter();
  }
  function draw(all = mine()) {
    const pages = Math.max(1, Math.ceil(view.length / PAGE));
    page = Math.min(page, pages - 1);
    at("rows").replaceChildren(...view.slice(page * PAGE, page * PAGE + PAGE).map((row) => drawn(row)));
    at("shown").textContent = view.length + " of your " + counted(all.length, "row", "rows");
    at("page").textContent = "Page " + (page + 1) + " of " + pages;
    at("before").disabled = page === 0;
    at("after").disabled = page === pages - 1;
    at("pages").hidden = pages === 1;
    at("scroll").hidden = view.length === 0;
    at("none").hidden = view.length !== 0;
    at("all").hidden = unfiltered();
    at("nothing").textContent = me === null ? "Choose above who you are, to see the rows that you decide."
      : all.length === 0 ? (me === OTHER && !data.without_reviewer && place === null ? "Choose above whom you replace." : "You have no rows to decide.")
      : "None of your " + counted(all.length, "row", "rows") + " fits the filter.";
    count(all);
  }
  function count(all = mine()) {
    const decided = all.filter((row) => of(row)[0] !== "").length;
    const lacking = all.filter(lacks).length;
    const fresh = all.filter((row) => unfiled.has(row.row)).length;
    at("bar").max = Math.max(1, all.length);
    at("bar").value = decided;
    at("counted").textContent = decided + " of " + all.length;
    at("lacking").textContent = lacking ? counted(lacking, "needs", "need") + " a note or a role" : "";
    at("filed").textContent = fresh ? counted(fresh, "change", "changes") + " not in a file yet" : decided ? "All saved as a file" : "";
    const isOwn = owned();
    const own = rows.filter((row) => isAssigned(row) && isOwn(row));
    at("own").hidden = own.length === 0;
    at("own").textContent = own.length === 1 ? "Row " + own[0].row + " is your own account. Another person decides it, so it is not shown here."
      : "Rows " + own.map((row) => row.row).join(", ") + " are your own accounts. Another person decides them, so they are not shown here.";
  }
  const drawnRow = (number) => at("rows").querySelector('tr[data-row="' + number + '"]');

  function redraw(number, focusOn) {
    const old = drawnRow(number);
    if (!old) return;
    const made = drawn(byNumber(number));
    old.replaceWith(made);
    if (focusOn) (made.querySelector(focusOn) || made).focus();
    count();
  }
  function fieldOf(element) {
    if (element.matches("textarea")) return element.localName;
    if (element.matches(".clear, .add")) return "." + element.className;
    return element.type === "radio" ? 'input[value="' + element.value + '"]' : "tr";
  }
  function decide(number, word, focusOn) {
    const row = byNumber(number);
    const [decision, role, note] = of(row);
    if (decision !== word) {
      set(number, word, word === "change_role" ? role : "", note, now());
      keep();
    }
    redraw(number, focusOn);
    describe(row);
  }
  function setRole(number, role, focusOn) {
    const row = byNumber(number);
    const [decision, , note] = of(row);
    if (role === row.role) { report(name(row.who), ": the account has this role already."); return; }
    set(number, decision, role, note, now());
    keep();
    redraw(number, focusOn);
    describe(row);
  }
  // Says what was decided, and what is missing.
  function describe(row) {
    const [decision, role] = of(row);
    const missing = [];
    if (lacksRole(row)) missing.push("choose the new role (" + ROLES.filter((r) => r !== row.role).map((r) => r[0] + " " + r).join(", ") + ")");
    if (lacksNote(row)) missing.push("write the reason (n)");
    report(name(row.who), ": " + LABELS[decision] + (role ? " to " + role : "") + (missing.length ? "; " + missing.join(", and ") : ""));
  }
  function clear(number) {
    const row = byNumber(number);
    if (!of(row)[0]) return;
    if (noting === number) noting = null;
    set(number, "", "", "", now());
    keep();
    redraw(number, "tr");
    report(name(row.who), ": undecided");
  }
  function note(number) {
    if (!of(byNumber(number))[0]) { report("Decide first, then add a note: 1 keep, 2 revoke, 3 change role, 4 don't know."); return; }
    noting = number;
    redraw(number, "textarea");
  }

  function activate(number, isFocused) {
    const where = view.findIndex((row) => row.row === number);
    if (where < 0) return;
    const before = active;
    active = number;
    const wanted = Math.floor(where / PAGE);
    if (wanted !== page || !drawnRow(number)) { page = wanted; draw(); }
    const old = drawnRow(before);
    if (old) old.tabIndex = -1;
    const tr = drawnRow(number);
    tr.tabIndex = 0;
    // A message may have made the bar taller just now.
    if (isFocused) { measure(); tr.focus({ preventScroll: true }); tr.scrollIntoView({ block: "nearest" }); }
  }
  function step(by) {
    const where = view.findIndex((row) => row.row === active);
    const next = view[where + by];
    if (next) activate(next.row, true);
    else report(by > 0 ? "This is the last visible row." : "This is the first visible row.");
  }
  function nextUndecided() {
    const where = view.findIndex((row) => row.row === active);
    // The active row counts too, unless it has the focus.
    const from = numberOf(document.activeElement) === active ? where + 1 : Math.max(0, where);
    const ahead = view.slice(from).concat(view.slice(0, from));
    const next = ahead.find(isOpen);
    if (next) { activate(next.row, true); return; }
    const left = mine().filter(isOpen).length;
    if (left) report("Every visible row is decided; " + counted(left, "row", "rows") + " outside the filter " + (left === 1 ? "is" : "are") + " undecided.");
    else if (mine().length) { at("save").focus(); report("All your rows are decided. Press Enter to save the file, and send it back."); }
  }
  function turn(by) {
    activate(view[(page + by) * PAGE].row, true);
    drawnRow(active).scrollIntoView({ block: "start" });
  }

  function numberOf(target) {
    const tr = target && target.closest ? target.closest("tr[data-row]") : null;
    return tr ? Number(tr.dataset.row) : null;
  }
  function onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const target = event.target;
    const isText = target.matches("textarea, select, input:not([type=radio]):not([type=checkbox])");
    const isNowhere = target === document.body || target === document.documentElement;
    const number = isNowhere ? null : numberOf(target);
    if (event.key === "Escape" && number !== null) { activate(number, true); return; }
    if (event.key === "Enter" && target === at("find") && view.length) { event.preventDefault(); activate(view[page * PAGE].row, true); return; }
    if (isText || (event.key.length === 1 && !at("keys").checked)) return;
    if (event.key === "/") { event.preventDefault(); at("find").focus(); return; }
    if (event.key === "u") { event.preventDefault(); nextUndecided(); return; }
    if (event.key === "s") { event.preventDefault(); at("save").focus(); return; }
    if (isNowhere && (event.key === "j" || event.key === "k") && active !== null) { event.preventDefault(); activate(active, true); return; }
    const isArrow = event.key === "ArrowDown" || event.key === "ArrowUp";
    const isRow = target.matches("tr[data-row]");
    if (number === null || (isArrow && !isRow)) return;
    if (event.key === "j" || event.key === "ArrowDown") { event.preventDefault(); step(1); }
    else if (event.key === "k" || event.key === "ArrowUp") { event.preventDefault(); step(-1); }
    else if (event.key === "n") { event.preventDefault(); note(number); }
    else if (event.key === "0") { event.preventDefault(); clear(number); }
    else if (event.key >= "1" && event.key <= "4") {
      event.preventDefault();
      const word = WORDS[Number(event.key) - 1];
      if (!word) { report("This review has no roles to change."); return; }
      decide(number, word, fieldOf(target));
    } else if (of(byNumber(number))[0] === "change_role") {
      const role = ROLES.find((r) => r[0] === event.key);
      if (role) { event.preventDefault(); setRole(number, role, fieldOf(target)); }
    }
  }

  // The address of the reviewer. If it is missing, the page asks for it, and the focus goes there.
  function named() {
    const who = address();
    const isPlaced = me !== OTHER || data.without_reviewer || place !== null;
    if (isAddress(who) && isPlaced) return who;
    if (me === OTHER && isAddress(who)) { report("First choose whom you replace."); at("place").focus(); }
    else if (me === OTHER) { report("First enter your e-mail address."); at("other").focus(); }
    else { report("First choose who you are."); at("reviewer").focus(); }
    return null;
  }
  function save() {
    adopt();
    const who = named();
    if (who === null) return;
    const all = mine();
    const lacking = all.filter(lacks);
    if (lacking.length) {
      showAll("note");
      report("Not saved: " + counted(lacking.length, "row still needs a note or a new role, and is shown now", "rows still need a note or a new role, and are shown now") + ". Every decision except keep needs a reason in words" + (data.reason_for.length ? "; so does keep for " + data.reason_for.join(", ") : "") + ".");
      activate(view[0].row, true);
      return;
    }
    const decided = all.filter((row) => of(row)[0]);
    if (!decided.length) { report("Not saved: no row is decided yet."); return; }
    const head = { schema: SCHEMA, review: data.review, review_sha256: data.review_sha256, reviewer: who, exported_at: now(), decisions: decided.length };
    const lines = decided.map((row) => {
      const [decision, role, note, when] = of(row);
      return { row: row.row, account_id: row.account, decision, new_role: role || null, note: note.trim(), decided_at: when };
    });
    const text = [head, ...lines].map((line) => JSON.stringify(line)).join("\n") + "\n";
    const link = el("a", { href: URL.createObjectURL(new Blob([text], { type: "application/jsonl" })), download: data.review + "." + who.replace(/[^A-Za-z0-9]+/g, "-") + ".decisions.jsonl" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    for (const row of all) unfiled.delete(row.row);
    keep();
    count();
    const left = all.length - decided.length;
    report(counted(decided.length, "decision", "decisions") + " saved as a file, where your browser puts downloads. " + (left ? counted(left, "row is", "rows are") + " still undecided." : "All your rows are decided: send back this file, not an earlier one."));
  }

  // The lines of a file from this page, or an error for people.
  function read(bytes) {
    const refuse = (line, text) => { throw new Error((line ? "line " + line + ": " : "") + text); };
    const none = "it is not a file from this page. The name of such a file ends in .decisions.jsonl.";
    const parsed = (line, text, keys, otherwise) => {
      let found = null;
      try { found = JSON.parse(text); } catch { refuse(line, otherwise); }
      const isSuch = found !== null && typeof found === "object" && Object.keys(found).sort().join() === keys;
      return isSuch ? found : refuse(line, otherwise);
    };
    let text = "";
    try { text = new TextDecoder("utf-8", { fatal: true }).decode(bytes); } catch { refuse(0, none); }
    const lines = text.split("\n").map((line, place) => [place + 1, line.trim()]).filter((pair) => pair[1]);
    if (!lines.length) refuse(0, none);
    const head = parsed(0, lines[0][1], "decisions,exported_at,review,review_sha256,reviewer,schema", none);
    if (head.schema !== SCHEMA) refuse(0, none);
    if (String(head.review_sha256).toLowerCase() !== data.review_sha256) refuse(0, "it belongs to another review: its hash differs.");
    if (typeof head.reviewer !== "string" || !isAddress(head.reviewer)) refuse(0, "it does not name the reviewer.");
    if (head.decisions !== lines.length - 1) refuse(0, "its head promises " + counted(Number(head.decisions), "decision", "decisions") + ", but it has " + (lines.length - 1) + ": it was cut or changed.");
    const seen = new Set();
    const isOwn = owned();
    const entries = lines.slice(1).map(([line, json]) => {
      const entry = parsed(line, json, "account_id,decided_at,decision,new_role,note,row", "it is not a decision of this page.");
      const row = Number.isInteger(entry.row) ? byNumber(entry.row) : undefined;
      if (!row) refuse(line, "this review has no such row.");
      const prefix = "row " + row.row;
      if (entry.account_id !== row.account) refuse(line, prefix + " has another account in this review.");
      if (seen.has(row.row)) refuse(line, prefix + " is decided a second time.");
      seen.add(row.row);
      if (!isAssigned(row)) refuse(line, prefix + " belongs to another reviewer.");
      if (isOwn(row)) refuse(line, prefix + " is your own account.");
      if (!entry.decision || !WORDS.includes(entry.decision)) refuse(line, prefix + ": the decision must be " + WORDS.filter(Boolean).join(", ").replace(/, ([^,]*)$/, " or $1") + ".");
      const isRole = entry.decision === "change_role" ? ROLES.includes(entry.new_role) && entry.new_role !== row.role : entry.new_role === null;
      if (!isRole) refuse(line, prefix + ": the new role does not fit.");
      if (typeof entry.note !== "string" || (needsNote(row, entry.decision) && !isReason(entry.note))) refuse(line, prefix + ": the reason is missing.");
      if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(entry.decided_at) || Number.isNaN(Date.parse(entry.decided_at))) refuse(line, prefix + ": the time of the decision is missing.");
      return { row, decision: entry.decision, role: entry.new_role || "", note: entry.note.trim(), when: entry.decided_at };
    });
    return { who: head.reviewer, entries };
  }
  // The decisions of the file, compared with those of this page.
  function compared(entries) {
    const isSame = ({ row, decision, role, note }) => { const own = of(row); return own[0] === decision && own[1] === role && own[2].trim() === note; };
    const fresh = entries.filter((entry) => !of(entry.row)[0]);
    const same = entries.filter((entry) => of(entry.row)[0] && isSame(entry));
    const other = entries.filter((entry) => of(entry.row)[0] && !isSame(entry));
    return { fresh, same, other };
  }
  async function load(file) {
    withdraw();
    if (!file || named() === null) return;
    let found = null;
    try {
      if (file.size > 64 * 1024 * 1024) throw new Error("it is too large for a file from this page.");
      found = read(await file.arrayBuffer());
    } catch (error) {
      // For an unreadable file, the browser gives the reason.
      report(name(file.name), " was not loaded: " + (error instanceof DOMException ? "the browser could not read it." : error.message));
      return;
    }
    adopt();
    const { fresh, same, other } = compared(found.entries);
    offered = { name: file.name, ...found };
    if (!other.length) { settle(false); return; }
    const of_ = (decision, role, note) => LABELS[decision] + (role ? " to " + role : "") + (note.trim() ? ", “" + short(note.trim()) + "”" : "");
    at("clash-text").replaceChildren(name(file.name), " has " + counted(other.length, "decision that differs", "decisions that differ") + " from those here, " + fresh.length + " new and " + same.length + " equal. Nothing has changed yet. Which decisions count for rows that differ?");
    at("clash-rows").replaceChildren(
      ...other.slice(0, 10).map(({ row, decision, role, note }) => el("li", {}, "Row " + row.row + ", ", name(row.who), ": here ", el("bdi", {}, of_(...of(row).slice(0, 3))), "; in the file ", el("bdi", {}, of_(decision, role, note)))),
      other.length > 10 ? el("li", {}, "and " + (other.length - 10) + " more") : "");
    at("clash").hidden = false;
    report("The file has decisions that differ from yours: choose which ones count.");
    at("keep-mine").focus();
  }
  function withdraw() { offered = null; at("clash").hidden = true; }
  // Loads a file. A different decision of this page is replaced only if the reviewer chose so.
  function settle(takesTheirs) {
    const { name: file, who, entries } = offered;
    const { fresh, same, other } = compared(entries);
    const isOfMine = person(who) === person(address());
    for (const { row, decision, role, note, when } of takesTheirs ? [...fresh, ...other] : fresh) set(row.row, decision, role, note, when, isOfMine);
    if (isOfMine) for (const { row } of same) unfiled.delete(row.row);
    withdraw();
    keep();
    refilter();
    const results = [counted(fresh.length, "decision", "decisions") + " loaded", same.length + " equal"];
    if (other.length) results.push(other.length + (takesTheirs ? " replaced by those of the file" : " kept as decided here"));
    report(name(file), ": " + results.join(", ") + ".", ...(isOfMine ? [] : [" It was saved by ", name(who), ": check it, because the saved decisions will have your name."]));
    at("load").focus();
  }

  function fill() {
    const choose = () => el("option", { value: "" }, "choose");
    const everybody = () => data.reviewers.map((who, number) => el("option", { value: number }, who));
    at("reviewer").append(choose(), ...everybody(), el("option", { value: OTHER }, "another person, as a deputy"));
    at("place").append(choose(), ...everybody());
    at("role").append(el("option", { value: "" }, "every role"), ...[...new Set(rows.map((row) => row.role))].sort().map((role) => el("option", { value: role }, role)));
    at("reviewer").value = me === null ? "" : String(me);
    at("place").value = place === null ? "" : String(place);
    fit();
  }
  function fit() {
    at("reviewer-label").hidden = data.without_reviewer;
    at("other-label").hidden = me !== OTHER;
    at("place-label").hidden = me !== OTHER || data.without_reviewer;
    at("deputy").hidden = me !== OTHER || data.without_reviewer;
  }
  // The fixed parts at the top must not cover the active row.
  function measure() {
    const far = getComputedStyle(at("far")).position === "sticky" ? at("far").offsetHeight : 0;
    const head = at("table").tHead;
    const isSticky = getComputedStyle(head.rows[0].cells[0]).position === "sticky";
    document.documentElement.style.setProperty("--far", far + "px");
    document.documentElement.style.scrollPaddingTop = far + (isSticky ? head.offsetHeight : 0) + 4 + "px";
  }
  function listen() {
    const chosen = (id) => (at(id).value === "" ? null : Number(at(id).value));
    for (const id of ["reviewer", "place"]) {
      at(id).addEventListener("change", () => {
        me = data.without_reviewer ? OTHER : chosen("reviewer");
        place = chosen("place");
        withdraw();
        report();
        fit();
        keep();
        refilter(true);
      });
    }
    at("other").addEventListener("input", () => { withdraw(); refilter(); });
    for (const id of ["state", "role", "flagged", "changed"]) at(id).addEventListener("change", () => refilter());
    at("find").addEventListener("input", () => refilter(at("find").value.trim() !== ""));
    at("all").addEventListener("click", () => { showAll(""); if (active !== null) activate(active, true); });
    at("next").addEventListener("click", nextUndecided);
    at("save").addEventListener("click", save);
    at("load").addEventListener("click", () => { if (named() !== null) at("file").click(); });
    at("file").addEventListener("change", () => { const [file] = at("file").files; load(file).finally(() => { at("file").value = ""; }); });
    at("keep-mine").addEventListener("click", () => settle(false));
    at("take-theirs").addEventListener("click", () => settle(true));
    at("load-nothing").addEventListener("click", () => { report(name(offered.name), ": nothing was loaded."); withdraw(); at("load").focus(); });
    at("before").addEventListener("click", () => turn(-1));
    at("after").addEventListener("click", () => turn(1));
    for (const th of document.querySelectorAll("th[data-sort]")) {
      th.firstElementChild.addEventListener("click", () => {
        sort = { by: th.dataset.sort, down: sort.by === th.dataset.sort && !sort.down };
        for (const other of document.querySelectorAll("th[data-sort]")) other.removeAttribute("aria-sort");
        th.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
        refilter(true);
      });
    }
    at("rows").addEventListener("change", (event) => {
      const number = numberOf(event.target);
      if (event.target.type !== "radio") return;
      const { name: group, value } = event.target;
      if (group[0] === "r") setRole(number, value, fieldOf(event.target));
      else decide(number, value, fieldOf(event.target));
    });
    at("rows").addEventListener("click", (event) => {
      if (event.target.matches(".clear")) clear(numberOf(event.target));
      else if (event.target.matches(".add")) note(numberOf(event.target));
    });
    at("rows").addEventListener("input", (event) => {
      if (!event.target.matches("textarea")) return;
      const number = numberOf(event.target);
      const row = byNumber(number);
      const [decision, role] = of(row);
      set(number, decision, role, event.target.value, now());
      keep();
      event.target.rows = linesOf(event.target.value);
      if (lacksNote(row)) event.target.setAttribute("aria-invalid", "true");
      else event.target.removeAttribute("aria-invalid");
      drawnRow(number).className = rowClass(row) || "";
      count();
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
    addEventListener("storage", (event) => { if (event.key === KEPT) adopt(); });
    addEventListener("pageshow", adopt);
    addEventListener("focus", adopt);
    addEventListener("beforeunload", (event) => { if (isAtRisk && unfiled.size) event.preventDefault(); });
    // A print has every row of the filter, with its decision as text.
    addEventListener("beforeprint", () => at("rows").replaceChildren(...view.map((row) => drawn(row, true))));
    addEventListener("afterprint", () => { draw(); if (active !== null) activate(active, true); });
    const sizes = new ResizeObserver(measure);
    for (const of of [at("far"), at("table").tHead]) sizes.observe(of);
    addEventListener("resize", measure);
  }

  recall();
  fill();
  listen();
  warn();
  refilter();
})();
