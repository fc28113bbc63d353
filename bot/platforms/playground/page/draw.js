// Build the elements of messages. Text is only ever set as text, never as markup.

export const words = {};
export const people = new Map();
let locale = "en";
let bot = ""; // the id of the bot as an author
let skew = 0; // seconds by which the server's clock is ahead of ours

export function settle(welcome) {
  Object.assign(words, welcome.words);
  locale = welcome.locale;
  bot = welcome.bot;
  skew = welcome.now - Date.now() / 1000;
  people.clear();
  for (const person of welcome.people) people.set(person.id, person);
}

export function say(word, values = {}) {
  return words[word].replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    else if (name === "class") element.className = value;
    else if (name in element && !name.includes("-") && name !== "role") element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function icon(name) {
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  picture.append(use);
  return picture;
}

// --- time ---------------------------------------------------------------------------------------

export const now = () => Date.now() / 1000 + skew;

const MOST_HEARD = 60; // letters of a message's text in its accessible name
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

function relative(at) {
  const left = at - now();
  const [unit, length] = UNITS.find(([, seconds]) => Math.abs(left) >= seconds) ?? UNITS[3];
  return new Intl.RelativeTimeFormat(locale, { numeric: "always" }).format(Math.round(left / length), unit);
}

const shown = {
  soon: (at) => (at > now() + 0.5 ? relative(at) : words.soon),
  relative: (at) => (Math.abs(at - now()) < 0.5 ? words.now : relative(at)),
  date: (at) => new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(at * 1000),
  clock: (at) => new Intl.DateTimeFormat(locale, { timeStyle: "short" }).format(at * 1000),
};

function time(kind, at) {
  const element = make("time", { dateTime: new Date(at * 1000).toISOString() }, shown[kind](at));
  element.dataset.kind = kind;
  element.dataset.at = at;
  return element;
}

// Update relative times, and move the pale part of a progress bar towards the time when its video is due. While the room
// is not connected (`isLive` is false), bars and due times stay as they are.
export function tick(root, isLive) {
  for (const element of root.querySelectorAll("time[data-kind]")) {
    if (element.dataset.kind === "soon" && !isLive) continue;
    const text = shown[element.dataset.kind](Number(element.dataset.at));
    if (element.textContent !== text) element.textContent = text;
  }
  if (isLive) for (const bar of root.querySelectorAll(".strip")) glide(bar);
}

function glide(bar) {
  const { from, since, ready } = bar.dataset;
  let share = Number(from);
  if (ready && Number(ready) > Number(since)) {
    const gone = (now() - since) / (ready - since);
    share += (96 - share) * Math.min(Math.max(gone, 0), 1);
  }
  bar.querySelector(".guess").style.width = `${Math.min(share, 100)}%`;
  bar.querySelector(".fill").style.width = `${Math.min(Number(from), 100)}%`;
}

// --- sentences ----------------------------------------------------------------------------------

function piece(each) {
  if (typeof each === "string") return each;
  if (each.person !== undefined) {
    return make("b", { class: `mention of-${each.person}` }, people.get(each.person)?.name ?? each.person);
  }
  const [[kind, at]] = Object.entries(each);
  return time(kind, at);
}

// Return a sentence as plain text.
function flat(pieces) {
  return pieces.map((each) => {
    const it = piece(each);
    return typeof it === "string" ? it : it.textContent;
  }).join("");
}

export function sentence(tag, className, pieces) {
  return make(tag, { class: className }, ...pieces.map(piece));
}

export function avatar(author) {
  if (author === bot) return make("span", { class: "avatar of-bot", "aria-hidden": "true" }, icon("drum"));
  const name = people.get(author)?.name ?? "?";
  return make("span", { class: `avatar of-${author}`, "aria-hidden": "true" }, name[0]);
}

export function nameOf(author) {
  return author === bot ? words.title : (people.get(author)?.name ?? author);
}

// --- messages -----------------------------------------------------------------------------------

// `room` offers: press(button, look), reply(message), animate(message), get(id), jump(id).
export function message(it, room) {
  const by = make(
    "p", { class: "by" },
    make("b", { class: `of-${it.author}` }, nameOf(it.author)),
    it.author === bot ? make("span", { class: "tag" }, words.bot) : null,
    it.command ? make("span", { class: "command" }, `/${it.command}`) : null,
    it.look?.person && !it.reply_to && !it.only ? make("span", { class: "tag" }, say("for_person", { name: nameOf(it.look.person) })) : null,
    time("clock", it.at),
  );
  const body = make("div", { class: "body" }, by, quote(it, room));
  const element = make(
    "article", { class: `message ${it.look ? "ours" : "theirs"}`, id: `m${it.id}`, tabIndex: -1 },
    avatar(it.author), body,
  );
  if (it.only) {
    element.dataset.person = it.only;
    by.insertBefore(make("span", { class: "tag" }, say("only_you", { name: nameOf(it.only) })), by.lastChild);
  }
  if (it.look) body.append(card(it, room));
  else body.append(...said(it), tools(it, room));
  element.setAttribute("aria-label", label(it));
  return element;
}

// Return a message's accessible name: its author and its beginning, so that a screen reader tells messages apart.
function label(it) {
  const told = it.look ? `${flat(it.look.text)} ${it.look.prompt ?? ""}` : it.text;
  const text = (told || it.picture?.filename || it.clip?.filename || "").trim();
  return say("says", { name: nameOf(it.author), text: text.length > MOST_HEARD ? `${text.slice(0, MOST_HEARD)}…` : text });
}

// Build the element of a message that the room has not received yet.
export function pending(frame) {
  const by = make(
    "p", { class: "by" },
    make("b", { class: `of-${frame.person}` }, nameOf(frame.person)),
    frame.command ? make("span", { class: "command" }, `/${frame.command}`) : null,
    make("span", { class: "tag" }, words.pending),
  );
  const text = make("p", { class: "text" }, frame.text);
  return make("article", { class: "message theirs pending" }, avatar(frame.person), make("div", { class: "body" }, by, text));
}

function quote(it, room) {
  if (!it.reply_to) return null;
  const target = room.get(it.reply_to);
  if (it.look?.prompt && target?.text === it.look.prompt) return null; // the quoted message already shows this prompt
  const text = target ? (target.text || target.look?.prompt || target.picture?.filename || target.clip?.filename || `/${target.command}`) : words.gone;
  return make(
    "button", { type: "button", class: "quote", on: { click: () => room.jump(it.reply_to) } },
    icon("reply"), make("b", {}, target ? nameOf(target.author) : ""), ` ${text}`,
  );
}

// Return the pictures of a person's message, in order.
export function picturesOf(it) { return [it.picture, it.last_picture, ...(it.more ?? [])].filter(Boolean); }

function said(it) {
  const text = it.text ? make("p", { class: "text" }, it.text) : null;
  const given = picturesOf(it).map((each) => make("img", {
    class: "picture", src: `files/${each.name}`, alt: say("picture_of", { name: nameOf(it.author) }),
    width: each.width, height: each.height, loading: "lazy",
  }));
  const pictures = given.length > 1 ? make("div", { class: "pictures" }, ...given) : given[0];
  const sound = it.sound
    ? make("audio", { src: `files/${it.sound.name}`, controls: true, preload: "none", "aria-label": say("sound_of", { name: nameOf(it.author) }) })
    : null;
  const clip = it.clip
    ? make("video", { class: "clip", src: `files/${it.clip.name}`, controls: true, playsInline: true, preload: "metadata", "aria-label": say("clip_of", { name: nameOf(it.author) }) })
    : null;
  return [text, pictures, clip, sound].filter(Boolean);
}

function tools(it, room) {
  return make(
    "div", { class: "tools" },
    it.picture ? tool("animate", words.animate, () => room.animate(it)) : null,
    tool("reply", words.reply, () => room.reply(it)),
  );
}

function tool(name, label, click) {
  return make("button", { type: "button", class: "tool", on: { click } }, icon(name), label);
}

// A card is updated part by part, so that a screen reader reads only the changed parts.
function card(it, room) {
  const element = make("div", { class: "card" });
  redraw(element, it, room);
  return element;
}

export function redraw(element, it, room) {
  const look = it.look;
  element.closest("article")?.setAttribute("aria-label", label(it));
  const settled = !it.video && !it.original && look.tone === "done";
  element.className = `card ${look.tone}${settled ? " settled" : ""}${it.video ? " video" : ""}`;
  part(element, "text", look.text, () => sentence("p", "text", look.text));
  part(element, "video", it.video, () => video(it));
  part(element, "prompt", look.prompt, () => make("blockquote", { class: "prompt" }, look.prompt));
  part(element, "strip", look.progress ?? null, () => strip(look));
  part(element, "link", look.link, () => make("a", { class: "link", href: look.link, target: "_blank", rel: "noopener" }, look.link));
  part(element, "facts", look.facts.length ? look.facts : null, () => facts(look.facts));
  part(element, "file", it.original ?? it.video, () =>
    make("div", {}, asFile(it.original ?? it.video), tool("reply", words.reply, () => room.reply(it))));
  part(element, "row", look.buttons.length ? look.buttons : null, () =>
    make("div", { class: "row" }, ...look.buttons.map((each) => button(each, look, room))));
}

function part(card, name, value, build) {
  const key = JSON.stringify(value ?? null);
  const before = card.querySelector(`:scope > .part-${name}`);
  if (before?.dataset.key === key) return;
  if (value === null || value === undefined) {
    before?.remove();
    return;
  }
  const focused = before?.contains(document.activeElement);
  const wrapper = make("div", { class: `part-${name}` }, build());
  if (name === "strip" && before) {
    // Keep the bar's element and change its values: a new element would not move smoothly.
    before.dataset.key = key;
    Object.assign(before.firstChild.dataset, wrapper.firstChild.dataset);
    before.firstChild.setAttribute("aria-valuenow", value);
    before.lastChild.textContent = wrapper.lastChild.textContent;
    glide(before.firstChild);
    return;
  }
  if (name !== "text") wrapper.setAttribute("aria-live", "off");
  wrapper.dataset.key = key;
  if (before) before.replaceWith(wrapper);
  else card.append(wrapper);
  if (focused) (wrapper.querySelector("button") ?? card.closest("article"))?.focus();
  order(card);
}

const ORDER = ["text", "video", "prompt", "strip", "link", "facts", "file", "row"].map((name) => `part-${name}`);

function order(card) {
  const sorted = [...card.children].sort((a, b) => ORDER.indexOf(a.className) - ORDER.indexOf(b.className));
  sorted.forEach((child, place) => {
    if (card.children[place] !== child) card.insertBefore(child, card.children[place]);
  });
}

function facts(all) {
  return make("ul", { class: "facts" }, ...all.map((fact) => sentence("li", "", fact)));
}

function strip(look) {
  const bar = make(
    "div", {
      class: "strip", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100",
      "aria-valuenow": String(look.progress), "aria-label": look.prompt || words.progress,
    },
    make("div", { class: "guess" }), make("div", { class: "fill" }),
  );
  const ready = look.facts.flat().find((each) => each.soon !== undefined)?.soon;
  bar.dataset.from = look.progress;
  bar.dataset.since = now();
  if (ready) bar.dataset.ready = ready;
  glide(bar);
  const frame = document.createDocumentFragment();
  frame.append(bar, make("span", { class: "percent" }, `${look.progress} %`));
  return frame;
}

function video(it) {
  const file = it.video;
  return make("video", {
    controls: true, playsInline: true, preload: "metadata", src: `files/${file.name}`,
    poster: file.still ? `files/${file.still}` : null, width: file.width, height: file.height,
    "aria-label": say("video_of", { prompt: it.look.prompt ?? "" }),
  });
}

// A link to the original: the video that plays may have been converted.
function asFile(file) {
  return make("a", { class: "tool", href: `files/${file.name}`, download: file.filename }, icon("down"), words.as_file);
}

const SIGNS = {
  retry: "retry", remix: "remix", edit: "remix", delete: "delete", cancel: "close", silence: "close", stop: "close",
  continue: "continue", finer: "finer", shorter: "shorter", tryon: "tryon", show: "reply",
};

function button(each, look, room, origin) {
  const isValue = each.action === "setting" && each.value;
  return make(
    "button", {
      type: "button", class: `button ${each.action}${isValue ? " value" : ""}`, "aria-pressed": isValue ? String(each.chosen) : null,
      on: { click: () => room.press(each, look, origin) },
    },
    SIGNS[each.action] ? icon(SIGNS[each.action]) : null, each.label,
  );
}

// --- what only one person sees ------------------------------------------------------------------

export function notice(look, person, room, dismiss) {
  const only = say("only_you", { name: nameOf(person) });
  const element = make("div", { class: `notice ${look.tone}`, role: "group", "aria-label": `${only}: ${flat(look.text)}`, tabIndex: -1 });
  const buttons = (look.buttons ?? []).map((each) => button(each, look, room, element));
  if (look.jump) buttons.unshift(jump(look.jump, room));
  element.append(...[
    make(
      "div", { class: "head" }, make("span", { class: "only" }, only),
      make("button", { type: "button", class: "tool", "aria-label": words.dismiss, on: { click: dismiss } }, icon("close")),
    ),
    sentence("p", "text", look.text),
    look.prompt ? make("blockquote", { class: "prompt" }, look.prompt) : null,
    look.facts?.length ? make("ul", { class: "lines" }, ...look.facts.map((fact) => sentence("li", "", fact))) : null,
    buttons.length ? make("div", { class: "row" }, ...buttons) : null,
  ].filter(Boolean));
  return element;
}

function jump(place, room) {
  const lead = (event) => { event.preventDefault(); room.jump(place.slice(2)); };
  return make("a", { class: "button", href: place, on: { click: lead } }, icon("down"), words.jump);
}
