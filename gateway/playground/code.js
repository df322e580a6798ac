// A question as a command or a program, which run as they are copied.

import { dataUrl } from "./gateway.js";
import { givenKey } from "./key.js";

// Larger pictures are not copied along: their files are named, and stand in the folder of the shell.
const MOST_BYTES_COPIED = 256 * 1024;
const LINE = /.{1,76}/g;

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const base64 = async (file) => (await dataUrl(file)).split(",", 2)[1];
const endpoint = () => new URL("v1/solve", document.baseURI).href;

// A file name that no shell and no curl reads anything into.
function plainName(file, index) {
  const name = file.name.replace(/[^\w.-]+/g, "-").replace(/^[-.]+/, "");
  return `${index + 1}-${name || "picture"}`;
}

function copied(pictures) {
  const bytes = pictures.reduce((sum, { file }) => sum + file.size, 0);
  return bytes <= MOST_BYTES_COPIED;
}

// Whether the copy needs files that it does not bring along.
const needsFiles = (pictures) => !copied(pictures) && pictures.some(({ example }) => !example);

const curlName = ({ file, example }, index, whole) =>
  example || whole ? plainName(file, index) : file.name;

async function curlFile(picture, index, whole) {
  const name = plainName(picture.file, index);
  if (picture.example) return [`curl -s ${quoted(picture.example)} -o ${name}`];
  if (!whole) return [];
  const lines = (await base64(picture.file)).match(LINE) ?? [];
  return [`base64 -d > ${name} <<'END'`, ...lines, "END"];
}

// Inside double quotes curl takes any file name but for these two characters.
const curlQuoted = (name) => quoted(`image=@"${name.replace(/[\\"]/g, "\\$&")}"`);

async function curl({ question, pictures, model }) {
  const whole = copied(pictures);
  const files = await Promise.all(pictures.map((one, index) => curlFile(one, index, whole)));
  const key = givenKey() ? [`-H "Authorization: Bearer $RACRO_KEY"`] : [];
  const options = [
    ...key,
    ...pictures.map((one, index) => `-F ${curlQuoted(curlName(one, index, whole))}`),
    `--form-string ${quoted(`question=${question}`)}`,
    `--form-string ${quoted(`model=${model}`)}`,
  ];
  const command = [`curl -sN ${quoted(endpoint())}`, ...options, "-F stream=true"];
  return `${[...files.flat(), command.join(" \\\n  ")].join("\n")}\n`;
}

// A JSON string is a Python string, too.
const literal = (text) => JSON.stringify(text);

async function pythonImage({ file, example }, whole) {
  if (example) return `urllib.request.urlopen(${literal(example)}).read()`;
  if (!whole) return `open(${literal(file.name)}, "rb").read()`;
  const lines = (await base64(file)).match(LINE) ?? [];
  return `base64.b64decode("""\n${lines.join("\n")}\n""")`;
}

async function python({ question, pictures, model }) {
  const whole = copied(pictures);
  const images = await Promise.all(pictures.map((one) => pythonImage(one, whole)));
  const key = givenKey() ? `, "authorization": "Bearer " + os.environ["RACRO_KEY"]` : "";
  return `import base64
import json
${givenKey() ? "import os\n" : ""}import urllib.request

images = [
${images.map((image) => `    ${image},`).join("\n")}
]
body = {
    "question": ${literal(question)},
    "model": ${literal(model)},
    "images": ["data:;base64," + base64.b64encode(image).decode() for image in images],
}
request = urllib.request.Request(
    ${literal(endpoint())},
    json.dumps(body).encode(),
    {"content-type": "application/json"${key}},
)
solved = json.load(urllib.request.urlopen(request))
if solved["visual_context"]:
    print(solved["visual_context"]["caption"])
print(solved["answer"])
`;
}

// Where there is no clipboard (a page over plain HTTP from elsewhere) the old way still works.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

const MAKERS = { answer: ({ answer }) => answer, curl, python };

// Copies an answer, or how it was asked: `what` is answer, curl or python. Returns what to tell.
export async function copyAs(what, asked) {
  await copy(await MAKERS[what](asked));
  const files = what !== "answer" && needsFiles(asked.pictures);
  return files ? "Copied. Run it in the folder of the pictures." : "Copied.";
}
