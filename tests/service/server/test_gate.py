"""What a request passes before a route sees it, over real connections to an app of four routes."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from live_service import live, read_answer

from pes_search.index.stages import stage
from pes_search.service.api.problems import add_handlers
from pes_search.service.server.gate import add_gate
from pes_search.service.settings import ServeConfig, Settings


class Held:
    """A route's work, which a test lets go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = threading.Semaphore(0)
        self.bodies: list[bytes] = []
        self.seconds_a_stage = 0.0


@pytest.fixture
def held() -> Iterator[Held]:
    work = Held()
    yield work
    work.go.set()


def app_of(held: Held, **serve: float) -> FastAPI:
    app = FastAPI()
    add_handlers(app)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/search")
    def search() -> dict[str, str]:
        held.begun.release()
        held.go.wait(30)
        return {"found": "it"}

    @app.get("/staged")
    def staged() -> dict[str, str]:
        for _ in range(1_000):
            with stage("one"):
                time.sleep(held.seconds_a_stage)
        return {"found": "it"}

    @app.post("/language")
    async def language(request: Request) -> dict[str, int]:
        held.bodies.append(await request.body())
        return {"length": len(held.bodies[-1])}

    @app.post("/desk/upload")
    async def upload(request: Request) -> dict[str, int]:
        held.bodies.append(await request.body())
        return {"length": len(held.bodies[-1])}

    @app.get("/stream")
    def stream() -> StreamingResponse:
        return StreamingResponse(iter([b"a" * 10, b"b" * 10]), media_type="text/event-stream")

    add_gate(app, Settings(serve=ServeConfig(searches=1, **serve)))  # type: ignore[arg-type]
    return app


def test_a_body_that_is_too_long_is_refused_before_it_is_sent(held: Held) -> None:
    with live(app_of(held)) as service:
        head = b"POST /language HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n"
        status, _, body = read_answer(service.send(head))
        assert (status, json.loads(body)["detail"]) == (413, "more than 200 kB; send less")
        # Who sends it all the same reads the answer, not that the connection was reset.
        status, _, _ = service.ask("POST", "/language", b"[]," * 3_000_000)
        assert (status, held.bodies) == (413, [])


def test_a_body_of_unknown_length_is_refused(held: Held) -> None:
    with live(app_of(held)) as service:
        assert service.ask("POST", "/language", Transfer_Encoding="chunked")[0] == 411


@pytest.mark.parametrize("query", ["q=a" + "&country=DE" * 2_000, "q=" + "a" * 64_001])
def test_an_address_that_is_too_long_is_refused(held: Held, query: str) -> None:
    with live(app_of(held)) as service:
        assert service.ask("GET", f"/search?{query}")[0] == 400


def test_headers_that_are_too_long_are_refused(held: Held) -> None:
    with live(app_of(held)) as service:
        assert service.ask("GET", "/healthz", X="a" * 40_000)[0] == 400


def test_what_was_sent_reaches_the_route(held: Held) -> None:
    with live(app_of(held)) as service:
        assert service.ask("POST", "/language", b"language=de")[0] == 200
        assert service.ask("POST", "/desk/upload", b"x" * 200_000)[0] == 200
        assert held.bodies == [b"language=de", b"x" * 200_000]


@pytest.mark.parametrize("path", ["/language", "/desk/upload"])
def test_who_does_not_send_what_was_announced_is_told_so(held: Held, path: str) -> None:
    with live(app_of(held, body_seconds=0.1)) as service:
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nlangua".encode()
        status, _, body = read_answer(service.send(head))
        assert (status, json.loads(body)["status"]) == (408, 408)


def test_too_many_are_refused_at_once_and_the_rest_lives(held: Held) -> None:
    with live(app_of(held, queue_seconds=0.0)) as service, ThreadPoolExecutor(10) as pool:
        first = pool.submit(service.ask, "GET", "/search")
        held.begun.acquire()
        others = [pool.submit(service.ask, "GET", "/search") for _ in range(6)]
        refused = []
        while len(refused) < 5:  # one holds the place and one waits
            refused = [other.result() for other in others if other.done()]
            time.sleep(0.01)
        assert {status for status, _, _ in refused} == {503}
        assert all(int(headers["retry-after"]) >= 1 for _, headers, _ in refused)
        # What does not search is answered meanwhile, by workers of its own or by none.
        assert service.ask("GET", "/healthz")[0] == 200
        assert service.ask("POST", "/language", b"language=de")[0] == 200
        held.go.set()
        statuses = [other.result()[0] for other in [first, *others]]
        assert (statuses.count(200), statuses.count(503)) == (2, 5)


def test_who_leaves_the_queue_is_not_served(held: Held) -> None:
    app = app_of(held, queue_seconds=60.0)
    with live(app) as service, ThreadPoolExecutor(2) as pool:
        first = pool.submit(service.ask, "GET", "/search")
        held.begun.acquire()
        leaving = service.send(b"GET /search HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while app.state.lanes["search"].waiting < 1:
            time.sleep(0.01)
        leaving.close()
        while app.state.lanes["search"].waiting:
            time.sleep(0.01)
        held.go.set()
        assert first.result()[0] == 200
        assert not held.begun.acquire(blocking=False)  # nobody else began


def test_work_ends_when_its_time_is_over(held: Held) -> None:
    held.seconds_a_stage = 0.05
    with live(app_of(held, search_seconds=0.2)) as service:
        status, headers, body = service.ask("GET", "/staged")
        assert (status, headers["retry-after"]) == (503, "5")
        assert "took too long" in json.loads(body)["detail"]


def test_what_get_answers_head_answers_without_a_body(held: Held) -> None:
    held.go.set()
    with live(app_of(held)) as service:
        for path in ("/healthz", "/search", "/stream"):
            got, head = service.ask("GET", path), service.ask("HEAD", path)
            assert (head[0], head[2]) == (200, b"")
            assert head[1].get("content-length") == got[1].get("content-length")
            assert head[1]["content-type"] == got[1]["content-type"]


def test_no_body_is_waited_for_once_the_service_stops(held: Held) -> None:
    app = app_of(held)
    with live(app) as service:
        hanging = [
            service.send(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n1234567".encode())
            for path in ("/language", "/desk/upload")
        ]
        while len(app.state.bodies) < len(hanging):
            time.sleep(0.01)
        service.loop.call_soon_threadsafe(app.state.bodies.stop)
        for connection in hanging:
            status, headers, _ = read_answer(connection)
            assert (status, headers["retry-after"]) == (503, "30")


class TestConnections:
    def test_a_head_that_does_not_come_in_time_is_answered_and_closed(self, held: Held) -> None:
        with live(app_of(held), header_seconds=0.2) as service:
            for begun in (b"", b"GET /healthz HTTP/1.1\r\nHost: loc"):
                status, _, body = read_answer(service.send(begun))
                assert (status, json.loads(body)["title"]) == (408, "Request Timeout")

    def test_the_second_head_of_a_connection_has_to_come_in_time_too(self, held: Held) -> None:
        with live(app_of(held), header_seconds=0.2) as service:
            connection = service.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(15) == b"HTTP/1.1 200 OK"
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: loc")
            _, _, rest = read_answer(connection)
            assert b"408 Request Timeout" in rest

    def test_where_there_are_too_many_an_idle_one_makes_room(self, held: Held) -> None:
        with live(app_of(held), connections=5) as service:
            idle = [service.send(b"GET /heal") for _ in range(5)]
            while len(service.server.server_state.connections) < 5:
                time.sleep(0.01)
            assert service.ask("GET", "/healthz")[0] == 200
            assert len(service.server.server_state.connections) <= 5
            for connection in idle:
                connection.close()

    def test_where_all_are_busy_a_new_one_is_refused(self, held: Held) -> None:
        with live(app_of(held, queue_seconds=60.0), connections=2) as service, ThreadPoolExecutor(2) as pool:
            busy = [pool.submit(service.ask, "GET", "/search") for _ in range(2)]
            while sum(not one.is_idle for one in service.server.server_state.connections) < 2:  # type: ignore[union-attr]
                time.sleep(0.01)
            status, headers, _ = read_answer(service.send(b""))
            assert (status, headers["retry-after"]) == (503, "1")
            held.go.set()
            assert [one.result()[0] for one in busy] == [200, 200]

    def test_what_is_no_http_is_answered_as_every_error(self, held: Held) -> None:
        with live(app_of(held)) as service:
            status, headers, body = read_answer(service.send(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"))
            assert (status, headers["content-type"]) == (400, "application/problem+json")
            assert json.loads(body)["status"] == 400
