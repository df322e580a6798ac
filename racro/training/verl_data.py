"""Problems as verl reads them, for CRO on Ray clusters (verl 0.9.1: RLHFDataset, parquet)."""

import io
import string
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from PIL import Image as Pillow
from pyarrow.parquet import ParquetWriter

from racro.base.atomic import replacing
from racro.training.captions import Example
from racro.training.rows import exploration

DATA_SOURCE = "racro"
_ROWS_AT_A_TIME = 64  # in memory
_TEXT = pa.string()
_SCHEMA = pa.schema(
    {
        "data_source": _TEXT,
        "prompt": pa.list_(pa.struct({"role": _TEXT, "content": _TEXT})),
        "images": pa.list_(pa.struct({"bytes": pa.binary(), "max_pixels": pa.int64()})),
        "reward_model": pa.struct({"ground_truth": _TEXT}),
        "extra_info": pa.struct(
            {
                "index": _TEXT,
                "question": _TEXT,
                "options": pa.struct(dict.fromkeys(string.ascii_uppercase, _TEXT)),
            }
        ),
    }
)


def write_verl(rows: Iterable[Example], path: Path, *, max_pixels: int) -> None:
    """verl shrinks an image to `max_pixels` before the model's processor has it. The file is there
    when all of it is. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (_row(row, max_pixels) for row in exploration(rows))
    with replacing(path) as unfinished, ParquetWriter(unfinished, _SCHEMA) as writer:
        for chunk in _chunks(lines):
            writer.write_table(pa.Table.from_pylist(chunk, schema=_SCHEMA))


def _chunks(lines: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while chunk := list(islice(lines, _ROWS_AT_A_TIME)):
        yield chunk


def _row(row: Mapping[str, Any], max_pixels: int) -> dict[str, Any]:
    """verl puts an image where the prompt says `<image>`; questions have no such tag left, and what
    the reward gets is the question alone.
    """
    *system, user = row["prompt"]
    tags = "<image>" * len(row["images"])
    return {
        "data_source": DATA_SOURCE,
        "prompt": [*system, {**user, "content": tags + user["content"]}],
        "images": [{"bytes": _png(image), "max_pixels": max_pixels} for image in row["images"]],
        "reward_model": {"ground_truth": row["answer"]},
        "extra_info": {
            "index": row["id"],
            "question": row["question"],
            "options": row["options"],
        },
    }


def _png(image: Pillow.Image) -> bytes:
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()
