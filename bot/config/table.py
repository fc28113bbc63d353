"""A table of the configuration file."""

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """The base of all tables of the file. Unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
