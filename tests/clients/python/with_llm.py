"""llm, the command line, by `chat` or by `responses`, as is said behind the picture."""

import json
import os
import subprocess
import sys
from pathlib import Path

from given import BASE_URL, HOW, PATH, QUESTION, tell

# extra-openai-models.yaml, which is JSON as well.
MODEL = {
    "model_id": "racro",
    "model_name": "default",
    "api_base": f"{BASE_URL}/v1",
    "vision": True,
    "supports_schema": True,
    "supports_tools": True,
    "responses": HOW == ["responses"],
}
TOOL = f"""
import llm

def look(name: str) -> llm.ToolOutput:
    "Show a picture."
    return llm.ToolOutput(output="Here.", attachments=[llm.Attachment(path={PATH!r})])
"""
PROGRAM = Path(sys.executable).with_name("llm")


def llm(*arguments: str) -> str:
    """Return what a command prints."""
    command = [PROGRAM, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def logged() -> dict:
    """Return what llm noted of its last answer."""
    return json.loads(llm("logs", "--count", "1", "--json"))[0]


folder = Path(os.environ["LLM_USER_PATH"])
(folder / "extra-openai-models.yaml").write_text(json.dumps([MODEL]))
llm("models", "default", "racro")

whole = llm("--attachment", PATH, "--no-stream", QUESTION).strip()
counted = logged()
streamed = llm("--attachment", PATH, QUESTION).strip()
counted_of_stream = logged()
# -c goes on with the conversation: the picture is sent once more.
again = llm("--continue", "And the total again?").strip()
parsed = json.loads(llm("--attachment", PATH, "--schema", "shop, total float", QUESTION))
told = llm("--functions", TOOL, QUESTION).strip()
call = json.loads(llm("logs", "--count", "2", "--json"))[0]["tool_calls"][0]

tell(
    "llm",
    chat=whole,
    usage=[counted["input_tokens"], counted["output_tokens"]],
    stream=streamed,
    stream_usage=[counted_of_stream["input_tokens"], counted_of_stream["output_tokens"]],
    again=again,
    parsed=parsed["total"],
    call=call["arguments"],
    picture_in_tool_result=told,
)
