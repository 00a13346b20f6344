"""A visitor without a browser: speaks with the app's server as its page in a browser does.

What the server draws comes as messages (Streamlit's ForwardMsg), what the visitor does goes as others (BackMsg). Many
such visitors take little of the machine that the server is measured on.

Left out: the files of the front end, and drawing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

PATIENCE_SECONDS = 60.0


class Visitor:
    """A page that is open. Make it by `async with Visitor(address, "lab") as visitor`."""

    def __init__(self, address: str, page: str, query: str = "") -> None:
        self.address, self.page, self.query = address, page, query
        self.sliders: dict[str, str] = {}
        """the widget of each slider that was drawn, by its key"""
        self.at: dict[str, float] = {}
        """where each slider stands, by its key"""
        self.buttons: dict[str, str] = {}
        """the widget of each button that was drawn, by its label"""
        self.problems: list[str] = []
        """what the page said was wrong"""
        self.script = ""
        self._open = AsyncExitStack()
        self._stream: ClientConnection | None = None

    async def __aenter__(self) -> Visitor:
        stream = self.address.replace("http", "ws", 1) + "/_stcore/stream"
        opened = connect(
            stream, origin=Origin(self.address), subprotocols=[Subprotocol("streamlit")],
            max_size=None, compression=None,
        )  # fmt: skip
        self._stream = await self._open.enter_async_context(opened)
        return self

    async def __aexit__(self, *problem: object) -> None:
        await self._open.aclose()

    async def ask(self, press: str = "", **sliders: float) -> None:
        """Open the page, press a button of it, or move sliders. What was drawn comes by `until`."""
        asked = BackMsg()
        asked.rerun_script.query_string = self.query
        asked.rerun_script.page_script_hash = self.script
        asked.rerun_script.page_name = "" if self.script else self.page
        asked.rerun_script.context_info.timezone = "UTC"
        asked.rerun_script.context_info.locale = "en"
        asked.rerun_script.context_info.url = f"{self.address}/{self.page}"
        self.at |= sliders
        for key, widget in self.sliders.items():
            asked.rerun_script.widget_states.widgets.add(id=widget).double_array_value.data[:] = [self.at[key]]
        if press:
            asked.rerun_script.widget_states.widgets.add(id=self.buttons[press]).trigger_value = True
        assert self._stream is not None
        await self._stream.send(asked.SerializeToString())

    async def until(self, seen: Callable[[ForwardMsg], bool]) -> float:
        """Take messages until one of them is what is waited for; the moment when it came."""
        assert self._stream is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                message = ForwardMsg.FromString(await self._stream.recv())
                self._keep(message)
                if seen(message):
                    return time.perf_counter()

    async def done(self) -> float:
        """Take messages until the page is drawn; the moment when it was."""
        return await self.until(is_end)

    def _keep(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "navigation":
            self.script = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            drawn = element.WhichOneof("type")
            if drawn == "slider":
                key = element.slider.id.rpartition("-")[2]
                if key not in self.sliders or element.slider.set_value:
                    self.at[key] = (element.slider.value or element.slider.default)[0]
                self.sliders[key] = element.slider.id
            elif drawn == "button":
                self.buttons[element.button.label] = element.button.id
            elif drawn == "exception":
                self.problems.append(element.exception.message)
            elif drawn == "alert" and element.alert.format == element.alert.ERROR:
                self.problems.append(element.alert.body)


def is_end(message: ForwardMsg) -> bool:
    """Whether a page is drawn, all of it: not cut short by a newer question."""
    return message.WhichOneof("type") == "script_finished" and (
        message.script_finished == ForwardMsg.ScriptFinishedStatus.FINISHED_SUCCESSFULLY
    )


def metric(message: ForwardMsg, label: str) -> Any:
    """The number under a label, if a message draws that."""
    if message.WhichOneof("type") == "delta" and message.delta.new_element.WhichOneof("type") == "metric":
        found = message.delta.new_element.metric
        return found if found.label == label else None
    return None
