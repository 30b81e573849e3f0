"""A visitor without a browser: a session of the app's server, in Streamlit's own protocol, which is internal to it.

It does what Streamlit's page does: runs the page anew when a control moves, and again at the intervals that fragments
ask for, and keeps large messages so that they are sent once. It draws nothing and fetches no scripts.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.state.session_state import STREAMLIT_INTERNAL_KEY_PREFIX
from websockets.asyncio.client import ClientConnection, connect

CACHED = 64  # messages, the last ones


@dataclass(frozen=True)
class Shown:
    """What is on a stage: the frames of its models by their ids, and the words while a new path is awaited."""

    ids: tuple[str, ...] = ()
    waiting: str = ""
    settings: str = ""


@dataclass
class Heard:
    """What a session has been sent.

    controls: the widgets by their parameter of the address: id, and which value they have. bench: what the laboratory
    said last, with the part of the page that it is (`part`: its id and its fragment's). errors: in the page's words.
    """

    stage: Shown = field(default_factory=Shown)
    carried: set[str] = field(default_factory=set)  # ids of frames that have come
    waits: list[str] = field(default_factory=list)
    controls: dict[str, tuple[str, str]] = field(default_factory=dict)
    bench: dict[str, Any] = field(default_factory=dict)
    part: tuple[str, str] = ("", "")
    words: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    runs: int = 0

    @property
    def there(self) -> bool:
        """Whether the stage shows the frames that it speaks of."""
        return bool(self.stage.ids) and not self.stage.waiting and set(self.stage.ids) <= self.carried


class Visitor:
    """`async with Visitor(address) as visitor`: then `open` a page; `heard` grows by itself.

    Args:
        address: of the server, http://host:port.
        headers: to send along, as a proxy does.
    """

    def __init__(self, address: str, headers: dict[str, str] | None = None):
        self.heard = Heard()
        self.lost: str | None = None  # why the connection ended
        self._address, self._headers = address, headers or {}
        self._link = self._page = self._page_hash = ""
        self._values: dict[str, Any] = {}  # widget id: (field, value)
        self._cached: OrderedDict[str, bytes] = OrderedDict()
        self._timers: dict[str, tuple[float, asyncio.Task[None]]] = {}
        self._news = asyncio.Condition()

    async def __aenter__(self) -> Visitor:
        self._socket: ClientConnection = await connect(
            f"ws://{urlsplit(self._address).netloc}/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            origin=self._address,  # type: ignore[arg-type]
            additional_headers=self._headers,
            max_size=None,
            compression=None,
            open_timeout=60,
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _, timer in self._timers.values():
            timer.cancel()
        self._reader.cancel()
        await self._socket.close()

    async def open(self, link: str) -> None:
        """Ask for a page, such as "worst-noise?seed=7"."""
        self._page, _, self._link = link.partition("?")
        await self._run()

    async def set(self, parameter: str, value: float | str) -> None:
        """Move the control of this parameter of the address, as whoever uses the page does."""
        identity, kind = self.heard.controls[parameter]
        self._values[identity] = kind, value
        await self._run()

    async def ask(self, **what: Any) -> None:
        """Ask the laboratory's bench, as its script does."""
        identity, fragment = self.heard.part
        trigger = f"{STREAMLIT_INTERNAL_KEY_PREFIX}_{identity}__events"
        asked = self._values | {trigger: ("json_trigger_value", json.dumps([{"event": "ask", "value": what}]))}
        await self._run(fragment, asked, alone=False)

    async def until(self, true: Callable[[Heard], bool], seconds: float) -> bool:
        """Wait until `true(heard)`, at most so long; whether it came."""
        try:
            async with asyncio.timeout(seconds), self._news:
                await self._news.wait_for(lambda: self.lost is not None or true(self.heard))
        except TimeoutError:
            return False
        return bool(self.lost is None and true(self.heard))

    async def _run(self, fragment: str = "", values: dict[str, Any] | None = None, *, alone: bool = True) -> None:
        message = BackMsg()
        run = message.rerun_script
        run.query_string = self._link
        run.fragment_id, run.is_auto_rerun = fragment, alone and bool(fragment)
        run.cached_message_hashes.extend(self._cached)
        if self._page_hash:
            run.page_script_hash = self._page_hash
        else:
            run.page_name = self._page
        for identity, (kind, value) in (self._values if values is None else values).items():
            state = run.widget_states.widgets.add(id=identity)
            if kind == "string_array_value":
                state.string_array_value.data.append(value)
            else:
                setattr(state, kind, value)
        await self._socket.send(message.SerializeToString())

    async def _again(self, fragment: str, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self._run(fragment)

    async def _read(self) -> None:
        try:
            async for data in self._socket:
                assert isinstance(data, bytes)
                self._take(ForwardMsg.FromString(data), data)
                async with self._news:
                    self._news.notify_all()
            self.lost = f"closed: {self._socket.close_code} {self._socket.close_reason}"
        except Exception as error:  # whatever it was, the visitor sees nothing more
            self.lost = repr(error)
        async with self._news:
            self._news.notify_all()

    def _take(self, message: ForwardMsg, data: bytes) -> None:
        kind = message.WhichOneof("type")
        if kind == "ref_hash":
            message = ForwardMsg.FromString(self._cached[message.ref_hash])
            kind = message.WhichOneof("type")
        elif message.metadata.cacheable:
            self._cached[message.hash] = data
            if len(self._cached) > CACHED:
                self._cached.popitem(last=False)
        if kind == "navigation":
            self._page_hash = message.navigation.page_script_hash
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._see(message.delta.new_element, message.delta.fragment_id)
        elif kind == "auto_rerun":
            self._time(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            for fragment in message.stop_auto_rerun.fragment_ids:
                self._stop(fragment)
        elif kind == "script_finished":
            self.heard.runs += 1
            if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                self.heard.errors.append("the page did not compile")

    def _time(self, fragment: str, interval: float) -> None:
        if fragment in self._timers and self._timers[fragment][0] == interval:
            return
        self._stop(fragment)
        self._timers[fragment] = interval, asyncio.create_task(self._again(fragment, interval))

    def _stop(self, fragment: str) -> None:
        if fragment in self._timers:
            self._timers.pop(fragment)[1].cancel()

    def _see(self, element: Element, fragment: str) -> None:
        kind, heard = element.WhichOneof("type"), self.heard
        if kind == "bidi_component":
            name = element.bidi_component.component_name
            if name == "stage":
                data = json.loads(json.loads(element.bidi_component.json)["stage"])
                ids = tuple(model["frames"]["id"] for model in data["models"])
                heard.stage = Shown(ids, data["waiting"], data["settings"])
                heard.waits += [data["waiting"]] if data["waiting"] else []
            elif name == "laboratory":
                frames = base64.b64decode(json.loads(element.bidi_component.json)["frames"])
                length = int.from_bytes(frames[:4], "little")
                heard.bench = json.loads(frames[4 : 4 + length])["facts"]
                heard.part = element.bidi_component.id, fragment
            elif name == "stage_frames":
                data = element.bidi_component.bytes
                length = int.from_bytes(data[:4], "little")
                heard.carried.add(json.loads(data[4 : 4 + length])["id"])
        elif kind == "number_input":
            heard.controls[element.number_input.query_param_key] = element.number_input.id, "double_value"
        elif kind == "slider":
            heard.controls[element.slider.query_param_key] = element.slider.id, "string_array_value"
        elif kind == "exception":
            heard.errors.append(f"{element.exception.type}: {element.exception.message}")
        elif kind == "alert":
            (heard.errors if element.alert.format == Alert.ERROR else heard.words).append(element.alert.body)
        elif kind == "html":
            heard.words.append(element.html.body)
            if "Searching" in element.html.body:
                heard.waits.append(element.html.body)
