"""An app behind real sockets, in a thread: what a connection does cannot be tried without one."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI

from pes_search.service.server.protocol import LARGEST_HEAD_BYTES, timed_protocol


@dataclass(frozen=True)
class Live:
    """An app that listens."""

    port: int
    server: uvicorn.Server
    loop: asyncio.AbstractEventLoop

    def send(self, data: bytes) -> socket.socket:
        """Open a connection and send some bytes."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connection.sendall(data)
        return connection

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of an answer."""
        head = {"Host": "localhost", "Connection": "close", **({"Content-Length": str(len(body))} if body else {}), **headers}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name.replace('_', '-')}: {value}" for name, value in head.items())]
        return read_answer(self.send("\r\n".join([*lines, "", ""]).encode() + body))


def read_answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Read until the other side closes."""
    answer = b""
    with contextlib.closing(connection):
        while part := connection.recv(65_536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return (int(first.split()[1]) if first else 0), headers, body


@contextlib.contextmanager
def live(app: FastAPI, *, header_seconds: float = 10.0, connections: int = 100) -> Iterator[Live]:
    """Let an app listen for as long as the context lasts."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        http=timed_protocol(header_seconds, connections),
        ws="none",
        lifespan="off",
        log_config=None,
        h11_max_incomplete_event_size=LARGEST_HEAD_BYTES,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        await server.serve([listening])

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield Live(listening.getsockname()[1], server, loops[0])
    finally:
        server.should_exit = True
        thread.join()
