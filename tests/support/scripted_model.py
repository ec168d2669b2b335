"""A language model's service that replies what a test tells it: a real model cannot be made to fail in every way."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class ScriptedModel:
    """A chat service of OpenAI's interface whose replies are given."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.reply: Callable[[BaseHTTPRequestHandler], None] = self.text("NO ANSWER")
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                service.requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                service.headers.append(dict(self.headers))
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the caller had enough
                    service.reply(self)

            def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def text(self, text: str, *, pieces: int = 5, pause: float = 0.0) -> Callable[[BaseHTTPRequestHandler], None]:
        """Stream a text; `{n}` becomes the number of the passage that names the vouchers' payer."""

        def reply(handler: BaseHTTPRequestHandler) -> None:
            prompt = self.requests[-1]["messages"][-1]["content"]
            number = next((part.split("]")[0] for part in prompt.split("\n[") if "Resilience" in part), "1").lstrip("[")
            whole = text.replace("{n}", number)
            handler.send_response(200)
            handler.send_header("Content-Type", "text/event-stream")
            handler.end_headers()
            for start in range(0, len(whole), pieces):
                event = {"choices": [{"delta": {"content": whole[start : start + pieces]}}]}
                handler.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
                time.sleep(pause)
            handler.wfile.write(b"data: [DONE]\n\n")

        return reply

    def raw(self, body: bytes, status: int = 200, kind: str = "application/json") -> Callable[[BaseHTTPRequestHandler], None]:
        def reply(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            handler.send_header("Content-Type", kind)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

        return reply


@contextlib.contextmanager
def scripted_model() -> Iterator[ScriptedModel]:
    """Serve a scripted model as long as the context lasts."""
    model = ScriptedModel()
    threading.Thread(target=model.server.serve_forever, daemon=True).start()
    yield model
    model.server.shutdown()
    model.server.server_close()
