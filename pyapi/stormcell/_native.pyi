from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, final, overload

__version__: str

class StormWentAwayError(Exception): ...

@final
class Tuple:
    @property
    def id(self) -> str: ...
    @property
    def component(self) -> str: ...
    @property
    def stream(self) -> str: ...
    @property
    def task(self) -> int: ...
    @property
    def values(self) -> Any: ...  # a tuple, with its fields' names where they are known
    def __new__(
        cls, id: str, component: str, stream: str, task: int, values: Iterable[Any]
    ) -> Tuple: ...

class Component:
    def log(self, message: object, level: str | None = None) -> None: ...
    def report_error(self, text: object) -> None: ...
    def report_metric(self, name: str, value: Any) -> None: ...

class Bolt(Component):
    _current_tups: list[Tuple]
    @overload
    def emit(
        self,
        tup: Sequence[Any],
        stream: str | None = None,
        anchors: Sequence[Tuple | str] | Tuple | str | None = None,
        direct_task: int | None = None,
        need_task_ids: Literal[False] = False,
    ) -> None: ...
    @overload
    def emit(
        self,
        tup: Sequence[Any],
        stream: str | None = None,
        anchors: Sequence[Tuple | str] | Tuple | str | None = None,
        direct_task: int | None = None,
        *,
        need_task_ids: Literal[True],
    ) -> list[int]: ...
    @overload
    def emit(
        self,
        tup: Sequence[Any],
        stream: str | None = None,
        anchors: Sequence[Tuple | str] | Tuple | str | None = None,
        direct_task: int | None = None,
        need_task_ids: bool = False,
    ) -> list[int] | None: ...
    def ack(self, tup: Tuple | str) -> None: ...
    def fail(self, tup: Tuple | str) -> None: ...
    def is_live(self, tup: Tuple | str) -> bool: ...

class Spout(Component):
    def emit(
        self,
        tup: Sequence[Any],
        tup_id: Any = None,
        stream: str | None = None,
        direct_task: int | None = None,
        need_task_ids: bool = False,
    ) -> list[int] | None: ...

@final
class Loopback:
    def __new__(cls, task_ids: Callable[[], list[int]], /) -> Loopback: ...
    def host(self, component: Component, /) -> None: ...
    def feed(self, message: Any, /) -> Any: ...
    def handshake(self) -> tuple[dict[str, Any], dict[str, Any]]: ...
    def run(self) -> bool: ...
    def on_timer(self) -> bool: ...
    def take(self) -> list[dict[str, Any]]: ...
    def cut_off(self) -> None: ...

def open() -> None: ...
def handshake() -> tuple[dict[str, Any], dict[str, Any]]: ...
def answer() -> None: ...
def serve_bolt(
    component: Bolt,
    on_exception: Callable[[BaseException, Tuple | None], bool],
    process: Callable[[Tuple], object],
    process_tick: Callable[[Tuple], object] | None,
    ack: Callable[[Tuple], object] | None,
    auto_ack: bool,
    auto_anchor: bool,
    on_timer: Callable[[], object] | None,
    period: float,
    values_type_of: Callable[[str, str], type[Any] | None],
    /,
) -> bool: ...
def serve_spout(
    component: Spout,
    on_exception: Callable[[BaseException, Tuple | None], bool],
    next_tuple: Callable[[], object],
    ack: Callable[[Any], object] | None,
    fail: Callable[[Any], object] | None,
    activate: Callable[[], object] | None,
    deactivate: Callable[[], object] | None,
    /,
) -> bool: ...
def last_words(text: str, /) -> None: ...
def close(in_order: bool, /) -> None: ...
