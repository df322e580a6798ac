// What each script here is given on its command line, and how it tells what its client got.
//
//     node with-openai.mjs http://127.0.0.1:8000 examples/receipt.png chat

import { readFileSync } from "node:fs";
import { z } from "zod";

const [root, path, ...more] = process.argv.slice(2);
export const baseUrl = root;
export const how = more;
export const question = "What is the total on the receipt?";
export const base64 = readFileSync(path).toString("base64");
export const dataUrl = `data:image/png;base64,${base64}`;
export const Receipt = z.object({ shop: z.string(), total: z.number() });
export const Named = z.object({ name: z.string() });

// Prints what was got, and which version of the package got it.
export function tell(name, got) {
  const manifest = new URL(`node_modules/${name}/package.json`, import.meta.url);
  const { version } = JSON.parse(readFileSync(manifest));
  console.log(JSON.stringify({ client: `${name} (npm) ${version}`, ...got }));
}
