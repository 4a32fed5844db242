// A message as elements. Everything is text: `textContent` only, and links only where the server
// left an address in. Knows no requests: pressing calls `act`.

let now = () => Date.now();

/** Dates are told relative to the library's clock, which a demo may run faster. */
export function setClock(clock) {
  now = clock;
}

export function el(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === false || value === undefined || value === null) continue;
    if (key === "class") element.className = value;
    else if (key === "text") element.textContent = value;
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** One message. `act(control, value)` is called when one of its controls is used. */
export function renderMessage(message, act, extra = []) {
  const card = message.collapsed ? "card closed" : message.compact ? "card heard" : "card";
  const kind = message.mention === null ? "note" : card;
  const title = titleOf(message);
  const parts = message.parts.slice(title || saidTwice(message) ? 1 : 0).map((part) => renderPart(part, act, message.compact)).filter(Boolean);
  return el("article", { class: kind, tabindex: "-1", "data-id": message.id, "data-mention": message.mention },
    el("header", { class: "head" },
      ...(title ? [el("p", { class: "unseen", text: plain(message.text) }), ...titled(message, title)]
        : [el("p", { class: "text" }, ...worded(message.text))]),
      message.at ? when(message.at, "", "at") : null,
      ...extra),
    parts.length ? el("div", { class: "parts" }, ...parts) : null,
    renderControls(message.controls, act));
}

/** Our own sentences mark what can be typed by `backticks`, which are no writing that people read. */
export function worded(text) {
  return text.split(/`([^`\n]+)`/).map((piece, at) => (at % 2 ? el("code", { text: piece }) : piece)).filter(Boolean);
}

/** The same without marks: to be spoken. */
export const plain = (text) => text.replaceAll("`", "");

/** A private answer's sentence may begin with its own heading, which is then not said again. */
function saidTwice(message) {
  const first = message.parts[0];
  return first?.type === "heading" && message.text.startsWith(first.text);
}

/** What stands in the channel begins with its own title; its sentence is then for screen readers. */
function titleOf(message) {
  const first = message.parts[0];
  if (!message.id || !first) return "";
  if (first.type === "heading") return first.text;
  const oneText = first.type === "paragraph" && first.line.length === 1 && first.line[0].type === "text";
  return oneText && message.mention !== null ? first.line[0].text : "";
}

function titled(message, title) {
  const number = `#${message.mention}`;
  if (!title.startsWith(`${number} · `)) return [el("h3", { class: "text", text: title })];
  return [el("span", { class: "number", text: number }),
    el("h3", { class: "text", text: title.slice(number.length + 3) })];
}

function renderPart(part, act, brief = false) {
  switch (part.type) {
    case "heading": return el("h3", { text: part.text });
    case "paragraph": return el("p", { class: part.quiet ? "quiet" : "plain" }, ...spans(part.line));
    case "bullets": return el("ul", {}, ...part.lines.map((line) => el("li", {}, ...spans(line))));
    case "facts": return el("dl", { class: "facts" }, ...part.pairs.map(fact));
    case "byline": return byline(part);
    case "quote": return quote(part, brief ? BRIEF : LONG);
    case "picture": return picture(part);
    case "chart": return chart(part);
    case "file": return file(part);
    case "row": return el("div", { class: "row", "data-mention": part.mention },
      el("p", {}, ...spans(part.line)), renderControls(part.controls, act));
    default: return null;
  }
}

const fact = ({ label, line }) => el("div", {}, el("dt", { text: label }), el("dd", {}, ...spans(line)));

function spans(line) {
  return line.map((span) => {
    switch (span.type) {
      case "text": return document.createTextNode(span.text);
      case "when": return when(span.at, span.plain);
      case "who": return el("span", { class: "who", text: span.name });
      case "link": return link(span.label, span.url);
      default: return document.createTextNode("");
    }
  });
}

function link(label, url, properties = {}) {
  if (!url) return el("span", { ...properties, text: label });
  return el("a", { ...properties, href: url, target: "_blank", rel: "noopener noreferrer nofollow", text: label });
}

/** A moment in the reader's own zone; the whole of it is in the title. */
function when(at, plain, style = "") {
  const moment = new Date(at);
  const today = new Date(now()).toDateString() === moment.toDateString();
  const clock = moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const day = moment.toLocaleDateString([], { weekday: "short", day: "numeric", month: "short" });
  const whole = moment.toLocaleString([], { dateStyle: "full", timeStyle: "short" });
  return el("time", { class: style, datetime: at, title: plain ? `${whole} (library: ${plain})` : whole,
    text: today ? clock : `${day}, ${clock}` });
}

function byline(part) {
  const name = part.name || part.handle || "Somebody";
  return el("p", { class: "byline" },
    el("span", { class: "initial", "aria-hidden": "true", text: [...name.trim()][0] ?? "?" }),
    el("bdi", {}, link(name, part.url, { class: "name" })),
    part.handle && part.handle !== name ? el("bdi", { class: "handle", text: part.handle }) : null,
    el("span", { class: "network", text: part.network }));
}

// How many characters and lines of a quote are in sight at first.
const LONG = { most: 480, lines: 9 };
const BRIEF = { most: 200, lines: 3 };

export function quote(part, shownAtFirst = LONG) {
  const words = el("blockquote", { dir: "auto", lang: part.language, text: part.text });
  const whole = part.cut
    ? el("p", { class: "quiet" }, link("The rest of it on its network", part.permalink)) : null;
  const shown = el("div", { class: "quote" },
    part.label ? el("p", { class: "label", text: part.label }) : null, words, whole);
  if (part.text.length <= shownAtFirst.most && part.text.split("\n").length <= shownAtFirst.lines) return shown;
  words.classList.add("long");
  const open = el("button", { type: "button", class: "quietly", "aria-expanded": "false", text: "Read all of it" });
  open.addEventListener("click", () => {
    const long = words.classList.toggle("long");
    open.textContent = long ? "Read all of it" : "Show less of it";
    open.setAttribute("aria-expanded", String(!long));
  });
  words.after(open);
  return shown;
}

function picture(part) {
  const kind = part.kind === "image" ? "Picture" : part.kind === "video" ? "Video" : "Attachment";
  const label = part.alt ? `${kind}: ${part.alt}` : `${kind} without a description`;
  return el("p", { class: "picture", dir: "auto" }, link(label, part.url));
}

function chart(part) {
  return el("figure", {}, el("img", { src: `data:image/png;base64,${part.png}`, alt: part.alt }),
    el("figcaption", { class: "quiet", text: part.alt }));
}

function file(part) {
  const href = `data:application/octet-stream;base64,${part.content}`;
  return el("p", { class: "picture" }, el("a", { href, download: part.name, text: part.label }));
}

// --- controls ---------------------------------------------------------------------------------

function renderControls(controls, act) {
  if (!controls.length) return null;
  const shown = controls.filter((control) => !control.more).map((control) => renderControl(control, act));
  const more = controls.filter((control) => control.more);
  if (more.length) shown.push(menu("More", "more", more.flatMap((control) => items(control, act))));
  return el("div", { class: "controls" }, ...shown);
}

function renderControl(control, act) {
  switch (control.type) {
    case "button": return button(control, act);
    case "choice": return menu(control.label, control.name, items(control, act, false));
    case "link": return control.url ? link(control.label, control.url, { class: "button" }) : null;
    default: return null;
  }
}

function button(control, act, label = control.label, value = control.value) {
  const style = control.primary ? "primary" : control.danger ? "danger" : "";
  return el("button", { type: "button", class: style, text: label,
    "data-control": control.name, "data-value": value, onclick: () => act(control, value) });
}

function items(control, act, named = true) {
  if (control.type !== "choice") return [renderControl(control, act)].filter(Boolean);
  const options = control.options.map(({ value, label }) => button(control, act, label, value));
  return named ? [el("p", { class: "label", text: control.label }), ...options] : options;
}

/** Native disclosure: opens by key, closes by Escape, by choosing and by pressing elsewhere. */
function menu(label, name, children) {
  const box = el("div", { class: "items" }, ...children);
  const details = el("details", { class: "menu" }, el("summary", { "data-control": name, text: label }), box);
  box.addEventListener("click", () => { details.open = false; });
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    event.stopPropagation();
    details.open = false;
    details.querySelector("summary").focus();
  });
  details.addEventListener("toggle", () => {
    details.classList.remove("upward");
    if (!details.open) return;
    for (const other of document.querySelectorAll("details.menu[open]")) if (other !== details) other.open = false;
    const frame = (details.closest(".timeline, .answers, .direct") ?? document.body).getBoundingClientRect();
    details.classList.toggle("upward", box.getBoundingClientRect().bottom > frame.bottom);
    box.style.marginLeft = "0";
    const beyond = box.getBoundingClientRect().right - frame.right + 12;
    if (beyond > 0) box.style.marginLeft = `${-beyond}px`;
  });
  return details;
}

document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.menu[open]")) if (!open.contains(event.target)) open.open = false;
});
