"""Work whose result is kept on disk: read there where it is known, else computed once for all and kept."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from session import state
from session.paths import answers
from session.tasks import Task, Work

T = TypeVar("T")


@dataclass(frozen=True)
class Answered(Generic[T]):
    """Work that answers the question `of` with a `kind` of result; what is not `whole` is not kept."""

    kind: type[T]
    of: Mapping[str, Any]
    work: Work[T]
    whole: Callable[[T], bool] = lambda result: True

    def __call__(self, report: Callable[..., None]) -> T:
        result = self.work(report)
        if self.whole(result):
            answers().keep(self.of, result)
        return result

    def there(self, key: Hashable) -> bool:
        """Whether the result, whose task has this key, has been computed or lies on disk."""
        return state.tasks().finished(key) or self.known() is not None

    def known(self) -> T | None:
        """The result, where it lies on disk."""
        return answers().result(self.kind, self.of)


def want(works: dict[Hashable, Work[Any]]) -> dict[Hashable, Task[Any]]:
    """As `state.want`; what lies on disk is there at once."""
    for key, work in works.items():
        if isinstance(work, Answered) and not state.tasks().finished(key) and (known := work.known()) is not None:
            state.tasks().put(key, known)
    return state.want(works)
