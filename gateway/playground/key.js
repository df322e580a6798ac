// The API key, in this module's memory alone: no storage, no URL, no cookie.

import { byId } from "./dom.js";

let key = "";

export const authorization = () => (key ? { authorization: `Bearer ${key}` } : {});

export const givenKey = () => key;

export function askForKey() {
  byId("key").hidden = false;
  byId("key-field").focus();
}

// Calls `then` whenever a person has given a key.
export function onKey(then) {
  byId("key").addEventListener("submit", (event) => {
    event.preventDefault();
    key = byId("key-field").value.trim();
    byId("key-field").value = "";
    byId("key").hidden = true;
    byId("question").focus();
    then();
  });
}
