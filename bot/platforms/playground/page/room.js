// The room: keeps the socket, shows what is said, hands on what people do.

import { Composer } from "./composer.js";
import * as draw from "./draw.js";

const find = (selector) => document.querySelector(selector);
const language = navigator.language || "en";
const scroll = find(".scroll");
const log = find(".log");
const banner = find(".banner");

const said = new Map(); // messages by id
const pending = new Map(JSON.parse(sessionStorage.getItem("pending") ?? "[]")); // frames that the room has not heard yet, by nonce
const kept = new Map(); // what the composer had when it sent them
const origins = new Map(); // the notice whose button they are of
const sent = new Set(); // those that left for the room
const waiting = new Map(); // what stands for them in the room while it is away
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
  // Whoever speaks is whoever began to: a picture takes its time, and somebody may switch meanwhile.
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
    if (told.notice?.turned) composer.choices.quote(); // a setting may be another one
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

// What was said or pressed is told again until it is heard: twice is as good as once. A question is
// not: /cancel would stop another video.
function sendAgain(frame) {
  if (frame.do === "ask" && sent.has(frame.nonce)) forget(frame.nonce);
  else send(frame);
}

// A reload forgets nothing that was not heard, except questions.
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

// What is said to a room that is away stands there in grey until it is heard.
function standIn(frame) {
  if (frame.do !== "say" || waiting.has(frame.nonce) || !draw.words.pending) return;
  waiting.set(frame.nonce, draw.pending(frame));
  log.append(waiting.get(frame.nonce));
  greet();
}

// Refused words go back where they were typed; where other words are by now, the notice has them.
function giveBack(frame, told) {
  const state = kept.get(frame.nonce) ?? { text: frame.text, command: frame.command ?? null };
  if (frame.person === person && composer.restore(state)) return;
  if (frame.text) told.prompt = frame.text;
}

// What the room can't read it will never hear: whoever said it is told, and it is not said again.
function unheard(nonce) {
  const frames = nonce ? [pending.get(nonce)] : [...pending.values()];
  for (const frame of frames.filter(Boolean)) {
    forget(frame.nonce);
    notice({ tone: "failed", text: [draw.words.unheard], prompt: frame.text ?? frame.words }, frame.person);
  }
}

// In words; empty where the room says nothing.
async function price(draft) {
  try {
    const answer = await fetch(`quote?${new URLSearchParams({ locale: language })}`, { method: "POST", body: JSON.stringify({ person, ...draft }) });
    return answer.ok ? (await answer.json()).text : "";
  } catch {
    return "";
  }
}

// The name that the room gave the file; null if it refused it. Throws if it did not answer.
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
  // On a phone that would call up the keyboard, over half of the room.
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

// The room as it is now: what is gone goes, what is new comes, what stands stays where it is.
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

// Whoever was in it with the keyboard goes on in the composer.
function clear(element) {
  const focused = element.contains(document.activeElement);
  element.remove();
  if (focused) composer.input.focus();
}

function greet() {
  find(".welcome").hidden = said.size + waiting.size > 0;
  busy();
}

// The drum in the head turns while something is being made.
function busy() {
  const working = [...said.values()].some((each) => each.look && each.look.progress !== null && each.look.progress !== undefined);
  document.body.classList.toggle("working", working);
}

// A list that was turned takes the place of the one whose button was pressed.
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
// A video that learns its size pushes what follows down: stay at the end if we were there.
let height = 0;
new ResizeObserver(() => {
  const grown = log.offsetHeight - height;
  height = log.offsetHeight;
  if (grown > 0 && scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < grown + 120) scroll.scrollTop = scroll.scrollHeight;
}).observe(log);

// --- buttons ----------------------------------------------------------------------------------------

// `origin`: the notice that the button is in. Messages of former times name its subject otherwise.
function press({ action, about, job, value }, look, origin) {
  tell({ do: "press", action, about: about ?? job ?? look.job, value: value ?? undefined }, { origin });
}

// A question of the room, with a field for words or without.
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
  // What is typed anywhere is on its way to the composer. Space scrolls, or presses a button.
  const typing = event.target.matches("textarea, input:not([type=radio]), select, video") || find("dialog[open]");
  const letter = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (letter && !typing) composer.input.focus();
});
connect();
