"""Asks about the picture once by each of the SDKs that are named behind it."""

from given import BASE64, BASE_URL, DATA_URL, HOW, QUESTION, tell

URL = f"{BASE_URL}/v1"


def openai_chat() -> str:
    """Ask by OpenAI's SDK and chat completions."""
    from openai import OpenAI

    shown = {"type": "image_url", "image_url": {"url": DATA_URL}}
    messages = [{"role": "user", "content": [{"type": "text", "text": QUESTION}, shown]}]
    with OpenAI(base_url=URL, api_key="none") as client:
        answer = client.chat.completions.create(model="default", messages=messages)
    return answer.choices[0].message.content


def openai_responses() -> str:
    """Ask by OpenAI's SDK and responses."""
    from openai import OpenAI

    shown = {"type": "input_image", "image_url": DATA_URL, "detail": "auto"}
    message = {"role": "user", "content": [{"type": "input_text", "text": QUESTION}, shown]}
    with OpenAI(base_url=URL, api_key="none") as client:
        return client.responses.create(model="default", input=[message]).output_text


def anthropic() -> str:
    """Ask by Anthropic's SDK."""
    from anthropic import Anthropic

    source = {"type": "base64", "media_type": "image/png", "data": BASE64}
    shown = {"type": "image", "source": source}
    messages = [{"role": "user", "content": [shown, {"type": "text", "text": QUESTION}]}]
    with Anthropic(base_url=BASE_URL, api_key="none") as client:
        answer = client.messages.create(model="default", max_tokens=500, messages=messages)
    return answer.content[0].text


def langchain_openai() -> str:
    """Ask by LangChain and chat completions."""
    from langchain_openai import ChatOpenAI

    shown = {"type": "image", "base64": BASE64, "mime_type": "image/png"}
    content = [{"type": "text", "text": QUESTION}, shown]
    return (
        ChatOpenAI(base_url=URL, api_key="none", model="default").invoke([("user", content)]).text
    )


def litellm() -> str:
    """Ask by litellm and chat completions."""
    import litellm

    shown = {"type": "image_url", "image_url": {"url": DATA_URL}}
    messages = [{"role": "user", "content": [{"type": "text", "text": QUESTION}, shown]}]
    to = {"model": "openai/default", "api_base": URL, "api_key": "none"}
    return litellm.completion(**to, messages=messages).choices[0].message.content


tell("openai", **{name: globals()[name]() for name in HOW})
