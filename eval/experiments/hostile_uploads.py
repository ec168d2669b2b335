"""What a service does with files that somebody made to bring it down, posted to its upload route while its health is asked.

    python -m pes_search.eval.experiments.hostile_uploads [--count 2000] [--seed 1] [--url http://127.0.0.1:8000]

Without an address a service is started for it, over the index of the settings. A running one has to be open to this machine
(no keys), and its upload folder is that of the settings. Prints Markdown; the exit status is 1 if there was a fault: an answer
of 500 and above but 503, none at all, a script or a file of the machine in a page, or something left behind.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import http.client
import re
import socket
import sys
import tempfile
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from pes_search.eval.experiments.hostile_files import SCRIPT, SECRET, hostile_files
from pes_search.eval.experiments.hostile_samples import TEXT, samples
from pes_search.eval.experiments.timed_service import running_service
from pes_search.service.cli.frame import print_table
from pes_search.service.editing.uploads import TOKEN_DIGITS
from pes_search.service.settings import read_settings

BOUNDARY = "----a-form-of-hostile-files"
TIMEOUT_SECONDS = 180
HEALTH_PAUSE_SECONDS = 0.1
CLIENTS = 3  # that upload at once: one more than are read at once
LEAVES_EVERY, LEAVES_AFTER_SECONDS = 10, 0.2  # of the uploads, one is of a client that does not wait for the answer
SETTLING_SECONDS = 30  # for what clients that left have set off
SHOWN_SLOWEST = 8
PROGRESS_EVERY = 50
TOKEN = re.compile(r'action="/desk/upload/([0-9a-f]+)"')
DETAIL = re.compile(r'"detail":"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of an upload."""

    name: str
    status: int | None  # None: no answer
    seconds: float
    text: str


@dataclass(slots=True)
class Seen:
    """What was seen of the service meanwhile."""

    worst_health: float = 0.0
    unhealthy: int = 0
    most_megabytes: float = 0.0
    faults: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # with 503
    left_tokens: set[str] = field(default_factory=set)  # of files whose senders left


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what became of the files; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=2_000, help="files (default: 2,000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--url", help="of a running service")
    parsed = parser.parse_args(arguments)
    settings = read_settings()
    if parsed.url:
        port = urllib.parse.urlsplit(parsed.url).port or 80
        return run(port, _listener(port), settings.desk.uploads, parsed.count, parsed.seed)
    with tempfile.TemporaryDirectory() as folder:
        uploads = Path(folder) / "uploads"
        changed = {"PES_DESK__UPLOADS": str(uploads), "PES_DATABASE__PATH": str(Path(folder) / "pes.sqlite3"), "TMPDIR": folder}
        with running_service(settings.index_dir, None, **changed) as service:
            port = urllib.parse.urlsplit(service.base).port or 80
            return run(port, psutil.Process(service.process_id), uploads, parsed.count, parsed.seed)


def run(port: int, process: psutil.Process, uploads: Path, count: int, seed: int) -> int:
    """Post the files and print what became of them; return the exit status."""
    sound = {f"sound{suffix}": samples()[suffix] for suffix in (".md", ".pdf", ".docx")}
    for name, data in [*sound.items(), ("long.txt", "\n\n".join([TEXT] * 2_000).encode())]:  # so that what is loaded once is
        _decide(port, _post(port, name, *_form(name, data)))
    before = _megabytes(process)
    there_before = _files(uploads)
    seen = Seen()
    over = threading.Event()
    watching = threading.Thread(target=_watch, args=(port, process, seen, over), daemon=True)
    watching.start()
    began = time.monotonic()
    results: list[Sent] = []
    requests, lock = _requests(count, seed), threading.Lock()

    def send() -> None:
        while True:
            with lock:
                request = next(requests, None)  # one at a time: all together are gigabytes
            if request is None:
                return
            results.append(_upload(port, *request, seen))
            if len(results) % PROGRESS_EVERY == 0:
                print(f"{len(results)} of {count}", file=sys.stderr, flush=True)

    with ThreadPoolExecutor(CLIENTS) as clients:
        for sender in [clients.submit(send) for _ in range(CLIENTS)]:
            sender.result()
    took = time.monotonic() - began
    in_time = [token for token in _tokens(uploads, there_before) if token in seen.left_tokens]
    for token in in_time:
        _discard(port, token)
    left = _left(process, uploads, there_before)
    over.set()
    watching.join()
    after = _megabytes(process)
    _tell(results, seen, took, before, after, left, len(in_time))
    return 1 if seen.faults or left else 0


def _tell(results: list[Sent], seen: Seen, took: float, before: float, after: float, left: list[str], in_time: int) -> None:
    outcomes: dict[str, list[Sent]] = {}
    for sent in results:
        outcomes.setdefault("left" if sent.text == "left" else str(sent.status or "no answer"), []).append(sent)
    print(f"{len(results)} uploads in {took:.0f} s.\n")
    rows = [
        (outcome, len(several), f"{max(sent.seconds for sent in several):.1f}") for outcome, several in sorted(outcomes.items())
    ]
    print_table(("answer", "uploads", "slowest, s"), rows)
    print()
    slowest = sorted(results, key=lambda sent: -sent.seconds)[:SHOWN_SLOWEST]
    print_table(
        ("slowest", "s", "answer", "told"),
        [(sent.name[:40], f"{sent.seconds:.1f}", sent.status, _told(sent)) for sent in slowest],
    )
    print()
    reasons = Counter(_reason(sent) for sent in results if sent.status == 422)
    print_table(("refused because", "uploads"), [(reason, number) for reason, number in reasons.most_common(15)])
    print()
    values = [
        ("worst answer of /healthz, s", f"{seen.worst_health:.2f}"),
        ("/healthz without an answer", seen.unhealthy),
        ("memory of the service before, at most, after, MB", f"{before:.0f}, {seen.most_megabytes:.0f}, {after:.0f}"),
        ("previews that were ready before their senders left", in_time),
        ("left behind", ", ".join(left) or "nothing"),
        ("faults", len(seen.faults)),
    ]
    print_table(("measured", "value"), values)
    for refused in seen.refused:
        print(f"503: {refused}", file=sys.stderr)
    for fault in seen.faults:
        print(f"fault: {fault}", file=sys.stderr)


def _requests(count: int, seed: int) -> Iterator[tuple[int, str, str, str, bytes]]:
    """Yield the number, the name, the token, the content type and the body of each upload."""
    number = 0
    for content_type, body in _broken_forms():
        if number == count:
            return
        yield number, f"form {number}", "", content_type, body
        number += 1
    for name, data in hostile_files(count - number, seed):
        yield number, name, hashlib.sha256(data).hexdigest()[:TOKEN_DIGITS], *_form(name, data)
        number += 1


def _form(name: str, data: bytes) -> tuple[str, bytes]:
    """Return the content type and the body of a form with a file; its name is sent as it is, whatever it does to the form."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
    typed = head.encode("utf-8", "surrogatepass") + b"Content-Type: application/octet-stream\r\n\r\n"
    return f"multipart/form-data; boundary={BOUNDARY}", typed + data + f"\r\n--{BOUNDARY}--\r\n".encode()


def _broken_forms() -> Iterator[tuple[str, bytes]]:
    """Yield forms that are none, or not ours."""
    content_type, body = _form("bus.md", samples()[".md"])
    part = body.partition(b"\r\n")[2].rpartition(f"\r\n--{BOUNDARY}--".encode())[0]
    line = f"--{BOUNDARY}\r\n".encode()
    yield "multipart/form-data", body
    yield "multipart/form-data; boundary=", body
    yield "multipart/form-data; boundary=other", body
    yield f"multipart/form-data; boundary={'b' * 5_000}", body
    yield f"{content_type}; charset=none", body
    yield f"{content_type}; charset=utf-7", body
    yield "application/json", b'{"file": "bus.md"}'
    yield "application/x-www-form-urlencoded", b"file=bus.md"
    yield "application/x-www-form-urlencoded", b"&".join(b"a%d=b" % number for number in range(100_000))
    yield "text/plain", body
    yield "", body
    yield content_type, b""
    yield content_type, body[: len(body) // 2]
    yield content_type, body.replace(b'name="file"', b'name="other"')
    yield content_type, body.replace(b'; filename="bus.md"', b"")
    yield content_type, body.replace(b'filename="bus.md"', b"filename*=UTF-8''..%2F..%2Fbus.md")
    yield content_type, body.replace(b"Content-Disposition", b"X-Nothing")
    yield content_type, body.replace(b"form-data; ", b"form-data; " * 2_000)
    yield content_type, body.replace(b"Content-Type: app", b"X-Long: " + b"a" * 1_000_000 + b"\r\nContent-Type: app")
    yield content_type, body.replace(b"Content-Type: app", b"X-Many: a\r\n" * 100_000 + b"Content-Type: app")
    yield content_type, line + part + b"\r\n" + body
    yield content_type, (line + b'Content-Disposition: form-data; name="a"\r\n\r\nb\r\n') * 100_000 + body
    yield content_type, line + b'Content-Disposition: form-data; name="a"\r\n\r\n' + b"b" * 40_000_000 + b"\r\n" + body
    yield content_type, body.replace(b"\r\n\r\n", b"\r\n\r\n" + b"\r\n--" * 10_000_000, 1)
    yield content_type, body.replace(b"\r\n\r\n", b"\r\n\r\n" + f"\r\n--{BOUNDARY[:-1]}".encode() * 1_000_000, 1)
    yield content_type, body.replace(b"\r\n\r\n", b"\r\n\r\n" + b"\r" * 40_000_000, 1)


def _upload(port: int, number: int, name: str, token: str, content_type: str, body: bytes, seen: Seen) -> Sent:
    """Post an upload, look at the answer, and throw away what is kept aside."""
    if number % LEAVES_EVERY == LEAVES_EVERY - 1:
        seen.left_tokens.add(token)
        return _leave(port, name, content_type, body)
    sent = _post(port, name, content_type, body)
    if sent.status is None or (sent.status >= 500 and sent.status != 503):
        seen.faults.append(f"{name!r}: {sent.status} {sent.text[:200]}")
    if sent.status == 503:
        seen.refused.append(f"{name!r}: {_told(sent)}")
    if SECRET in sent.text:
        seen.faults.append(f"{name!r}: the page shows a file of the machine")
    if re.search(re.escape(SCRIPT) + r"|<img src=x|<svg onload|href=\"javascript:", sent.text) and not sent.text.startswith(
        "{"
    ):
        seen.faults.append(f"{name!r}: the page has markup of the file")
    _decide(port, sent)
    return sent


def _post(port: int, name: str, content_type: str, body: bytes) -> Sent:
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("POST", "/desk/upload", body, {"Content-Type": content_type})
        answer = connection.getresponse()
        return Sent(name, answer.status, time.monotonic() - began, answer.read().decode("utf-8", "replace"))
    except (OSError, http.client.HTTPException) as error:
        return Sent(name, None, time.monotonic() - began, repr(error))
    finally:
        connection.close()


def _leave(port: int, name: str, content_type: str, body: bytes) -> Sent:
    """Send an upload and hang up."""
    began = time.monotonic()
    head = (
        f"POST /desk/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS) as connection, contextlib.suppress(OSError):
        connection.sendall(head.encode() + body)
        time.sleep(LEAVES_AFTER_SECONDS)
    return Sent(name, None, time.monotonic() - began, "left")


def _decide(port: int, sent: Sent) -> None:
    """Throw away the file of a preview."""
    if sent.status == 200 and (token := TOKEN.search(sent.text)):
        _discard(port, token[1])


def _discard(port: int, token: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    with contextlib.suppress(OSError, http.client.HTTPException):
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", f"/desk/upload/{token}", "action=discard", form)
        connection.getresponse().read()
    connection.close()


def _watch(port: int, process: psutil.Process, seen: Seen, over: threading.Event) -> None:
    """Ask for the service's health, and look at its memory, until it is over."""
    while not over.wait(HEALTH_PAUSE_SECONDS):
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status != 200:
                seen.unhealthy += 1
        except (OSError, http.client.HTTPException):
            seen.unhealthy += 1
        finally:
            connection.close()
        seen.worst_health = max(seen.worst_health, time.monotonic() - began)
        with contextlib.suppress(psutil.Error):
            seen.most_megabytes = max(seen.most_megabytes, _megabytes(process))


def _left(process: psutil.Process, uploads: Path, before: set[str]) -> list[str]:
    """Return what is left behind, once what clients that left have set off has had time to end."""
    until = time.monotonic() + SETTLING_SECONDS
    files: set[str] = set()
    busy: list[str] = []
    while time.monotonic() < until:
        files = _files(uploads) - before
        busy = [
            f"process {child.pid}"
            for child in process.children(recursive=True)
            if child.cpu_percent(0.2) > 50  # those that wait for the next file stay
        ]
        if not files and not busy:
            break
        time.sleep(1)
    return [*sorted(files)[:10], *busy]


def _files(uploads: Path) -> set[str]:
    """Return what lies in the upload folder, and in that of files that are passed on."""
    return {str(path) for path in uploads.rglob("*") if path.is_file() or path.name.startswith(".reading-")}


def _tokens(uploads: Path, before: set[str]) -> list[str]:
    """Return the tokens of the previews that wait."""
    return [Path(path).parent.name for path in _files(uploads) - before]


def _listener(port: int) -> psutil.Process:
    """Return the process that listens on a port of this machine."""
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,) and connection.pid:
            return psutil.Process(connection.pid)
    raise SystemExit(f"no service listens on port {port} of this machine; start one with `pes serve`")


def _megabytes(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6


def _told(sent: Sent) -> str:
    match = DETAIL.search(sent.text)
    return (match[1] if match else "")[:100].replace("|", "/")


def _reason(sent: Sent) -> str:
    """Return why a file was refused, without what is its own."""
    told = _told(sent).rpartition("cannot be read: ")[2]
    return re.sub(r"\d[\d.,]*", "n", told.partition(";")[0])[:70]


if __name__ == "__main__":
    sys.exit(main())
