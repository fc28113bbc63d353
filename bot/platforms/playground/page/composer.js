// The composer, where people write: text, a command with its options, pictures, a video, a sound, a reply.

import { Choices } from "./choices.js";
import { icon, make, nameOf, picturesOf, say, words } from "./draw.js";

export class Composer {
  // `speaker()(wish)` sends an order or a message, `ask(command, given)` a command; `complain(text)` shows an error.
  constructor(form, { speaker, ask, complain, upload, price }) {
    Object.assign(this, { form, speaker, ask, complain, upload });
    this.choices = new Choices(form, { count: (what) => this.count(what), use: () => this.purpose, price });
    this.input = form.querySelector("textarea");
    this.palette = form.querySelector(".palette");
    this.chip = form.querySelector(".chip");
    this.context = form.querySelector(".context");
    this.file = form.querySelector("input[type=file]");
    this.command = "video";
    this.pictures = [];
    this.clip = null;
    this.sound = null;
    this.target = null;
    this.listen();
  }

  furnish(told) {
    this.commands = told.commands;
    this.kinds = { pictures: told.pictures, sounds: told.sounds, videos: told.videos };
    this.file.accept = Object.values(this.kinds).flatMap((kind) => [...kind.types, ...kind.suffixes]).join();
    this.file.multiple = true;
    this.choices.furnish(told);
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
    if (found && !found.options.length) this.ask(name, {});
    else this.use(name || null);
    this.input.focus();
  }

  key(event) {
    if (event.isComposing) return;
    if (this.isOpen) return this.paletteKey(event);
    if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); this.submit(); }
    else if (event.key === "Backspace" && !this.input.value && this.command) { event.preventDefault(); this.use(null); }
    else if (event.key === "Escape") { this.dropAll(); this.reply(null); }
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

  // The purpose that the command gives to the files of the order, or null.
  get purpose() { return this.commands?.find((each) => each.name === this.command)?.use ?? null; }

  offers(command) { return this.commands.some((each) => each.name === command); }

  use(command) {
    this.command = command;
    this.draw();
  }

  // Set the message that the order replies to. Only the commands for videos can use the video of such a message.
  reply(message) {
    this.target = message;
    const [isVideo, isUsed] = [this.count("video") > 0, ["edit", "extend"].includes(this.purpose)];
    if (isVideo && this.command && !isUsed && this.offers("edit")) this.command = "edit";
    if (!isVideo && isUsed) this.command = "video";
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

  // Take as many pictures as a model accepts, one video and one sound. Show the names of the files that are left out.
  takeAll(files) {
    const most = { pictures: this.choices.mostPictures, sounds: 1, videos: 1 };
    const left = [];
    for (const each of files) {
      const kind = ["sounds", "videos"].find((kind) => isOf(this.kinds[kind], each)) ?? "pictures";
      if (most[kind]-- > 0) this.take(each);
      else left.push(each.name);
    }
    if (left.length) this.complain(say("left_out", { name: left.join(", ") }));
  }

  // Add a file. If there are too many pictures, remove the oldest.
  async take(file) {
    if (isOf(this.kinds.sounds, file)) return this.hear(file);
    if (isOf(this.kinds.videos, file)) return this.watch(file);
    if (!isOf(this.kinds.pictures, file)) return this.complain(words.not_a_picture);
    if (file.size > this.kinds.pictures.most_bytes) return this.complain(words.too_large);
    if (this.pictures.length >= this.choices.mostPictures) this.drop(this.pictures[0]);
    const picture = pictured(file);
    this.pictures.push(picture);
    if (this.command && this.purpose !== "character") this.command = this.count("picture") > 2 ? "character" : "animate";
    this.draw();
    this.input.focus();
    await this.uploaded(picture);
  }

  // Set the video and upload it. Only its commands can use it.
  async watch(file) {
    if (file.size > this.kinds.videos.most_bytes) return this.complain(words.clip_too_large);
    this.unwatch();
    this.clip = pictured(file);
    if (!["edit", "extend"].includes(this.purpose)) this.command = this.offers("edit") ? "edit" : "extend";
    this.draw();
    this.input.focus();
    await this.uploaded(this.clip, "videos");
  }

  unwatch() {
    if (!this.clip) return;
    // The element must not load its file again after the file's address is gone.
    this.clip.preview?.removeAttribute("src");
    this.clip.preview?.load();
    URL.revokeObjectURL(this.clip.url);
    this.clip = null;
    if (["edit", "extend"].includes(this.purpose)) this.command = "video";
    this.draw();
  }

  // If the browser can't show a picture, show the room's copy of it once it is uploaded.
  async unshown(picture) {
    const name = await this.uploaded(picture);
    if (!name || !this.pictures.includes(picture) || picture.shown) return;
    picture.shown = `files/${name}`;
    this.drawContext();
  }

  // Set the sound and upload it. The room shows what is wrong with it.
  async hear(file) {
    this.sound = { file, name: null };
    this.draw();
    this.input.focus();
    await this.uploaded(this.sound, "sounds");
  }

  // Upload a file and return its name in the room, or null. A refused file is removed. If the room does not answer, the
  // file stays for the next try.
  async uploaded(given, kind = "pictures") {
    given.name ??= this.upload(given.file, kind);
    try {
      const name = await given.name;
      if (!name) this.refuse(given);
      return name;
    } catch {
      given.name = null;
      return null;
    }
  }

  // Remove a refused file. Its command stays, so that the words alone are not ordered.
  refuse(given) {
    const { command } = this;
    this.drop(given);
    if (this.sound === given) this.mute();
    if (this.clip === given) this.unwatch();
    if (command !== this.command) this.use(command);
  }

  mute() {
    this.sound = null;
    this.draw();
  }

  drop(picture) {
    if (!this.pictures.includes(picture)) return;
    URL.revokeObjectURL(picture.url);
    this.pictures = this.pictures.filter((each) => each !== picture);
    if (["animate", "character"].includes(this.command) && !this.pictures.length) this.command = "video";
    this.draw();
  }

  dropAll() { for (const each of this.pictures) this.drop(each); }

  // Count the files of the message and those of the message that it replies to.
  count(what) {
    const said = this.target ?? {};
    if (what === "sound") return Number(Boolean(this.sound)) + Number(Boolean(said.sound));
    if (what === "video") return Number(Boolean(this.clip)) + Number(Boolean(said.clip ?? said.video ?? said.original));
    return this.pictures.length + picturesOf(said).length;
  }

  draw() {
    this.chip.hidden = !this.command;
    this.chip.replaceChildren(`/${this.command}`, icon("close"));
    if (this.command) this.chip.setAttribute("aria-label", say("leave_command", { command: this.command }));
    this.input.placeholder = words[this.command ? `say_${this.command}` : "say_plain"];
    this.drawContext();
    this.choices.draw(this.commands.find((each) => each.name === this.command)?.options ?? []);
  }

  drawContext() {
    const shown = [];
    if (this.target) {
      const about = this.target.text || this.target.look?.prompt || this.target.picture?.filename || "";
      shown.push(this.attached(
        this.target.picture ? `files/${this.target.picture.name}` : null,
        `${say("replying", { name: nameOf(this.target.author) })} ${about}`, words.remove_reply, () => this.reply(null)));
    }
    const [count, before] = [this.count("picture"), this.count("picture") - this.pictures.length];
    this.pictures.forEach((picture, place) => {
      const name = picture.file.name;
      const placed = before + place ? say("last_picture", { name }) : say("first_picture", { name });
      shown.push(this.attached(picture.shown ?? picture.url, count === 2 && this.purpose !== "character" ? placed : name, `${words.remove_picture}: ${name}`, () => this.drop(picture), "attach", () => this.unshown(picture)));
    });
    if (this.clip) {
      this.clip.preview ??= make("video", { src: this.clip.url, muted: true, playsInline: true, preload: "metadata", "aria-hidden": "true" });
      shown.push(this.attached(null, this.clip.file.name, words.remove_video, () => this.unwatch(), "attach", () => {}, this.clip.preview));
    }
    if (this.sound) shown.push(this.attached(null, this.sound.file.name, words.remove_sound, () => this.mute(), "sound"));
    this.context.replaceChildren(...shown);
    this.context.hidden = !shown.length;
  }

  attached(url, text, label, remove, sign = "reply", unshown = () => {}, preview = icon(sign)) {
    const failed = (event) => { event.target.replaceWith(icon(sign)); unshown(); };
    return make(
      "div", { class: "attached" }, url ? make("img", { src: url, alt: "", on: { error: failed } }) : preview, make("span", {}, text),
      make("button", { type: "button", class: "tool", "aria-label": label, on: { click: () => { remove(); this.input.focus(); } } }, icon("close")),
    );
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
      if (!found.options.length) { this.clear(); return this.ask(found.name, given(found, typed[2])); }
      [command, text] = [found.name, typed[2] ?? ""];
    }
    this.command = command;
    const lacks = this.lacks(text);
    if (lacks) return this.complain(lacks);
    const isGiven = this.count("picture") + this.count("video") > 0;
    if (!text && !this.pictures.length && !this.clip && !this.sound && !(command && isGiven)) return this.input.focus();
    const wish = { command, text, reply_to: this.target?.id, ...(command ? { wish: this.choices.wish } : {}) };
    const send = this.speaker();
    // A message without files is sent at once, so that a person can type the next one.
    if (this.pictures.length && !(wish.pictures = await this.arrived(this.pictures, "pictures"))) return;
    if (this.clip) {
      const names = await this.arrived([this.clip], "videos");
      if (!names) return;
      [wish.video] = names;
    }
    if (this.sound) {
      const names = await this.arrived([this.sound], "sounds");
      if (!names) return;
      [wish.sound] = names;
    }
    const state = { text: this.input.value, command: this.command, target: this.target, files: this.pictures.map((each) => each.file), watched: this.clip?.file, heard: this.sound?.file };
    this.clear();
    send(wish, state);
  }

  // Return a sentence about what the command needs and the message lacks, or null.
  lacks(text) {
    const use = this.purpose;
    if ((this.command === "animate" || use === "character") && !this.count("picture")) return words.needs_picture;
    if ((use === "edit" || use === "extend") && !this.count("video")) return words.needs_video;
    return (use === "edit" || use === "character") && !text ? words.needs_words : null;
  }

  // Put a sent message back into the composer. Returns false if the composer is no longer empty.
  restore({ text, command, target, files, watched, heard }) {
    if (this.input.value || this.pictures.length || this.clip || this.sound || this.target) return false;
    this.input.value = text;
    this.target = target ?? null;
    this.pictures = (files ?? []).map(pictured);
    if (watched) this.clip = pictured(watched);
    if (heard) this.sound = { file: heard, name: null };
    this.use(command);
    this.grow();
    return true;
  }

  // Return the files' names once all are uploaded, or null. Until then nothing can be typed or sent. If an upload fails,
  // the message stays in the composer.
  async arrived(files, kind) {
    this.input.readOnly = true;
    const names = await Promise.all(files.map((each) => this.uploaded(each, kind)));
    this.input.readOnly = false;
    return names.every(Boolean) && files.every((each) => this.pictures.includes(each) || this.clip === each || this.sound === each) ? names : null;
  }

  clear() {
    this.input.value = "";
    this.target = null;
    this.sound = null;
    this.unwatch();
    this.dropAll();
    if (this.command !== null) this.command = "video";
    this.close();
    this.grow();
    this.draw();
  }
}

function pictured(file) {
  return { file, url: URL.createObjectURL(file), name: null };
}

// Return the text after a command as the value of its argument.
function given({ arguments: [name] }, text) {
  return name && text?.trim() ? { [name]: text.trim() } : {};
}

// Compare the type, or the end of the name, because browsers give some files no type.
function isOf({ types, suffixes }, { type, name }) {
  const fits = (each) => each.endsWith("/*") ? type.startsWith(each.slice(0, -1)) : each === type;
  return types.some(fits) || suffixes.some((each) => name.toLowerCase().endsWith(each));
}
