"""What each script here is given on its command line, and how it tells what its client got.

python with_openai_chat.py http://127.0.0.1:8000 examples/receipt.png
"""

import base64
import json
import sys
from importlib.metadata import version
from pathlib import Path

BASE_URL, PATH, *HOW = sys.argv[1:]
QUESTION = "What is the total on the receipt?"
PICTURE = Path(PATH).read_bytes()
BASE64 = base64.b64encode(PICTURE).decode()
DATA_URL = f"data:image/png;base64,{BASE64}"


def tell(package: str, **got: object) -> None:
    """Print what was got, and which version of the client got it."""
    print(json.dumps({"client": f"{package} {version(package)}", **got}))  # noqa: T201
