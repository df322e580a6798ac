// The pictures that are asked about.

import { byId, element, toast } from "./dom.js";

// Windows knows no type of some.
const NAMED = /\.(avif|hei[cf]|jp2|pdf|tiff?|webp)$/i;
const isPicture = ({ name, type }) => /^image\/|\/pdf$/.test(type) || (!type && NAMED.test(name));

// `{file, address, example}` each: `address` is a blob's for the thumbnail, `example` where the
// gateway serves the same picture, or null.
export class Pictures {
  #held = [];
  #changed;

  constructor(changed) {
    this.#changed = changed;
    byId("files").addEventListener("change", ({ target }) => {
      this.add(target.files);
      target.value = "";
    });
    document.addEventListener("paste", (event) => this.#paste(event));
    this.#listenForDrops();
    this.#show();
  }

  get all() {
    return [...this.#held];
  }

  // Adds pictures and PDFs, and names other files.
  add(files) {
    const [pictures, others] = [true, false].map((wanted) =>
      [...files].filter((file) => isPicture(file) === wanted),
    );
    if (others.length) toast(`${others.map((file) => file.name).join(", ")}: no picture`);
    if (pictures.length) this.replace([...this.#held, ...pictures.map((file) => held(file))]);
  }

  addExample(file, example) {
    this.replace([held(file, example)]);
  }

  replace(pictures) {
    this.#held = [...pictures];
    this.#show();
    this.#changed();
  }

  #paste(event) {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    this.add(event.clipboardData.files);
  }

  // Anywhere on the page: nobody aims.
  #listenForDrops() {
    const hover = (on) => byId("pictures").classList.toggle("hover", on);
    document.addEventListener("dragover", (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      hover(true);
    });
    document.addEventListener("dragleave", (event) => event.relatedTarget || hover(false));
    document.addEventListener("drop", (event) => {
      hover(false);
      if (!event.dataTransfer.files.length) return;
      event.preventDefault();
      this.add(event.dataTransfer.files);
    });
  }

  #show() {
    byId("pictures").classList.toggle("empty", this.#held.length === 0);
    byId("thumbs").classList.toggle("one", this.#held.length === 1);
    byId("thumbs").replaceChildren(...this.#held.map((picture) => this.#thumb(picture)));
  }

  #thumb(picture) {
    const { name } = picture.file;
    const remove = element("button", { type: "button", className: "remove" }, "×");
    remove.ariaLabel = `Remove ${name}`;
    remove.addEventListener("click", () => {
      this.replace(this.#held.filter((one) => one !== picture));
      byId("files").focus();
    });
    const image = element("img", { src: picture.address, alt: name });
    // Browsers do not show all.
    const kind = picture.file.type.split("/").pop();
    image.onerror = () => image.replaceWith(element("p", {}, `${kind} ${name}`));
    return element("li", {}, image, remove);
  }
}

const held = (file, example = null) => ({ file, address: URL.createObjectURL(file), example });
