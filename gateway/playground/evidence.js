// Evidence: which words and numbers of an answer stand in the caption, and where.

const TOKEN = /\d+(?:[.,:]\d+)*|\p{L}[\p{L}\p{M}'’]*/gu;
const NUMBER = /^\d[\d,]*(?:\.\d+)?$/;
const MOST_CHARACTERS = 2000;
const MOST_MARKS = 200;
// Words that stand in every text and are evidence of nothing.
const COMMON = new Set(
  `the and are was were for with that this from has have had not its his her their there they you
   which what who how than then but can does did will would all one two about into over yes`.split(/\s+/),
);

// Equal for what means the same: "1,240" and "1240", "Milk" and "milk".
function key(token) {
  return NUMBER.test(token) ? String(Number(token.replaceAll(",", ""))) : token.toLowerCase();
}

function tokens(text) {
  return [...text.matchAll(TOKEN)].map(({ 0: token, index }) => ({
    start: index,
    end: index + token.length,
    text: token,
    key: key(token),
    number: /\d/.test(token),
  }));
}

const telling = (token) => token.number || (token.text.length > 2 && !COMMON.has(token.key));

// What can be looked for: of an answer that is one word, such as an option's letter, that word.
function wanted(answer) {
  const all = tokens(answer.slice(0, MOST_CHARACTERS));
  const found = all.filter(telling);
  return found.length === 0 && all.length === 1 && !COMMON.has(all[0].key) ? all : found;
}

// `answer` and `caption` are spans {start, end, key} of the two texts; `missing` are the numbers of
// the answer that stand nowhere in the caption; `checkable` is whether there was anything to look for,
// and a caption: null is none.
export function evidence(answer, caption) {
  const looked = wanted(answer);
  const inCaption = tokens(caption ?? "");
  const seen = new Set(inCaption.map((token) => token.key));
  const found = new Set(looked.map((token) => token.key).filter((one) => seen.has(one)));
  const marked = (token) => found.has(token.key);
  return {
    answer: looked.filter(marked).slice(0, MOST_MARKS),
    caption: inCaption.filter(marked).slice(0, MOST_MARKS),
    missing: [...new Set(looked.filter((one) => one.number && !marked(one)).map((one) => one.text))],
    checkable: caption !== null && looked.length > 0,
  };
}

// "" if all was found, else a quiet remark.
export function remark({ answer, missing, checkable }) {
  if (!checkable || (answer.length > 0 && missing.length === 0)) return "";
  if (answer.length === 0) return "not found in what was seen";
  return `${missing.slice(0, 5).join(", ")}: not found in what was seen`;
}
