// Light, dark, or as the system has it. A classic script: it runs before anything is painted.
"use strict";

(() => {
  const THEMES = ["system", "light", "dark"];
  const STORED = "racro-theme";
  const root = document.documentElement;

  function show(theme) {
    root.dataset.theme = theme;
    const button = document.getElementById("theme");
    button?.setAttribute("aria-label", `Theme: ${theme}`);
    button?.setAttribute("title", `Theme: ${theme}`);
  }

  function next() {
    const theme = THEMES[(THEMES.indexOf(root.dataset.theme) + 1) % THEMES.length];
    try {
      localStorage.setItem(STORED, theme);
    } catch {
      // Storage may be forbidden; then the choice lasts as long as the page.
    }
    show(theme);
  }

  function stored() {
    try {
      return localStorage.getItem(STORED);
    } catch {
      return null;
    }
  }

  show(THEMES.includes(stored()) ? stored() : "system");
  addEventListener("DOMContentLoaded", () => {
    show(root.dataset.theme);
    document.getElementById("theme").addEventListener("click", next);
  });
})();
