// The composer: words, a command, what can be chosen with it, a picture, a sound, a reply.

import { icon, make, nameOf, say, words } from "./draw.js";

const CHOICES = ["model", "seconds", "quality", "aspect", "preset", "sound", "enhance", "watermark"];
const AUTO = "-1"; // in place of seconds: the model chooses

export class Composer {
  // `speaker()(wish)` and `ask(query)` hand on what was typed, `complain(text)` says what is wrong.
  constructor(form, { speaker, ask, complain, upload, price }) {
    Object.assign(this, { form, speaker, ask, complain, upload, price });
    this.input = form.querySelector("textarea");
    this.palette = form.querySelector(".palette");
    this.chip = form.querySelector(".chip");
    this.context = form.querySelector(".context");
    this.options = form.querySelector(".options");
    this.quoted = form.querySelector(".quote");
    this.quotes = 0;
    this.file = form.querySelector("input[type=file]");
    this.command = "video";
    this.chosen = {};
    this.picture = null;
    this.sound = null;
    this.target = null;
    this.listen();
  }

  furnish({ commands, models, preferred, aspects, qualities, presets, switches, pictures, sounds }) {
    Object.assign(this, { commands, models, preferred, aspects, qualities, presets, switches, pictures, sounds });
    this.file.accept = [pictures, sounds].flatMap((kind) => [...kind.types, ...kind.suffixes]).join();
    this.draw();
  }

  listen() {
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.submit(); });
    this.input.addEventListener("input", () => { this.grow(); this.suggest(); });
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => setTimeout(() => this.close(), 150));
    addEventListener("paste", (event) => {
      const files = event.clipboardData?.files ?? [];
      if (files.length && !document.querySelector("dialog[open]")) { event.preventDefault(); this.takeAll(files); }
    });
    this.chip.addEventListener("click", () => { this.use(null); this.input.focus(); });
    this.form.querySelector(".attach").addEventListener("click", () => this.file.click());
    this.file.addEventListener("change", () => {
      this.takeAll(this.file.files);
      this.file.value = "";
    });
    this.options.addEventListener("scroll", () => this.hint(), { passive: true });
    addEventListener("resize", () => this.hint());
    this.drops();
  }

  drops() {
    const carries = (event) => event.dataTransfer?.types.includes("Files");
    addEventListener("dragover", (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      document.body.classList.add("dropping");
    });
    addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) document.body.classList.remove("dropping");
    });
    addEventListener("drop", (event) => {
      document.body.classList.remove("dropping");
      if (!carries(event)) return;
      event.preventDefault();
      this.takeAll(event.dataTransfer.files);
    });
  }

  // --- the palette ------------------------------------------------------------------------------

  get isOpen() { return !this.palette.hidden; }

  suggest() {
    const typed = /^\/(\w*)$/.exec(this.input.value);
    if (!typed) return this.close();
    const able = this.commands.filter((each) => each.name.startsWith(typed[1].toLowerCase()));
    const rows = able.map((each) => ({ name: each.name, label: `/${each.name}`, says: each.says }));
    if (this.command && !typed[1]) rows.push({ name: "", label: "…", says: say("leave_command", { command: this.command }) });
    this.palette.replaceChildren(...rows.map((row, place) => make(
      "li", { id: `choice-${place}`, role: "option", "aria-selected": String(place === 0), on: { mousedown: (event) => { event.preventDefault(); this.choose(row.name); } } },
      make("b", {}, row.label), make("span", {}, row.says),
    )));
    if (!rows.length) this.palette.append(make("li", { class: "none", role: "option", "aria-disabled": "true", "aria-selected": "false" }, words.no_command));
    this.rows = rows;
    this.palette.hidden = false;
    this.mark(0);
  }

  mark(place) {
    this.marked = place;
    [...this.palette.children].forEach((row, each) => row.setAttribute("aria-selected", String(each === place)));
    const row = this.palette.children[place];
    row?.scrollIntoView({ block: "nearest" });
    if (this.rows.length) this.input.setAttribute("aria-activedescendant", row.id);
  }

  close() {
    this.palette.hidden = true;
    this.input.removeAttribute("aria-activedescendant");
  }

  choose(name) {
    this.input.value = "";
    this.close();
    const found = this.commands.find((each) => each.name === name);
    if (found && !found.options.length) this.ask(name);
    else this.use(name || null);
    this.input.focus();
  }

  key(event) {
    if (event.isComposing) return;
    if (this.isOpen) return this.paletteKey(event);
    if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); this.submit(); }
    else if (event.key === "Backspace" && !this.input.value && this.command) { event.preventDefault(); this.use(null); }
    else if (event.key === "Escape") { this.drop(); this.reply(null); }
  }

  paletteKey(event) {
    const last = this.rows.length - 1;
    const moves = { ArrowDown: this.marked === last ? 0 : this.marked + 1, ArrowUp: this.marked ? this.marked - 1 : last, Home: 0, End: last };
    if (event.key in moves) { event.preventDefault(); this.mark(moves[event.key]); }
    else if (event.key === "Escape") { event.preventDefault(); this.input.value = ""; this.close(); }
    else if (["Enter", "Tab"].includes(event.key) && this.rows.length) { event.preventDefault(); this.choose(this.rows[this.marked].name); }
    else if (event.key === "Enter") event.preventDefault();
  }

  // --- command, options, picture, reply ---------------------------------------------------------

  use(command) {
    this.command = command;
    this.draw();
  }

  reply(message) {
    this.target = message;
    this.draw();
  }

  animate(message) {
    this.target = message;
    this.use("animate");
    this.input.focus();
  }

  fill(text) {
    this.input.value = text;
    this.use("video");
    this.grow();
    this.input.focus();
  }

  // A message carries one picture and one sound: what else comes at once is said to be left out.
  takeAll(files) {
    const [first, ...others] = [...files];
    const second = others.find((each) => isOf(this.sounds, each) !== isOf(this.sounds, first));
    const left = others.filter((each) => each !== second).map((each) => each.name);
    for (const each of [first, second]) if (each) this.take(each);
    if (left.length) this.complain(say("left_out", { name: left.join(", ") }));
  }

  async take(file) {
    if (isOf(this.sounds, file)) return this.hear(file);
    if (!isOf(this.pictures, file)) return this.complain(words.not_a_picture);
    if (file.size > this.pictures.most_bytes) return this.complain(words.too_large);
    this.drop();
    this.picture = { file, url: URL.createObjectURL(file), name: null };
    if (this.command) this.command = "animate";
    this.draw();
    this.input.focus();
    await this.uploaded(this.picture);
  }

  // Of a file that a browser can't show it is shown the room's copy, once that is there.
  async unshown(picture) {
    const name = await this.uploaded(picture);
    if (!name || this.picture !== picture || picture.shown) return;
    picture.shown = `files/${name}`;
    this.drawContext();
  }

  // One beside the picture; the room says what is wrong with it.
  async hear(file) {
    this.sound = { file, name: null };
    this.draw();
    this.input.focus();
    await this.uploaded(this.sound, "sounds");
  }

  // Its name in the room, or null: refused it is let go, unanswered it waits for the next try.
  async uploaded(given, kind = "pictures") {
    given.name ??= this.upload(given.file, kind);
    try {
      const name = await given.name;
      if (!name && this.picture === given) this.drop();
      if (!name && this.sound === given) this.mute();
      return name;
    } catch {
      given.name = null;
      return null;
    }
  }

  mute() {
    this.sound = null;
    this.draw();
  }

  drop() {
    if (!this.picture) return;
    URL.revokeObjectURL(this.picture.url);
    this.picture = null;
    if (this.command === "animate") this.command = "video";
    this.draw();
  }

  // What the message carries counts, and what the one carries that it replies to.
  count(what) { return Number(Boolean(this[what])) + Number(Boolean(this.target?.[what])); }

  get pictured() { return this.count("picture") > 0; }

  get kind() { return this.count("sound") ? "s2v" : ["t2v", "i2v", "kf2v"][this.count("picture")]; }

  draw() {
    this.chip.hidden = !this.command;
    this.chip.replaceChildren(`/${this.command}`, icon("close"));
    if (this.command) this.chip.setAttribute("aria-label", say("leave_command", { command: this.command }));
    this.input.placeholder = words[this.command ? `say_${this.command}` : "say_plain"];
    this.drawContext();
    this.drawOptions();
  }

  drawContext() {
    const shown = [];
    if (this.target) {
      const about = this.target.text || this.target.look?.prompt || this.target.picture?.filename || "";
      shown.push(this.attached(
        this.target.picture ? `files/${this.target.picture.name}` : null,
        `${say("replying", { name: nameOf(this.target.author) })} ${about}`, words.remove_reply, () => this.reply(null)));
    }
    const picture = this.picture;
    if (picture) shown.push(this.attached(picture.shown ?? picture.url, picture.file.name, words.remove_picture, () => this.drop(), "attach", () => this.unshown(picture)));
    if (this.sound) shown.push(this.attached(null, this.sound.file.name, words.remove_sound, () => this.mute(), "sound"));
    this.context.replaceChildren(...shown);
    this.context.hidden = !shown.length;
  }

  attached(url, text, label, remove, sign = "reply", unshown = () => {}) {
    const failed = (event) => { event.target.replaceWith(icon(sign)); unshown(); };
    return make(
      "div", { class: "attached" }, url ? make("img", { src: url, alt: "", on: { error: failed } }) : icon(sign), make("span", {}, text),
      make("button", { type: "button", class: "tool", "aria-label": label, on: { click: () => { remove(); this.input.focus(); } } }, icon("close")),
    );
  }

  drawOptions() {
    const offered = this.command ? (this.commands.find((each) => each.name === this.command)?.options ?? []) : [];
    const lists = this.lists();
    const focused = document.activeElement?.name;
    this.options.replaceChildren(...offered.filter((name) => lists[name]?.length).map((name) => this.select(name, lists[name])));
    this.options.hidden = !offered.length;
    this.hint();
    this.quote(offered.length > 0);
    if (focused) this.options.querySelector(`[name=${focused}]`)?.focus();
  }

  // What would be made, and what it costs; an answer that was overtaken is not shown.
  async quote(isOffered) {
    const number = ++this.quotes;
    const draft = { ...this.picked(), pictures: this.count("picture"), sounds: this.count("sound") };
    const told = isOffered ? await this.price(draft) : "";
    if (number === this.quotes) this.quoted.textContent = told;
  }

  // On a phone the row goes on beyond the edge.
  hint() {
    const { scrollWidth, scrollLeft, clientWidth } = this.options;
    this.options.classList.toggle("more", scrollWidth - scrollLeft - clientWidth > 4);
  }

  // What any model of the family makes of all that is chosen besides; what goes no more is let go.
  lists() {
    const kept = {};
    for (const name of CHOICES) {
      if (name in this.chosen && this.offers(name, kept).includes(this.chosen[name])) kept[name] = this.chosen[name];
    }
    this.chosen = kept;
    const labels = { ...Object.fromEntries(this.models.map((each) => [each.family, each.label])), ...this.presets, draft: words.draft };
    const shown = (name, value) => {
      if (this.switches.includes(name)) return words[`${name}_${value}`];
      if (name === "seconds") return value === AUTO ? words.auto : `${value} s`;
      return labels[value] ?? value;
    };
    return Object.fromEntries(CHOICES.map((name) => {
      const { [name]: _, ...rest } = this.chosen;
      return [name, this.offers(name, name === "model" ? {} : rest).map((value) => [value, shown(name, value)])];
    }));
  }

  offers(name, rest) {
    const able = this.models.filter((each) => each.kinds.includes(this.kind));
    if (name === "model") return [...new Set(able.map((each) => each.family))];
    if (name === "preset") return this.pictured ? Object.keys(this.presets) : [];
    const preferred = able.some((each) => each.family === this.preferred) ? this.preferred : able[0]?.family;
    const family = able.filter((each) => each.family === (rest.model ?? preferred));
    const all = {
      seconds: () => this.count("sound") ? [] : [...new Set(family.flatMap((each) => Object.values(each.qualities).flatMap(({ seconds }) => seconds)))].sort((a, b) => a - b).map(String),
      quality: () => this.qualities, aspect: () => this.aspects,
    }[name]?.() ?? ["on", "off"];
    const had = all.filter((value) => family.some((each) => makes(each, { ...rest, [name]: value }, this.kind)));
    if (this.switches.includes(name)) return had.length > 1 ? had : [];
    return name === "quality" && had.length > 1 ? ["draft", ...had] : had;
  }

  select(name, choices) {
    const select = make(
      "select", { name, "aria-label": words[name], title: words[name], on: { change: () => this.pick(name, select.value) } },
      make("option", { value: "" }, `${words[`any_${name}`]}`),
      ...choices.map(([value, label]) => make("option", { value, selected: this.chosen[name] === value }, label)),
    );
    select.classList.toggle("picked", name in this.chosen);
    return select;
  }

  pick(name, value) {
    if (value) this.chosen[name] = value;
    else delete this.chosen[name];
    this.drawOptions();
  }

  grow() {
    this.input.style.height = "auto";
    this.input.style.height = `${this.input.scrollHeight}px`;
  }

  // --- sending ----------------------------------------------------------------------------------

  async submit() {
    if (this.input.readOnly) return;
    let text = this.input.value.trim();
    let command = this.command;
    const typed = /^\/(\w+)(?:\s+([\s\S]*))?$/.exec(text);
    if (typed) {
      const found = this.commands.find((each) => each.name === typed[1].toLowerCase());
      if (!found) return this.complain(words.no_command);
      if (!found.options.length) { this.clear(); return this.ask(found.name); }
      [command, text] = [found.name, typed[2] ?? ""];
    }
    if (command === "animate" && !this.pictured) return this.complain(words.needs_picture);
    if (!text && !this.picture && !this.sound && !(command && this.pictured)) return this.input.focus();
    const wish = { command, text, reply_to: this.target?.id, ...(command ? this.picked() : {}) };
    const send = this.speaker();
    if (this.picture && !(wish.picture = await this.arrived("picture"))) return;
    if (this.sound && !(wish.sound = await this.arrived("sound"))) return;
    const state = { text: this.input.value, command: this.command, target: this.target, file: this.picture?.file, heard: this.sound?.file };
    this.clear();
    send(wish, state);
  }

  // Puts back what was sent; false if there is something else by now.
  restore({ text, command, target, file, heard }) {
    if (this.input.value || this.picture || this.sound || this.target) return false;
    this.input.value = text;
    this.target = target ?? null;
    if (file) this.picture = { file, url: URL.createObjectURL(file), name: null };
    if (heard) this.sound = { file: heard, name: null };
    this.use(command);
    this.grow();
    return true;
  }

  // The file's name once the room has it; nothing is typed or sent meanwhile, or lost if it fails.
  async arrived(what) {
    const given = this[what];
    this.input.readOnly = true;
    const name = await this.uploaded(given, `${what}s`);
    this.input.readOnly = false;
    return this[what] === given ? name : null;
  }

  picked() {
    return { wish: Object.fromEntries(Object.entries(this.chosen).map(([name, value]) => [name, value === AUTO ? "auto" : value])) };
  }

  clear() {
    this.input.value = "";
    this.target = null;
    this.sound = null;
    if (this.picture) this.drop();
    if (this.command === "animate") this.command = "video";
    this.close();
    this.grow();
    this.draw();
  }
}

// Whether one model makes that, by the rules of the service.
function makes(model, { seconds, quality, aspect, ...rest }, kind) {
  const can = Object.entries(model.qualities).filter(([, each]) => each.kinds.includes(kind));
  const long = ([, each]) => !seconds || each.seconds.includes(Number(seconds));
  const shaped = ([, each]) => {
    const shapes = kind === "t2v" ? each.shapes : each.reshaped;
    return !aspect || !shapes.length || shapes.includes(aspect);
  };
  if (Object.entries(model.switches).some(([name, able]) => rest[name] && !able.includes(rest[name]))) return false;
  if (quality === "draft") return can.some((each) => long(each) && shaped(each));
  const chosen = quality ? can.find(([name]) => name === quality) : can.find(long) ?? can[0];
  return chosen !== undefined && long(chosen) && shaped(chosen);
}

// Browsers know no type for some files: then the name counts.
function isOf({ types, suffixes }, { type, name }) {
  const fits = (each) => each.endsWith("/*") ? type.startsWith(each.slice(0, -1)) : each === type;
  return types.some(fits) || suffixes.some((each) => name.toLowerCase().endsWith(each));
}
