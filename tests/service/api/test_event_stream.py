"""Server-sent events: one data line each, whatever the text holds, and nobody on the way keeps or collects them."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from pes_search.service.api.event_stream import begun, message


@pytest.mark.parametrize(("text", "json"), [("à\r\nb", '"à\\r\\nb"'), ("\n\n", '"\\n\\n"'), ("", '""')])
def test_a_message_is_one_event_of_one_line(text: str, json: str) -> None:
    assert message("sentence", text).decode() == f"event: sentence\ndata: {json}\nid: sentence\n\n"


def test_what_fails_before_the_first_event_fails_before_the_stream() -> None:
    def failing() -> Iterator[str]:
        raise ZeroDivisionError
        yield ""

    with pytest.raises(ZeroDivisionError):
        begun(failing())  # type: ignore[arg-type]


@pytest.mark.parametrize("address", ["/api/v1/ask/stream?question=Who+pays+for+power_m", "/answer?q=Who+pays+for+power_m"])
def test_streams_are_neither_kept_nor_collected(client: TestClient, address: str) -> None:
    headers = client.get(address).headers
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["cache-control"] == "no-store"
    assert headers["x-accel-buffering"] == "no"


@pytest.mark.parametrize("address", ["/api/v1/ask/stream?question=Who+pays+for+power_m", "/answer?q=Who+pays+for+power_m"])
def test_a_browser_that_asks_again_by_itself_is_told_to_stop(client: TestClient, address: str) -> None:
    # EventSource sends the id of the last event that it had, and opens no more connections after 204 (HTML standard, 9.2.3).
    last = [line.removeprefix("id: ") for line in client.get(address).text.splitlines() if line.startswith("id: ")][-1]
    assert last == "done"
    again = client.get(address, headers={"Last-Event-ID": last})
    assert (again.status_code, again.content) == (204, b"")
