// Formulas: found in Markdown here, drawn as MathML by Temml, which is loaded at the first of them.

import { element, escaped } from "./dom.js";

const MOST_FORMULAS = 200;
const LIMITS = { throwOnError: true, trust: false, maxExpand: 100, maxSize: [20, 20] };
// \[…\], $$…$$, \(…\), $…$ with what money looks like left alone, and a box without any of them.
const DISPLAY = /^(?:\\\[([^]{1,1000}?)\\\]|\$\$([^$]{1,1000})\$\$)/;
const INLINE = /^(?:\\\(([^]{1,1000}?)\\\)|\$(?![\s])((?:[^$\\\n]|\\.){1,500}?)(?<!\s)\$(?!\d))/;
const BOXED = /^\\boxed\s*\{((?:[^{}]|\{[^{}]{0,200}\}){1,500})\}/;

const rule = (name, level, pattern, start, token) => ({
  name,
  level,
  start: (text) => {
    const index = text.search(start);
    return index < 0 ? undefined : index;
  },
  tokenizer(text) {
    const match = pattern.exec(text);
    return match ? { type: name, raw: match[0], ...token(match) } : undefined;
  },
  renderer: (found) => `<span class="${found.look}">${escaped(found.text)}</span>`,
});

const display = (match) => ({ text: (match[1] ?? match[2]).trim(), look: "formula display" });
const inline = (match) => ({ text: (match[1] ?? match[2]).trim(), look: "formula" });

// A box with plain words in it needs no formula.
function boxed(match) {
  const plain = !/[\\^_{}]/.test(match[1]);
  return { text: plain ? match[1] : match[0], look: plain ? "boxed" : "formula" };
}

// What Markdown's parser has to know of formulas.
export const formulaRules = [
  rule("displayBlock", "block", DISPLAY, /\\\[|\$\$/, display),
  rule("displayInline", "inline", DISPLAY, /\\\[|\$\$/, display),
  rule("inlineFormula", "inline", INLINE, /\\\(|\$/, inline),
  rule("boxed", "inline", BOXED, /\\boxed/, boxed),
];

let loading;

function load() {
  const base = new URL("./vendor/temml/", import.meta.url);
  loading ??= new Promise((resolve, reject) => {
    const script = element("script", { src: new URL("temml.min.js", base), onload: resolve, onerror: reject });
    const style = element("link", { rel: "stylesheet", href: new URL("Temml-Local.css", base) });
    document.head.append(style, script);
  });
  return loading;
}

// Draws every formula below `root`. One that cannot be drawn stays as its source.
export function typeset(root) {
  const formulas = [...root.querySelectorAll(".formula:not([data-drawn])")].slice(0, MOST_FORMULAS);
  if (formulas.length === 0) return;
  if (globalThis.temml) formulas.forEach(draw);
  else load().then(() => typeset(root), () => {});
}

function draw(node) {
  const source = node.textContent;
  node.dataset.drawn = "";
  try {
    const displayMode = node.classList.contains("display");
    // It scrolls where it is too wide, and what scrolls must be reachable by keyboard.
    if (displayMode) node.tabIndex = 0;
    globalThis.temml.render(source, node, { ...LIMITS, displayMode });
  } catch {
    node.replaceChildren(element("code", {}, source));
  }
}
