"""The pydantic model that our contracts and settings derive from."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A model that cannot be changed and refuses unknown fields, each a mistake worth telling."""

    model_config = ConfigDict(frozen=True, extra="forbid")
