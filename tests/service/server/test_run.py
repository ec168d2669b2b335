"""The process ends in its time, whatever hangs; and what it is told thousandfold it logs once."""

import asyncio
import logging
import signal
import socket
import subprocess
import sys
import time

import pytest
from live_service import read_answer

from pes_search.service.server.run import SeldomTold

HANGING = """
import os, time
from fastapi import FastAPI
from pes_search.service.server.gate import add_gate
from pes_search.service.server.run import serve
from pes_search.service.settings import ServeConfig, Settings

app = FastAPI()

@app.get("/search")
def search(seconds: float):
    os.write(1, b"begun\\n")  # in one piece, whatever else begins
    time.sleep(seconds)
    return "found"

@app.post("/language")
def language(): ...

settings = Settings(serve=ServeConfig(stop_seconds=1.0, searches=5))
add_gate(app, settings)
print("ready", flush=True)
serve(app, "127.0.0.1", PORT, settings.serve)
"""


def test_the_process_ends_whatever_hangs_and_finishes_what_runs() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", HANGING.replace("PORT", str(port))], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"

    connections: list[socket.socket] = []

    def send(text: str) -> socket.socket:
        for _ in range(200):
            try:
                connection = socket.create_connection(("127.0.0.1", port), timeout=30)
            except ConnectionRefusedError:
                time.sleep(0.05)
            else:
                connections.append(connection)
                connection.sendall(text.encode())
                return connection
        raise TimeoutError

    try:
        send("GET /search?seconds=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        hanging = send("POST /language HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n1234567")
        send("GET /sea")
        finished = send("GET /search?seconds=0.5 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for _ in range(2):
            assert process.stdout.readline() == b"begun\n"
        process.send_signal(signal.SIGTERM)
        assert read_answer(hanging)[0] == 503
        assert read_answer(finished)[::2] == (200, b'"found"')
        assert process.wait(30) in {0, -signal.SIGTERM}  # of the thousand seconds that the first one takes
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        for connection in connections:
            connection.close()


def test_a_fault_of_the_event_loop_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    loop, told = asyncio.new_event_loop(), SeldomTold()
    with caplog.at_level(logging.ERROR):
        for _ in range(1_000):
            told(loop, {"message": "socket.accept() out of system resource", "exception": OSError(24, "Too many open files")})
    loop.close()
    assert [record.getMessage() for record in caplog.records] == [
        "socket.accept() out of system resource: [Errno 24] Too many open files (told once in 60 s)"
    ]
