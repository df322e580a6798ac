"""instructor, which reads a picture into a model: whole, and streamed in parts."""

import instructor
from given import BASE_URL, PATH, QUESTION, tell
from instructor.processing.multimodal import Image
from openai import OpenAI
from pydantic import BaseModel


class Receipt(BaseModel):
    shop: str
    total: float


client = instructor.from_openai(OpenAI(base_url=f"{BASE_URL}/v1", api_key="none"))
asked = {
    "model": "default",
    "messages": [{"role": "user", "content": [QUESTION, Image.from_path(PATH)]}],
}

parsed, whole = client.create_with_completion(**asked, response_model=Receipt)
*_, streamed = client.create_partial(**asked, response_model=Receipt)

tell(
    "instructor",
    usage=[whole.usage.prompt_tokens, whole.usage.completion_tokens],
    parsed=parsed.total,
    stream_parsed=streamed.total,
)
