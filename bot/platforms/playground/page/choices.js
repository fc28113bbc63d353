// The options of an order: menus and fields under the prompt, and the line that says what they make and cost.

import { make, words } from "./draw.js";

const MENUS = ["model", "seconds", "quality", "aspect", "preset", "sound", "enhance", "watermark", "fit"];
const RARE = ["fit", "seed", "enhance", "watermark"]; // behind "More options", like all text fields
const AUTO = "-1"; // instead of a number of seconds: the model chooses

export class Choices {
  // `count(what)` returns how many pictures, videos or sounds belong to the order, `use()` the purpose that its command
  // gives them. `price(draft)` returns the line with the cost.
  constructor(form, { count, use, price }) {
    Object.assign(this, { form, count, use, price });
    this.row = form.querySelector(".choices");
    this.options = form.querySelector(".options");
    this.more = form.querySelector(".more");
    this.rest = form.querySelector(".rest");
    this.quoted = form.querySelector(".quote");
    this.quotes = 0;
    this.chosen = {};
    this.texts = {};
    this.offered = [];
    this.more.addEventListener("click", () => this.open(this.rest.hidden));
    this.options.addEventListener("scroll", () => this.hint(), { passive: true });
    addEventListener("resize", () => this.hint());
  }

  // `texts`: the text fields, each with its maximum number of characters.
  furnish({ catalog: models, preferred, aspects, qualities, presets, switches, fits, texts, most_pictures: mostPictures }) {
    Object.assign(this, { models, preferred, aspects, qualities, presets, switches, fits, texts, mostPictures });
  }

  get fields() { return [...Object.keys(this.texts), "seed"]; }

  get rare() { return [...RARE, ...Object.keys(this.texts)]; }

  // The kind of the video, by the same rules as in the service.
  get kind() {
    const [use, pictures] = [this.use(), this.count("picture")];
    if (this.count("video") || use === "edit" || use === "extend") return use === "extend" ? "extend" : "v2v";
    if (this.count("sound")) return "s2v";
    return use === "character" || pictures > 2 ? "r2v" : ["t2v", "i2v", "kf2v"][pictures];
  }

  draw(offered = this.offered) {
    this.offered = offered;
    const lists = this.lists();
    const focused = document.activeElement?.name;
    const shown = offered.filter((name) => this.fields.includes(name) ? this.takes(name) : lists[name]?.length);
    const drawn = (names) => names.map((name) => this.fields.includes(name) ? this.field(name) : this.select(name, lists[name]));
    const rare = shown.filter((name) => this.rare.includes(name));
    this.options.replaceChildren(...drawn(shown.filter((name) => !rare.includes(name))));
    this.rest.replaceChildren(...drawn(rare));
    this.row.hidden = !offered.length;
    this.more.hidden = !rare.length;
    if (!rare.length) this.open(false);
    this.mark();
    this.hint();
    this.quote();
    if (focused) this.form.querySelector(`.options [name=${focused}], .rest [name=${focused}]`)?.focus();
  }

  open(isOpen) {
    this.rest.hidden = !isOpen;
    this.more.setAttribute("aria-expanded", String(isOpen));
  }

  // Mark the "More options" button if an option behind it is set.
  mark() {
    this.more.classList.toggle("picked", this.rare.some((name) => name in this.chosen));
  }

  // Show what would be made, and its cost. An answer to an earlier request is ignored.
  async quote() {
    const number = ++this.quotes;
    await null; // of several changes in one event, only the last one is sent
    if (number !== this.quotes) return;
    const draft = { wish: this.wish, pictures: this.count("picture"), videos: this.count("video"), sounds: this.count("sound") };
    const told = this.offered.length ? await this.price(draft) : "";
    if (number === this.quotes) this.quoted.textContent = told;
  }

  // On a phone the row of options is wider than the screen: mark it while there is more to scroll.
  hint() {
    const { scrollWidth, scrollLeft, clientWidth } = this.options;
    this.options.classList.toggle("further", scrollWidth - scrollLeft - clientWidth > 4);
  }

  // The values of each menu that some model of the family supports together with all other choices. Choices that
  // no longer fit are removed.
  lists() {
    const kept = {};
    for (const name of MENUS) {
      if (name in this.chosen && this.offers(name, kept).includes(this.chosen[name])) kept[name] = this.chosen[name];
    }
    for (const name of this.fields) if (name in this.chosen && this.takes(name, kept)) kept[name] = this.chosen[name];
    this.chosen = kept;
    return Object.fromEntries(MENUS.map((name) => {
      const { [name]: _, ...rest } = this.chosen;
      return [name, this.offers(name, name === "model" ? {} : rest).map((value) => [value, this.label(name, value)])];
    }));
  }

  label(name, value) {
    if (this.switches.includes(name)) return words[`${name}_${value}`];
    if (name === "seconds") return value === AUTO ? words.auto : `${value} s`;
    const labels = { ...Object.fromEntries(this.models.map((each) => [each.family, each.label])), ...this.presets, ...this.fits, draft: words.draft };
    return labels[value] ?? value;
  }

  get able() { return this.models.filter((each) => each.kinds.includes(this.kind)); }

  family({ model }) {
    const preferred = this.able.some((each) => each.family === this.preferred) ? this.preferred : this.able[0]?.family;
    return this.able.filter((each) => each.family === (model ?? preferred));
  }

  takes(name, chosen = this.chosen) { return this.family(chosen).some((each) => each.takes.includes(name)); }

  offers(name, rest) {
    if (name === "model") return [...new Set(this.able.map((each) => each.family))];
    if (name === "preset" || name === "fit") return this.count("picture") && this.kind !== "r2v" ? Object.keys(this[`${name}s`]) : [];
    const family = this.family(rest);
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
      "select", { name, "aria-label": words[name], title: words[name], on: { change: () => { this.pick(name, select.value); this.draw(); } } },
      make("option", { value: "" }, words[`any_${name}`]),
      ...choices.map(([value, label]) => make("option", { value, selected: this.chosen[name] === value }, label)),
    );
    select.classList.toggle("picked", name in this.chosen);
    return select;
  }

  field(name) {
    const input = make("input", {
      name, type: "text", inputMode: name === "seed" ? "numeric" : "text", maxLength: this.texts[name] ?? 19, value: this.chosen[name] ?? "",
      placeholder: words[`any_${name}`], "aria-label": words[name], title: words[name], on: { input: () => this.pick(name, input.value.trim(), input) },
    });
    input.classList.toggle("picked", name in this.chosen);
    return input;
  }

  pick(name, value, element) {
    if (value) this.chosen[name] = value;
    else delete this.chosen[name];
    element?.classList.toggle("picked", Boolean(value));
    this.mark();
  }

  get wish() {
    const chosen = Object.entries(this.chosen).map(([name, value]) => [name, value === AUTO ? "auto" : value]);
    return { ...Object.fromEntries(chosen), ...(this.use() ? { use: this.use() } : {}) };
  }
}

// True if the model supports these choices, by the same rules as in the service.
function makes(model, { seconds, quality, aspect, ...rest }, kind) {
  const can = Object.entries(model.qualities).filter(([, each]) => each.kinds.includes(kind));
  const long = ([, each]) => !seconds || each.seconds.includes(Number(seconds));
  const shaped = ([, each]) => {
    const shapes = ["t2v", "r2v"].includes(kind) ? each.shapes : each.reshaped;
    return !aspect || !shapes.length || shapes.includes(aspect);
  };
  if (Object.entries(model.switches).some(([name, able]) => rest[name] && !able.includes(rest[name]))) return false;
  if (quality === "draft") return can.some((each) => long(each) && shaped(each));
  const chosen = quality ? can.find(([name]) => name === quality) : can.find(long) ?? can[0];
  return chosen !== undefined && long(chosen) && shaped(chosen);
}
