// The example cards of the empty page: one click answers.

import { byId, element, toast } from "./dom.js";

const EXAMPLES = [
  { name: "receipt", what: "A receipt", question: "What is the total on the receipt?" },
  { name: "bar-chart", what: "A bar chart", question: "How many units were sold in April?" },
  { name: "right-triangle", what: "A right triangle", question: "How long is x?" },
];

// Calls `chosen({file, address, question})` with a picture that the gateway serves at `address`.
export function showExamples(chosen) {
  byId("examples").append(...EXAMPLES.map((example) => card(example, chosen)));
}

function card({ name, what, question }, chosen) {
  const address = new URL(`./examples/${name}.webp`, import.meta.url).href;
  const button = element(
    "button",
    { type: "button" },
    element("img", { src: address, alt: what, width: 160, height: 120 }),
    element("span", {}, question),
  );
  button.addEventListener("click", async () => {
    const picture = await fetch(address).then((answer) => answer.blob(), () => null);
    if (!picture) return toast("The gateway does not answer.");
    chosen({ file: new File([picture], `${name}.webp`, { type: picture.type }), address, question });
  });
  return element("li", {}, button);
}
