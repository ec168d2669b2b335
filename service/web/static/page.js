// What the pages do beyond what they do without a script: filters that apply at once, streamed answers, feedback in place.
"use strict";

const page = document;
page.documentElement.classList.add("scripted");
const first = (selector, inside = page) => inside.querySelector(selector);
const all = (selector, inside = page) => [...inside.querySelectorAll(selector)];

// ── Results without a new page ──────────────────────────────────────────────────────────────────────────────────────

let running = null; // the request for results that is under way
let streaming = null; // the answer that is being written
let shown = location.pathname + location.search;

async function showResults(address, { keepOpen = false } = {}) {
  const results = first('[data-part="results"]');
  running?.abort();
  const controller = (running = new AbortController());
  results.setAttribute("aria-busy", "true");
  const slow = setTimeout(() => status(results.dataset.busy), 400);
  try {
    const answer = await fetch(address, { headers: { "Pes-Part": keepOpen ? "filters" : "results", Accept: "text/html" }, signal: controller.signal });
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = first('[data-part="results"]', next);
    if (!fresh) {
      location.assign(address); // a page of its own: the fault is told there
      return;
    }
    history.pushState({ results: true }, "", address);
    shown = location.pathname + location.search;
    streaming?.close();
    page.title = next.title;
    replaceFacets(next, keepOpen);
    first("h1").replaceWith(first("h1", next));
    first("#lead")?.remove();
    results.replaceWith(fresh);
    for (const name of ["next", "search"]) {
      for (const field of all(`input[type="hidden"][name="${name}"]`)) field.value = location.pathname + location.search;
    }
    prepare(fresh);
    first("#announcement").textContent = first("#status")?.textContent ?? "";
  } catch (fault) {
    if (fault.name !== "AbortError") {
      status(results.dataset.failed);
      results.removeAttribute("aria-busy");
    }
  } finally {
    clearTimeout(slow);
  }
}

function status(text) {
  let line = first("#status");
  if (!line) {
    line = page.createElement("p");
    line.id = "status";
    line.className = "status";
    first('[data-part="results"]').prepend(line);
  }
  line.textContent = first("#announcement").textContent = text;
}

// The list that a visitor has open keeps its place; the others get their new counts.
function replaceFacets(next, keepOpen) {
  if (!keepOpen) first('[data-part="facets"]').replaceWith(first('[data-part="facets"]', next));
  for (const facet of keepOpen ? all("[data-facet]") : []) {
    const fresh = first(`[data-facet="${facet.dataset.facet}"]`, next);
    if (!fresh) continue;
    if (facet.open) first("summary", facet).replaceWith(first("summary", fresh));
    else facet.replaceWith(fresh);
  }
  all("[data-facet]").forEach(narrowable);
}

function addressOf(form) {
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (String(value).trim()) fields.append(name, value);
  if (fields.get("after") === fields.get("q")) fields.delete("after"); // the same question goes on from nothing
  const query = fields.toString();
  return form.getAttribute("action") + (query ? `?${query}` : "");
}

const search = first("[data-search]");
if (search && first('[data-part="results"]')) {
  search.addEventListener("change", (event) => {
    if (event.target.name && event.target.closest("[data-facet]")) showResults(addressOf(search), { keepOpen: true });
  });
  search.addEventListener("submit", (event) => {
    event.preventDefault();
    all("[data-facet][open]").forEach((facet) => (facet.open = false));
    showResults(addressOf(search));
  });
  addEventListener("popstate", () => {
    if (location.pathname + location.search !== shown) location.reload();
  });
}

// A long list of values can be narrowed by typing.
function narrowable(facet) {
  const options = all("label", facet).filter((label) => first("input", label));
  if (options.length < 12 || first(".narrow", facet)) return;
  const box = page.createElement("input");
  box.type = "search";
  box.className = "narrow";
  box.autocomplete = "off";
  box.setAttribute("aria-label", first("legend", facet).textContent);
  box.placeholder = "…";
  box.addEventListener("input", () => {
    const wanted = box.value.trim().toLocaleLowerCase();
    for (const label of options) label.hidden = !label.textContent.toLocaleLowerCase().includes(wanted);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
  first("legend", facet).after(box);
}

page.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const open of all("details[name][open]")) {
      const inside = open.contains(page.activeElement);
      open.open = false;
      if (inside) first("summary", open).focus();
    }
  }
});
page.addEventListener("click", (event) => {
  for (const open of all("details[name][open]")) if (!open.contains(event.target)) open.open = false;
});

// ── Streamed answers ────────────────────────────────────────────────────────────────────────────────────────────────

function stream(box) {
  const source = (streaming = new EventSource(box.dataset.stream));
  const finish = () => {
    source.close();
    box.setAttribute("aria-busy", "false");
  };
  source.addEventListener("sentence", (event) => {
    first("[data-waiting]", box)?.remove();
    first(".sentences", box).insertAdjacentHTML("beforeend", JSON.parse(event.data));
  });
  source.addEventListener("done", (event) => {
    box.innerHTML = JSON.parse(event.data);
    for (const field of all('input[name="back"]', box)) field.value = location.pathname + location.search;
    finish();
  });
  const fail = () => {
    const line = first("[data-waiting]", box) ?? page.createElement("p");
    line.textContent = box.dataset.failed;
    first(".sentences", box).after(line);
    finish();
  };
  source.addEventListener("failed", fail);
  source.addEventListener("error", fail);
}

// ── Feedback, comparing, printing, languages ────────────────────────────────────────────────────────────────────────

page.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-feedback]");
  if (!form) return;
  event.preventDefault();
  if (form.dataset.sent) return; // a second click
  form.dataset.sent = "yes";
  const fields = new FormData(form, event.submitter);
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(fields), headers: { "Pes-Part": "thanks" } });
    if (!answer.ok) throw new Error(answer.statusText);
    const place = form.closest(".thanks") ?? form;
    const holder = page.createElement("div");
    holder.innerHTML = await answer.text();
    const thanks = holder.firstElementChild;
    place.replaceWith(thanks);
    thanks.focus();
  } catch {
    form.removeAttribute("data-feedback"); // the plain way tells what is wrong
    form.requestSubmit(event.submitter);
  }
});

// As many can be chosen as stand side by side; the button says when there is something to compare.
function updateChoice() {
  for (const form of all("form[data-most]")) {
    const boxes = [...form.elements].filter((field) => field.type === "checkbox");
    const given = [...form.elements].filter((field) => field.type === "hidden" && field.name === "ids").length;
    const chosen = boxes.filter((box) => box.checked).length;
    for (const box of boxes) box.disabled = !box.checked && chosen + given >= Number(form.dataset.most);
    const button = all("[data-compare]").find((button) => button.form === form);
    if (button) button.disabled = !chosen;
  }
}
page.addEventListener("change", (event) => {
  if (event.target.matches('input[name="ids"]')) updateChoice();
});
page.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) print();
});

function prepare(inside) {
  for (const part of all("[data-script]", inside)) part.hidden = false;
  for (const box of all("[data-stream]", inside)) stream(box);
  updateChoice();
}

all("[data-facet]").forEach(narrowable);
prepare(page);
if (location.hash) first(".passage.found")?.focus({ preventScroll: true });
