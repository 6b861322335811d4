"""The words and the instants of a script: types that are also the rules by which its file is checked."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Annotated, Literal

from pydantic import (
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

Impact = Literal["none", "minor", "major", "critical", "maintenance"]
Level = Literal["operational", "under_maintenance", "degraded_performance", "partial_outage", "major_outage"]
IncidentStatus = Literal["investigating", "identified", "monitoring", "resolved", "postmortem"]
MaintenanceStatus = Literal["scheduled", "in_progress", "verifying", "completed"]
Status = Literal[IncidentStatus, MaintenanceStatus]
EngineStatus = Literal["online", "maintenance", "cancel_only", "post_only"]
Disturbance = Literal["empty", "truncated", "html", "stale", "cut", "drop", "hang"]


def _whole_instant(value: object) -> object:
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC)
    raise PydanticCustomError("instant", "not an instant; write it like 2026-02-24T11:28:00Z")


def _instant(value: object, info: ValidationInfo) -> object:
    if isinstance(value, time):
        return datetime.combine((info.context or {})["start"], value, UTC)
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC)
    raise PydanticCustomError(
        "instant", "not an instant; write 11:28:00 (a time of the first day) or 2026-02-24T11:28:00Z"
    )


def cure(words: str) -> WrapValidator:
    """One problem in these words, instead of one for each member of a union."""

    def told(value: object, handler: ValidatorFunctionWrapHandler) -> object:
        try:
            return handler(value)
        except ValidationError:
            raise PydanticCustomError("union", words) from None

    return WrapValidator(told)


FirstInstant = Annotated[datetime, BeforeValidator(_whole_instant)]
Instant = Annotated[datetime, BeforeValidator(_instant)]
Text = Annotated[str, Field(min_length=1)]
