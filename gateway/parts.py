"""What the routes share."""

from dataclasses import dataclass

from gateway.images import ImageLoader
from gateway.kept import KeptContexts
from gateway.perceive import Perceiver
from gateway.rates import Rates
from gateway.reasoners import Reasoners


@dataclass(frozen=True)
class Parts:
    loader: ImageLoader
    perceiver: Perceiver
    kept: KeptContexts
    reasoners: Reasoners
    rates: Rates
