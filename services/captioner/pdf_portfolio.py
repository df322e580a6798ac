"""Tells portfolios: PDFs that are attached files, and a page that asks for another reader."""

import re
import zlib
from itertools import islice

# In the catalogue (ISO 32000-1, 7.11.6), a dictionary or a reference to one.
_COLLECTION = re.compile(rb"/Collection\s{0,9}(?:<<|\d{1,9} \d{1,9} R)")
_CATALOGUE = re.compile(rb"/Type\s{0,9}/Catalog\b")
_AROUND = 2000
_OBJECTS = re.compile(rb"/ObjStm")
_STREAM = re.compile(rb"stream\r?\n")
_MOST_STREAMS, _MOST_OF_STREAM, _MOST_OF_DICTIONARY = 100, 2**18, 1000


def is_portfolio(data: bytes, *, attachments: int) -> bool:
    """Tell whether a PDF with so many attached files is a portfolio of them."""
    if any(map(_COLLECTION.search, _catalogues(data))):
        return True
    # The catalogue may be in a compressed stream of objects; without files it is not worth it.
    return attachments > 0 and any(map(_COLLECTION.search, _streams_of_objects(data)))


def _catalogues(data: bytes) -> list[bytes]:
    """Return what stands around each mark of a catalogue: elsewhere a page may write of such."""
    found = islice(_CATALOGUE.finditer(data), _MOST_STREAMS)
    return [data[max(0, one.start() - _AROUND) : one.end() + _AROUND] for one in found]


def _streams_of_objects(data: bytes) -> list[bytes]:
    streams = []
    for _, found in zip(range(_MOST_STREAMS), _OBJECTS.finditer(data), strict=False):
        begin = _STREAM.search(data, found.end(), found.end() + _MOST_OF_DICTIONARY)
        try:
            if begin:
                packed = data[begin.end() : begin.end() + _MOST_OF_STREAM]
                streams.append(zlib.decompressobj().decompress(packed, _MOST_OF_STREAM))
        except zlib.error:
            continue
    return streams
