// The room: keep the WebSocket open, show messages, and send what people do.

import { Composer } from "./composer.js";
import * as draw from "./draw.js";

const find = (selector) => document.querySelector(selector);
const language = navigator.language || "en";
const scroll = find(".scroll");
const log = find(".log");
const banner = find(".banner");

const said = new Map(); // messages by id
const pending = new Map(JSON.parse(sessionStorage.getItem("pending") ?? "[]")); // frames that the room has not confirmed yet, by nonce
const kept = new Map(); // the composer's content when it sent a frame, by nonce
const origins = new Map(); // the notice whose button sent a frame, by nonce
const sent = new Set(); // nonces of frames that were sent
const waiting = new Map(); // grey elements of messages that are not confirmed, by nonce
const MOST_NOTICES = 3;
let socket = null;
let wait = 500;
let person = sessionStorage.getItem("person") ?? "ann";

const room = {
  get: (id) => said.get(id),
  press,
  reply: (message) => { composer.reply(message); composer.input.focus(); },
  animate: (message) => composer.animate(message),
  jump,
};
const composer = new Composer(find(".composer"), {
  // The sender is the person who was selected at first: an upload takes time, and the selection may change meanwhile.
  speaker: () => { const whose = person; return (wish, state) => tell({ do: "say", person: whose, ...wish }, { state }); },
  ask: (command, given) => tell({ do: "ask", command, given }),
  complain: (text) => notice({ tone: "failed", text: [text] }, person),
  upload,
  price,
});

// --- the socket -----------------------------------------------------------------------------------

function connect() {
  const place = new URL(`socket?locale=${encodeURIComponent(language)}`, location.href);
  place.protocol = "ws:";
  socket = new WebSocket(place);
  socket.addEventListener("message", (event) => hear(JSON.parse(event.data)));
  socket.addEventListener("close", ({ code, reason }) => {
    if (code === 1008) unheard(reason);
    if (draw.words.offline) banner.textContent = draw.words.offline;
    document.body.classList.add("offline");
    for (const frame of pending.values()) standIn(frame);
    setTimeout(connect, wait);
    wait = Math.min(wait * 1.6, 4000);
  });
}

function hear(told) {
  if (told.type === "welcome") welcome(told);
  else if (told.type === "post") follow(() => post(told.message));
  else if (told.type === "edit") follow(() => edit(told.message));
  else if (told.type === "delete") remove(told.message.id);
  else if (told.type === "heard") {
    const frame = pending.get(told.nonce);
    if (told.notice?.returned && frame) giveBack(frame, told.notice);
    const origin = origins.get(told.nonce);
    if (told.notice) notice(told.notice, told.person, origin);
    if (told.notice?.turned) composer.choices.quote(); // a setting may have changed, and the price with it
    if (told.form && told.person === person) ask(told.form, origin);
    forget(told.nonce);
  }
}

function tell(wish, { state, origin } = {}) {
  const frame = { nonce: crypto.randomUUID(), person, ...wish };
  for (const name of Object.keys(frame)) if (frame[name] === undefined) delete frame[name];
  pending.set(frame.nonce, frame);
  if (state) kept.set(frame.nonce, state);
  if (origin) origins.set(frame.nonce, origin);
  remember();
  if (socket?.readyState === WebSocket.OPEN) send(frame);
  else standIn(frame);
  if (!origin) toEnd();
}

function send(frame) {
  sent.add(frame.nonce);
  socket.send(JSON.stringify(frame));
}

// After a reconnect, send unconfirmed messages and button presses again: the room ignores a repeated nonce. Commands are
// not sent again, because a second /cancel would stop another video.
function sendAgain(frame) {
  if (frame.do === "ask" && sent.has(frame.nonce)) forget(frame.nonce);
  else send(frame);
}

// Store unconfirmed frames, so that a reload of the page keeps them. Commands are not stored.
function remember() {
  sessionStorage.setItem("pending", JSON.stringify([...pending].filter(([, frame]) => frame.do !== "ask")));
}

function forget(nonce) {
  pending.delete(nonce);
  kept.delete(nonce);
  origins.delete(nonce);
  sent.delete(nonce);
  remember();
  waiting.get(nonce)?.remove();
  waiting.delete(nonce);
}

// While the room is not connected, show an unsent message in grey until it is confirmed.
function standIn(frame) {
  if (frame.do !== "say" || waiting.has(frame.nonce) || !draw.words.pending) return;
  waiting.set(frame.nonce, draw.pending(frame));
  log.append(waiting.get(frame.nonce));
  greet();
}

// Put a refused message back into the composer. If that has other text by now, show the message in the notice.
function giveBack(frame, told) {
  const state = kept.get(frame.nonce) ?? { text: frame.text, command: frame.command ?? null };
  if (frame.person === person && composer.restore(state)) return;
  if (frame.text) told.prompt = frame.text;
}

// The room could not read a frame: tell its sender, and do not send the frame again.
function unheard(nonce) {
  const frames = nonce ? [pending.get(nonce)] : [...pending.values()];
  for (const frame of frames.filter(Boolean)) {
    forget(frame.nonce);
    notice({ tone: "failed", text: [draw.words.unheard], prompt: frame.text ?? frame.words }, frame.person);
  }
}

// Return the price as a sentence, or an empty text if the room gives none.
async function price(draft) {
  try {
    const answer = await fetch(`quote?${new URLSearchParams({ locale: language })}`, { method: "POST", body: JSON.stringify({ person, ...draft }) });
    return answer.ok ? (await answer.json()).text : "";
  } catch {
    return "";
  }
}

// Upload a file. Return its name in the room, or null if the room refused it. Throws if the room did not answer.
async function upload(file, kind) {
  const whose = person;
  const query = new URLSearchParams({ name: file.name, locale: language });
  try {
    const answer = await fetch(`${kind}?${query}`, { method: "POST", body: file });
    const told = await answer.json();
    if (answer.ok) return told.name;
    notice(told, whose);
    return null;
  } catch (problem) {
    notice({ tone: "failed", text: [draw.words.not_uploaded] }, whose);
    throw problem;
  }
}

// --- coming in ------------------------------------------------------------------------------------

function welcome(told) {
  const back = document.body.classList.contains("offline") && said.size > 0;
  draw.settle(told);
  document.documentElement.lang = told.locale;
  document.body.classList.remove("offline");
  banner.textContent = back ? draw.words.online : "";
  if (back) setTimeout(() => { if (!document.body.classList.contains("offline")) banner.textContent = ""; }, 3000);
  wait = 500;
  furnish(told);
  show(told.messages);
  for (const frame of [...pending.values()]) sendAgain(frame);
  // Not on a phone: focus would open the keyboard, which covers half of the room.
  if (!document.body.classList.contains("ready") && matchMedia("(pointer: fine)").matches) composer.input.focus();
  document.body.classList.add("ready");
}

function furnish(told) {
  for (const each of document.querySelectorAll("[data-word]")) each.textContent = draw.words[each.dataset.word];
  for (const each of document.querySelectorAll("[data-label]")) each.setAttribute("aria-label", draw.words[each.dataset.label]);
  for (const each of document.querySelectorAll("[data-title]")) {
    each.title = draw.words[each.dataset.title];
    each.setAttribute("aria-label", each.title);
  }
  find(".tries").replaceChildren(...["try_one", "try_two", "try_three"].map((word) =>
    draw.make("button", { type: "button", class: "try", on: { click: () => composer.fill(draw.words[word]) } }, draw.words[word])));
  find(".note").textContent = told.note;
  find(".note").hidden = !told.note;
  drawPeople(told.people);
  composer.furnish(told);
}

function drawPeople(all) {
  const legend = find(".people legend");
  find(".people").replaceChildren(legend, ...all.map((each) => {
    const input = draw.make("input", {
      type: "radio", name: "person", value: each.id, checked: each.id === person,
      on: { change: () => { become(each.id); composer.choices.quote(); } },
    });
    const role = each.moderates ? draw.make("small", {}, draw.words.moderator) : null;
    return draw.make("label", { class: `person of-${each.id}` }, input, draw.avatar(each.id), draw.make("span", {}, each.name, role ?? ""));
  }));
  become(person);
}

function become(id) {
  person = id;
  sessionStorage.setItem("person", id);
  document.body.dataset.person = id;
  for (const each of log.querySelectorAll("[data-person]")) each.hidden = each.dataset.person !== id;
}

// Show the room's present messages: remove, add and update elements, and keep all others in place.
function show(messages) {
  const there = new Set(messages.map((each) => each.id));
  for (const id of [...said.keys()]) if (!there.has(id)) remove(id);
  const first = said.size === 0;
  for (const each of messages) said.has(each.id) ? edit(each) : post(each);
  greet();
  if (first) scroll.scrollTop = scroll.scrollHeight;
}

// --- what is said -----------------------------------------------------------------------------------

function post(message) {
  if (said.has(message.id)) return;
  said.set(message.id, message);
  const nonce = message.nonce.slice(message.author.length + 1);
  waiting.get(nonce)?.remove();
  waiting.delete(nonce);
  const element = draw.message(message, room);
  element.hidden = Boolean(message.only) && message.only !== person;
  log.append(element);
  greet();
}

function edit(message) {
  if (!said.has(message.id)) return post(message);
  said.set(message.id, message);
  const card = document.querySelector(`#m${message.id} .card`);
  if (card && message.look) draw.redraw(card, message, room);
  busy();
}

function remove(id) {
  said.delete(id);
  const element = document.getElementById(`m${id}`);
  if (element) clear(element);
  greet();
}

// Remove an element. If it had the keyboard focus, focus the composer.
function clear(element) {
  const focused = element.contains(document.activeElement);
  element.remove();
  if (focused) composer.input.focus();
}

function greet() {
  find(".welcome").hidden = said.size + waiting.size > 0;
  busy();
}

// Turn the drum in the page's header while a video is being made.
function busy() {
  const working = [...said.values()].some((each) => each.look && each.look.progress !== null && each.look.progress !== undefined);
  document.body.classList.toggle("working", working);
}

// Show a notice. A changed list replaces the list whose button was pressed.
function notice(look, whose, origin) {
  const element = draw.notice(look, whose, room, () => clear(element));
  element.dataset.person = whose;
  element.hidden = whose !== person;
  if (look.turned && origin?.isConnected) return turn(origin, element);
  follow(() => {
    log.append(element);
    const theirs = [...log.querySelectorAll(".notice")].filter((each) => each.dataset.person === whose);
    for (const old of theirs.slice(0, -MOST_NOTICES)) clear(old);
  });
}

function turn(before, after) {
  const focused = before.contains(document.activeElement);
  before.replaceWith(after);
  if (focused) (after.querySelector(".row button") ?? after).focus({ preventScroll: true });
  after.scrollIntoView({ block: "nearest" });
}

function jump(id) {
  const element = document.getElementById(`m${id}`);
  if (!element) return;
  element.scrollIntoView({ block: "center", behavior: calm() ? "auto" : "smooth" });
  element.focus({ preventScroll: true });
  element.classList.remove("found");
  requestAnimationFrame(() => element.classList.add("found"));
}

// --- scrolling ------------------------------------------------------------------------------------

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const atEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 120;

function follow(change) {
  const stay = !atEnd();
  change();
  if (!stay) toEnd();
  else find(".latest").hidden = false;
}

function toEnd() {
  requestAnimationFrame(() => { scroll.scrollTop = scroll.scrollHeight; });
  find(".latest").hidden = true;
}

scroll.addEventListener("scroll", () => { if (atEnd()) find(".latest").hidden = true; }, { passive: true });
find(".latest").addEventListener("click", toEnd);
// A video moves the messages below it when its size becomes known: stay at the end if we were there.
let height = 0;
new ResizeObserver(() => {
  const grown = log.offsetHeight - height;
  height = log.offsetHeight;
  if (grown > 0 && scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < grown + 120) scroll.scrollTop = scroll.scrollHeight;
}).observe(log);

// --- buttons ----------------------------------------------------------------------------------------

// `origin`: the notice that has the button. Messages of earlier versions name the button's subject in other fields.
function press({ action, about, job, value }, look, origin) {
  tell({ do: "press", action, about: about ?? job ?? look.job, value: value ?? undefined }, { origin });
}

// Show the room's question in a dialog, with or without a text field.
function ask({ title, button, words, needed }, origin) {
  const dialog = find("dialog");
  const form = dialog.querySelector("form");
  const field = dialog.querySelector("textarea");
  const main = dialog.querySelector(".main");
  dialog.querySelector("h2").textContent = title;
  main.textContent = button.label;
  main.classList.toggle("danger", button.action === "confirm");
  field.hidden = words === undefined;
  field.required = Boolean(needed);
  field.value = words ?? "";
  form.onsubmit = (event) => {
    event.preventDefault();
    if (needed && !field.value.trim()) return;
    dialog.close();
    const { action, about } = button;
    tell({ do: "press", action, about, words: words === undefined ? undefined : field.value.trim() }, { origin });
  };
  form.querySelector("[value=cancel]").onclick = () => dialog.close();
  field.onkeydown = (event) => { if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); } };
  dialog.onclick = (event) => { if (event.target === dialog) dialog.close(); };
  if (dialog.open) dialog.close();
  dialog.showModal();
  if (field.hidden) main.focus();
  else field.select();
}

setInterval(() => draw.tick(document, !document.body.classList.contains("offline")), 1000);
addEventListener("keydown", (event) => {
  // Typing anywhere goes to the composer. Space is excluded: it scrolls or presses a button.
  const typing = event.target.matches("textarea, input:not([type=radio]), select, video") || find("dialog[open]");
  const letter = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (letter && !typing) composer.input.focus();
});
connect();
