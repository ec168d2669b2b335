"""Uploads over a real connection: who leaves stops the reading, and whatever a file holds, its page shows it as text."""

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import uvicorn
from kept import kept_in
from starlette.testclient import TestClient

from pes_search.service.api.app import create_app
from pes_search.service.engine import Engine
from pes_search.service.web.desk_pages import close_uploads

TEXT = "The employment service runs a bus that visits villages without a branch."
ENDLESS = ("a" + "\u0315\u0300" * 500_000).encode()  # takes many minutes to compose
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def own_engine(engine: Engine, tmp_path: Path) -> Engine:
    settings = engine.settings.model_copy(update=kept_in(tmp_path))
    return Engine(settings, settings.index_store(), engine.encoder, engine.index())


@pytest.fixture
def port(own_engine: Engine) -> Iterator[int]:
    """A service that listens, as it does outside of tests."""
    app = create_app(own_engine)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    assert eventually(lambda: server.started)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()
    close_uploads(app)


@pytest.fixture
def site(own_engine: Engine) -> Iterator[TestClient]:
    app = create_app(own_engine)
    yield TestClient(app)
    close_uploads(app)


def eventually(is_so: Callable[[], bool], seconds: float = 30) -> bool:
    until = time.monotonic() + seconds
    while not is_so() and time.monotonic() < until:
        time.sleep(0.05)
    return is_so()


def form(name: str, data: bytes) -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return head.encode() + data + b"\r\n--b--\r\n"


@pytest.fixture(autouse=True)
def _others() -> None:
    """What reads for apps of other tests of this process goes on."""
    OTHERS.clear()
    OTHERS.update(child.pid for child in readers())


OTHERS: set[int] = set()  # processes that were there before the test


def readers() -> list[psutil.Process]:
    children = [child for child in psutil.Process().children() if child.pid not in OTHERS]
    return [child for child in children if "pes_search.ingest.reading" in child.cmdline()]


def test_a_client_that_leaves_ends_the_reading_and_nothing_is_kept_aside(port: int, tmp_path: Path) -> None:
    body = form("endless.txt", ENDLESS)
    head = (
        f"POST /desk/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: multipart/form-data; boundary=b"
    )
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"{head}\r\n\r\n".encode() + body)
        assert eventually(lambda: any(reader.cpu_times().user > 1 for reader in readers()))
    assert eventually(lambda: not readers())
    assert eventually(lambda: not any((tmp_path / "uploads" / ".pending").iterdir()))
    # The next one is read as ever.
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request(
        "POST", "/desk/upload", form("bus.txt", TEXT.encode()), {"Content-Type": "multipart/form-data; boundary=b"}
    )
    assert connection.getresponse().status == 200
    connection.close()


def test_whatever_a_file_holds_its_page_shows_it_as_text(site: TestClient) -> None:
    text = (
        f"---\ntitle: 'T{SCRIPT}'\norganisation: 'O{SCRIPT}'\nkind: 'K{SCRIPT}'\nregion: 'R{SCRIPT}'\n"
        "partners: ['\"><img src=x onerror=alert(1)>']\nurl: 'javascript:alert(1)'\n"
        f"target_groups: ['G{SCRIPT}']\nevidence: 'E{SCRIPT}'\n---\n"
        f"# H&lt;script&gt;alert(1)&lt;/script&gt;\n\n{TEXT} &lt;script&gt;alert(1)&lt;/script&gt; [a](javascript:alert(1)) "
        "&lt;img src=x onerror=alert(1)&gt;"
    )
    page = site.post("/desk/upload", files={"file": (f"N{SCRIPT}.md", text.encode())}).text
    assert f"{TEXT} &lt;script&gt;" in page
    for start in "TOGE":
        assert f"{start}&lt;script&gt;" in page
    for markup in ("<script>alert", "<img src", 'href="javascript', "onerror=alert(1)>"):
        assert markup not in page


@pytest.mark.parametrize(
    "text",
    [
        "language: zzz", "language: 'x\" onload=\"y'", "date: '9999-99-99'", "date: 2024-02-30", "start: 1000\nend: 1",
        "countries: [ZZ]", "kind: '\u202e'", "title: \"\\ud800\"", "url: 'http://['", "organisation: " + "x" * 100_000,
    ],
)  # fmt: skip
def test_odd_metadata_are_shown_or_refused(site: TestClient, text: str) -> None:
    answer = site.post("/desk/upload", files={"file": ("bus.md", f"---\n{text}\n---\n# Bus\n\n{TEXT}".encode())})
    assert answer.status_code in {200, 422}
    assert len(answer.text) < 50_000


def test_a_form_without_a_file_says_so(site: TestClient) -> None:
    answer = site.post("/desk/upload", data={"file": "bus.md"})
    assert answer.status_code == 422
    assert "no file came with the form" in answer.json()["detail"]
    assert site.post("/desk/upload", files=[("file", ("a.md", b"a")), ("file", ("b.md", b"b"))]).status_code == 400


def test_a_full_disk_is_told_before_anything_is_read(
    site: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/dev/full/none")  # no folder: nothing can be written there
    answer = site.post("/desk/upload", files={"file": ("long.txt", TEXT.encode() * 20_000)})
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("files cannot be kept just now; who runs the service finds the reason in its log")
    assert "cannot write in /dev/full/none: Not a directory; make room there" in caplog.text


def test_what_reads_ends_with_the_service(own_engine: Engine) -> None:
    with TestClient(create_app(own_engine)) as site:
        assert site.post("/desk/upload", files={"file": ("a.md", b"# Bread\n\nTraining for bakers.")}).status_code == 200
        assert readers()
    assert eventually(lambda: not readers())
