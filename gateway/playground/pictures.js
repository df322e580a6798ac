// The pictures that are asked about: dropped, pasted, picked, or an example's.

import { byId, element, toast } from "./dom.js";

// Of files that the system knows no type of, as Windows of .heic, the name decides; the gateway reads
// what they are from their bytes.
const NAMED = /\.(avif|bmp|gif|hei[cf]|ico|j2k|jfif|jp[2fx]|jpe?g|pdf|png|tiff?|webp)$/i;
const UNKNOWN = ["", "application/octet-stream"];

const isPicture = ({ name, type }) =>
  type.startsWith("image/") ||
  type === "application/pdf" ||
  (UNKNOWN.includes(type) && NAMED.test(name));

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

  // Adds those of the files that are pictures or PDFs, and names the others.
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
    image.addEventListener("error", () => image.replaceWith(tile(name)));
    return element("li", {}, image, remove);
  }
}

// Stands for a file that browsers show no picture of: a PDF, TIFF, JPEG 2000, in most of them HEIC.
function tile(name) {
  const ending = /\.(\w{1,5})$/.exec(name)?.[1] ?? "file";
  const kind = element("span", { className: "kind" }, ending.toUpperCase());
  return element("div", { className: "tile" }, kind, element("span", { title: name }, name));
}

const held = (file, example = null) => ({ file, address: URL.createObjectURL(file), example });
