"""What goes in and out of the fake Bot API, judged by the types of aiogram, a second library.

Its import takes seconds, so that it is imported when a test turns the judge on; one judgement takes about 0.2 ms. Its
models take keys that they do not know: those are looked for here.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

Json = dict[str, Any]


class Judge:
    def __init__(self) -> None:
        self.problems: list[str] = []
        self.judged = 0
        """How many objects."""

    def update(self, update: Json) -> None:
        self._judge("Update", _types()[0], update)

    def asked(self, method: str, arguments: Json) -> None:
        """The arguments of a request."""
        found = _types()[1].get(method.lower())
        if found is None:
            self.problems.append(f"{method}: no such method")
        else:
            self._judge(f"{method} asked", found[0], arguments)

    def answered(self, method: str, result: object) -> None:
        self._judge(f"{method} answered", _types()[1][method.lower()][1], result)

    def _judge(self, what: str, wanted: TypeAdapter[Any], value: object) -> None:
        self.judged += 1
        try:
            self.problems += [f"{what}: {each}" for each in _strange(value, wanted.validate_python(value), "")]
        except ValidationError as error:
            wrong = [f"{'.'.join(map(str, each['loc']))} {each['msg']}" for each in error.errors()]
            self.problems.append(f"{what}: {'; '.join(wrong[:5])}")


@cache
def _types() -> tuple[TypeAdapter[Any], dict[str, tuple[TypeAdapter[Any], TypeAdapter[Any]]]]:
    """Of updates; and by method, in small letters, those of its arguments and of its result."""
    from aiogram import methods
    from aiogram.types import Update

    known = [
        each
        for each in vars(methods).values()
        if isinstance(each, type) and issubclass(each, methods.TelegramMethod) and each is not methods.TelegramMethod
    ]
    return TypeAdapter(Update), {
        each.__api_method__.lower(): (TypeAdapter(each), TypeAdapter(each.__returning__)) for each in known
    }


def _strange(value: object, read: object, at: str) -> list[str]:
    """The keys of `value` that the model read of it does not know."""
    if isinstance(value, list) and isinstance(read, list):
        return [
            found
            for place, pair in enumerate(zip(value, read, strict=True))
            for found in _strange(*pair, f"{at}[{place}]")
        ]
    if not isinstance(value, dict) or not isinstance(read, BaseModel):
        return []
    names = {field.alias or name: name for name, field in type(read).model_fields.items()}
    found = [f"{at}.{key} is not known to {type(read).__name__}" for key in value if key not in names]
    return found + [
        each for key in value if key in names for each in _strange(value[key], getattr(read, names[key]), f"{at}.{key}")
    ]
