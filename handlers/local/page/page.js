// The page: loads the channel, listens to its events, and sends what people do. Holds no rules.

import { commandLine } from "/command.js";
import { askForm } from "/dialogs.js";
import { el, plain, renderMessage, setClock } from "/render.js";

const $ = (id) => document.getElementById(id);
const state = { me: "", room: "", rooms: [], waiting: new Map(), newer: 0, directs: 0 };
let stream = null;

const kept = {
  get: (key) => { try { return localStorage.getItem(key) ?? ""; } catch { return ""; } },
  set: (key, value) => { try { localStorage.setItem(key, value); } catch { /* private window */ } },
};

// --- requests ---------------------------------------------------------------------------------

async function get(path, query) {
  const response = await fetch(`${path}?${new URLSearchParams(query)}`);
  return answerOf(response);
}

async function send(path, body) {
  try {
    const response = await fetch(path, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
    return await answerOf(response);
  } catch {
    return { error: "staffbot did not answer. Nothing may have happened: look at the card, then try again." };
  }
}

async function answerOf(response) {
  try { return await response.json(); } catch { return { error: `staffbot answered ${response.status}.` }; }
}

const acting = () => ({ user: state.me, room: state.room });

/** Send what somebody did, and show the answer to them alone. */
async function act(path, body) {
  const answer = await send(path, { ...acting(), ...body });
  if (answer.error) showAnswer({ text: answer.error, parts: [], controls: [], mention: null });
  else show(answer);
  return !answer.error;
}

function show(answer) {
  if (answer.type === "form") ask(answer);
  else if (answer.type === "message") showAnswer(answer);
}

const press = (message) => (control, value) =>
  act("/api/press", { message: message.id ?? null, control: control.name, value, mention: control.mention ?? message.mention });

/** Ask, and where it was refused ask again with what was written and the reason. */
function ask(form, complaint = "") {
  askForm(form, complaint, async (values) => {
    const answer = await send("/api/submit", { ...acting(), form: form.name, mention: form.mention, values });
    const why = answer.error ?? (answer.refused ? answer.text : "");
    if (why) ask({ ...form, fields: form.fields.map((field) => ({ ...field, value: String(values[field.name] ?? "") })) }, why);
    else show(answer);
  });
}

// --- private answers --------------------------------------------------------------------------

const ANSWERS = 3;

function showAnswer(message) {
  const box = $("answers");
  const close = el("button", { type: "button", class: "close", "aria-label": "Dismiss this answer", text: "✕" });
  const answer = renderMessage({ ...message, mention: null, at: null },
    (control, value) => { answer.remove(); settle(); return press(message)(control, value); }, [close]);
  answer.classList.add("answer");
  close.addEventListener("click", () => { answer.remove(); settle(); $("line").focus(); });
  box.append(answer);
  while (box.children.length > ANSWERS) box.firstElementChild.remove();
  settle();
  box.scrollTop = answer.offsetTop - 10;
  speak(`Only you see this: ${message.text}`);
}

function settle() {
  const pinned = atEnd();
  $("answers").hidden = !$("answers").children.length;
  if (pinned) toEnd();
}

function speak(text) {
  const said = el("span", { text: plain(text) });
  $("spoken").append(said);
  while ($("spoken").children.length > 5) $("spoken").firstElementChild.remove();
}

// --- the timeline -----------------------------------------------------------------------------

const timeline = $("timeline");
const atEnd = () => timeline.scrollHeight - timeline.scrollTop - timeline.clientHeight < 80;

function toEnd() {
  timeline.scrollTop = timeline.scrollHeight;
  state.newer = 0;
  $("newer").hidden = true;
}

function item(message, personal) {
  if (!personal) return el("li", { "data-message": message.id }, renderMessage(message, press(message)));
  const close = el("button", { type: "button", class: "close", "aria-label": "Dismiss this message", text: "✕",
    onclick: () => act("/api/delete", { message: message.id }) });
  return el("li", { "data-message": message.id }, renderMessage(message, press(message), [close]));
}

const shown = (id) => document.querySelector(`li[data-message="${CSS.escape(String(id))}"]`);

function posted(message) {
  if (message.room !== state.room) return waiting(message.room, 1);
  if (shown(message.id)) return edited(message);
  const pinned = atEnd();
  const card = item(message, false);
  card.classList.add("arriving");
  $("messages").append(card);
  $("empty").hidden = true;
  if (!message.silent) speak(message.text);
  if (pinned) return toEnd();
  state.newer += 1;
  $("newer").textContent = state.newer === 1 ? "1 new message below" : `${state.newer} new messages below`;
  $("newer").hidden = false;
}

function direct(message) {
  if (shown(message.id)) return edited(message);
  $("directs").append(item(message, true));
  $("no-directs").hidden = true;
  $("direct").scrollTop = $("direct").scrollHeight;
  speak(`For you: ${message.text}`);
  if (document.body.dataset.pane !== "direct") state.directs += 1;
  labelTabs();
}

/** A message says something else now. Focus stays where it was, as far as it still exists. */
function edited(message) {
  const old = shown(message.id);
  if (!old) return;
  const pinned = atEnd();
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const fresh = item(message, message.room.startsWith("direct:"));
  old.replaceWith(fresh);
  if (focused) {
    const { control, value } = focused.dataset;
    const same = control && [...fresh.querySelectorAll("[data-control]")]
      .find((one) => one.dataset.control === control && (one.dataset.value ?? "") === (value ?? ""));
    (same ?? fresh.querySelector("article")).focus({ preventScroll: true });
  }
  if (pinned) toEnd();
}

function deleted({ id }) {
  shown(id)?.remove();
  $("no-directs").hidden = $("directs").children.length > 0;
  $("empty").hidden = $("messages").children.length > 0;
}

// --- rooms and people -------------------------------------------------------------------------

function waiting(room, more) {
  state.waiting.set(room, (state.waiting.get(room) ?? 0) + more);
  drawRooms();
}

function drawRooms() {
  $("rooms").replaceChildren(...state.rooms.map((room) => {
    const count = state.waiting.get(room.id) ?? 0;
    const name = `${room.private ? "Private: " : ""}${room.name}`;
    const button = el("button", { type: "button", "aria-current": room.id === state.room ? "true" : null,
      onclick: () => { state.room = room.id; reload(); } }, el("span", { text: name }));
    if (count) button.append(el("span", { class: "count", text: `${count} new` }));
    return button;
  }));
}

function drawPeople(staff) {
  $("me").replaceChildren(...staff.map((person) => {
    const role = person.shared ? "shared desk" : person.role === "staff" ? "" : person.role;
    const option = el("option", { value: person.user, text: role ? `${person.name} (${role})` : person.name });
    option.selected = person.user === state.me;
    return option;
  }));
}

/** Everything anew: at the start, after a lost connection, for another room or person. */
async function load() {
  const channel = await get("/api/channel", { user: state.me || kept.get("me"), room: state.room || kept.get("room") });
  if (channel.error) throw new Error(channel.error);
  const began = Date.now();
  const server = Date.parse(channel.now);
  setClock(() => server + (Date.now() - began));
  Object.assign(state, { me: channel.me, room: channel.room ?? "", rooms: channel.rooms });
  state.waiting.delete(state.room);
  kept.set("me", state.me);
  kept.set("room", state.room);
  document.title = `${channel.library}: staffbot`;
  $("library").textContent = channel.library;
  $("root").textContent = `/${channel.root}`;
  $("room-name").textContent = state.rooms.find((room) => room.id === state.room)?.name ?? "Team channel";
  drawRooms();
  drawPeople(channel.staff);
  drawPatron(channel.patron);
  $("messages").replaceChildren(...channel.messages.map((message) => item(message, false)));
  $("directs").replaceChildren(...channel.direct.map((message) => item(message, true)));
  $("empty").hidden = channel.messages.length > 0;
  $("no-directs").hidden = channel.direct.length > 0;
  $("earlier").hidden = channel.messages.length < 50;
  toEnd();
}

async function showEarlier() {
  const first = $("messages").firstElementChild?.dataset.message;
  const channel = await get("/api/channel", { ...acting(), before: first });
  const height = timeline.scrollHeight;
  $("messages").prepend(...channel.messages.map((message) => item(message, false)));
  timeline.scrollTop += timeline.scrollHeight - height;
  $("earlier").hidden = channel.messages.length < 50;
}

// --- events -----------------------------------------------------------------------------------

const HANDLERS = { posted, edited, direct, deleted };
let backlog = null;

/** Listen first, then load; what happens meanwhile is shown after, so nothing is missed. */
function connect() {
  stream?.close();
  const user = state.me;
  stream = new EventSource(`/api/events?${new URLSearchParams({ user })}`);
  stream.addEventListener("ready", async () => {
    await reload();
    if (user !== state.me) return connect();
    $("offline").hidden = true;
    document.body.dataset.ready = "yes";
  });
  stream.addEventListener("error", () => { $("offline").hidden = false; });
  for (const name of Object.keys(HANDLERS)) {
    stream.addEventListener(name, (event) => {
      const data = JSON.parse(event.data);
      if (backlog) backlog.push([name, data]); else HANDLERS[name](data);
    });
  }
}

async function reload() {
  backlog = [];
  try {
    await load();
  } finally {
    const missed = backlog;
    backlog = null;
    for (const [name, data] of missed) HANDLERS[name](data);
  }
}

// --- the patron's box, and the tabs of a phone ------------------------------------------------

function drawPatron(patron) {
  $("patron").hidden = !patron;
  document.querySelector('#tabs [data-pane="patron"]').hidden = !patron;
  if (!patron || $("network").children.length) return;
  $("network").replaceChildren(...patron.networks.map(({ value, label }) => el("option", { value, text: label })));
}

async function write(event) {
  event.preventDefault();
  $("written").textContent = "Sending …";
  const answer = await send("/api/patron", {
    network: $("network").value, name: $("name").value, text: $("words").value, private: $("private").checked,
  });
  $("written").textContent = answer.error ?? answer.said;
  if (!answer.error) $("words").value = "";
}

function showPane(pane) {
  document.body.dataset.pane = pane;
  if (pane === "direct") state.directs = 0;
  labelTabs();
  if (pane === "channel") toEnd();
}

function labelTabs() {
  for (const tab of document.querySelectorAll("#tabs button")) {
    const here = tab.dataset.pane === document.body.dataset.pane;
    if (here) tab.setAttribute("aria-current", "true"); else tab.removeAttribute("aria-current");
    if (tab.dataset.pane === "direct") tab.textContent = state.directs ? `Only for you (${state.directs} new)` : "Only for you";
  }
}

// --- start ------------------------------------------------------------------------------------

commandLine(
  async (text) => (await get("/api/complete", { ...acting(), text })).completions ?? [],
  (text) => act("/api/command", { text }),
);
$("me").addEventListener("change", () => {
  state.me = $("me").value;
  kept.set("me", state.me);
  $("answers").replaceChildren();
  settle();
  connect();
});
$("earlier").addEventListener("click", showEarlier);
$("newer").addEventListener("click", () => { toEnd(); timeline.focus(); });
timeline.addEventListener("scroll", () => { if (atEnd() && state.newer) toEnd(); });
$("write").addEventListener("submit", write);
for (const tab of document.querySelectorAll("#tabs button")) tab.addEventListener("click", () => showPane(tab.dataset.pane));
state.me = kept.get("me");
connect();
