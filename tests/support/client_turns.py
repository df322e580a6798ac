"""A scripted reasoner for SDKs: it calls a tool where it has one, and else tells a total.

It knows the total only where the caption of examples/receipt.png has reached it.
"""

import json
from typing import Any

from support.agent_runs import has_result
from support.scripted import Script
from support.tool_calls import chat_call, message_call, response_call

Json = dict[str, Any]

CAPTION = """Receipt.
CORNER SHOP
Bread: 2.80
Milk: 1.45
Apples: 3.20
Coffee: 6.50
TOTAL: 13.95"""
ANSWER = "The total is 13.95."
BLIND = "I see no receipt."
# Tokens of a prompt and of an answer.
COUNTS = [7, 3]
# What is given to the fields of tools and schemas.
VALUES = {"name": "receipt", "shop": "CORNER SHOP", "total": 13.95}


def turn(asked: Json) -> Script:
    """How a request of any of the three APIs is answered."""
    if asked.get("tools") and not has_result(asked):
        return _call(asked)
    if "TOTAL: 13.95" not in json.dumps(asked):
        return Script(texts=[BLIND])
    if (schema := _schema(asked)) is not None:
        return Script(texts=[json.dumps(_filled(schema))])
    middle = len(ANSWER) // 2
    return Script(texts=[ANSWER[:middle], ANSWER[middle:]], role="assistant")


def _call(asked: Json) -> Script:
    tool = asked["tools"][0]
    if "input" in asked:
        return response_call(tool["name"], _filled(tool["parameters"]))
    if "function" in tool:
        function = tool["function"]
        return chat_call(function["name"], _filled(function["parameters"]))
    return message_call(tool["name"], _filled(tool["input_schema"]))


def _schema(asked: Json) -> Json | None:
    """The schema that an answer of any of the APIs has to fit, if one is asked for."""
    chat = (asked.get("response_format") or {}).get("json_schema")
    responses = (asked.get("text") or {}).get("format")
    messages = (asked.get("output_config") or {}).get("format")
    return (chat or responses or messages or {}).get("schema")


def _filled(schema: Json) -> Json:
    return {name: VALUES[name] for name in schema["properties"]}
