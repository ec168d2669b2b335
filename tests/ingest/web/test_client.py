"""A client is polite, and no server can hold it, fill it or lead it where it must not go."""

import gzip
import socket
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from web_site import Page, Site

from pes_search.ingest.errors import BusyHostError, FetchError
from pes_search.ingest.web.client import Client
from pes_search.ingest.web.config import FetchConfig
from pes_search.ingest.web.guard import is_public


def anywhere(address: str) -> None:
    """Refuse nothing."""


def test_what_is_fetched_and_by_whom(site: Site, client: Client) -> None:
    site.pages["/x"] = Page("text")
    response = client.get(f"{site.address}/x", anywhere)
    assert (response.status, response.body) == (200, b"text")
    assert all(agent.startswith("pes-search/") for agent in site.agents)
    assert site.asked == ["/robots.txt", "/x"]


def test_a_page_that_has_not_changed_is_not_sent_again(site: Site, client: Client) -> None:
    site.pages["/x"] = Page("text")
    etag = client.get(f"{site.address}/x", anywhere).headers["etag"]
    assert client.get(f"{site.address}/x", anywhere, lambda address: {"if-none-match": etag}).status == 304
    assert site.sent == ["/x"]


def test_redirects_are_followed_and_circles_are_not(site: Site, client: Client) -> None:
    site.redirect("/a", "/b?utm_source=x")
    site.redirect("/b", "/c", status=308)
    site.pages["/c"] = Page("text")
    assert client.get(f"{site.address}/a", anywhere).address == f"{site.address}/c"
    site.redirect("/round", "/about")
    site.redirect("/about", "/round")
    with pytest.raises(FetchError, match="circle"):
        client.get(f"{site.address}/round", anywhere)
    for number in range(20):
        site.redirect(f"/r{number}", f"/r{number + 1}")
    with pytest.raises(FetchError, match="more than 10 redirects"):
        client.get(f"{site.address}/r0", anywhere)


def test_every_address_on_the_way_is_checked(site: Site, client: Client) -> None:
    site.redirect("/a", "http://elsewhere.example/x")

    def here(address: str) -> None:
        if not address.startswith(site.address):
            raise FetchError(f"not {address}")

    with pytest.raises(FetchError, match=r"not http://elsewhere\.example/x"):
        client.get(f"{site.address}/a", here)


def test_robots_txt_is_kept_to(site: Site, client: Client) -> None:
    site.pages["/robots.txt"] = Page("User-agent: *\nDisallow: /private\nCrawl-delay: 7\n", "text/plain")
    site.pages["/private/x"] = site.pages["/x"] = Page("text")
    with pytest.raises(FetchError, match=r"robots\.txt does not allow"):
        client.get(f"{site.address}/private/x", anywhere)
    assert "/private/x" not in site.asked
    assert client.get(f"{site.address}/x", anywhere).status == 200


def test_a_host_gets_its_pauses(site: Site, waits: list[float]) -> None:
    site.pages["/robots.txt"] = Page("User-agent: *\nCrawl-delay: 7\n", "text/plain")
    site.pages["/x"] = Page("text")
    config = FetchConfig(seconds_between=2.0, private_hosts=("127.0.0.1",))
    with Client(config, sleep=waits.append) as client:
        client.get(f"{site.address}/x", anywhere)
        client.get(f"{site.address}/x", anywhere)
    assert [round(wait) for wait in waits] == [2, 7]  # its robots.txt was not known at first


@pytest.mark.parametrize("status", [500, 503])
def test_a_site_whose_robots_txt_cannot_be_had_is_left_alone(site: Site, client: Client, status: int) -> None:
    site.pages["/robots.txt"] = Page(status=status)
    with pytest.raises(BusyHostError, match="does not answer"):
        client.get(f"{site.address}/x", anywhere)
    assert "/x" not in site.asked


def test_a_busy_server_is_waited_for(site: Site, client: Client, waits: list[float]) -> None:
    answers = iter([Page(status=429, headers={"retry-after": "3"}), Page(status=503, headers={"retry-after": "4"})])

    def busy(request: BaseHTTPRequestHandler) -> None:
        page = next(answers, Page("text", headers={}))
        request.send_response(page.status)
        for name, value in page.headers.items():
            request.send_header(name, value)
        request.send_header("content-length", str(len(page.content)))
        request.end_headers()
        request.wfile.write(page.content)

    site.pages["/x"] = Page(handler=busy)
    assert client.get(f"{site.address}/x", anywhere).body == b"text"
    assert [wait for wait in waits if wait] == [3.0, 4.0]


def test_a_server_that_asks_for_an_hour_ends_the_run(site: Site, client: Client) -> None:
    site.pages["/x"] = Page(status=429, headers={"retry-after": "3600"})
    with pytest.raises(BusyHostError, match="3600 s"):
        client.get(f"{site.address}/x", anywhere)
    assert site.asked.count("/x") == 1


def test_a_server_that_fails_is_asked_three_times(site: Site, client: Client) -> None:
    site.pages["/x"] = Page(status=500)
    with pytest.raises(FetchError, match="answered 500"):
        client.get(f"{site.address}/x", anywhere)
    assert site.asked.count("/x") == 3
    site.pages["/no"] = Page(status=403)
    with pytest.raises(FetchError, match="answered 403"):
        client.get(f"{site.address}/no", anywhere)
    assert site.asked.count("/no") == 1


def raw(*parts: bytes, pause: float = 0.0, repeat: int = 1) -> Callable[[BaseHTTPRequestHandler], None]:
    """Return a handler that writes bytes as they are."""

    def write(request: BaseHTTPRequestHandler) -> None:
        request.close_connection = True
        request.wfile.write(parts[0])
        for _ in range(repeat):
            for part in parts[1:]:
                request.wfile.write(part)
                request.wfile.flush()
                time.sleep(pause)

    return write


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("parts", "pause", "repeat"),
    [
        ((OK + b"content-length: 100000\r\n\r\n", b"x"), 0.1, 1000),  # a slow body
        ((OK, b"x-a: b\r\n"), 0.1, 1000),  # slow headers
        ((OK + b"content-length: 10\r\n\r\n",), 60.0, 1),  # a silent one
    ],
)
def test_a_server_that_drips_costs_a_request_its_seconds(
    site: Site, waits: list[float], parts: tuple[bytes, ...], pause: float, repeat: int
) -> None:
    site.pages["/x"] = Page(handler=raw(*parts, pause=pause, repeat=repeat))
    config = FetchConfig(seconds_between=0.0, seconds=0.5, private_hosts=("127.0.0.1",))
    with Client(config, sleep=waits.append) as client, pytest.raises(FetchError, match=r"slower than 0\.5 s|broke off"):
        client.get(f"{site.address}/x", anywhere)


def test_two_gigabytes_are_not_taken(site: Site, client: Client) -> None:
    site.pages["/said"] = Page(handler=raw(OK + b"content-length: 2000000000\r\n\r\n"))
    with pytest.raises(FetchError, match="2,000 MB, more than 1 MB"):
        client.get(f"{site.address}/said", anywhere)
    site.pages["/unsaid"] = Page(handler=raw(OK + b"connection: close\r\n\r\n", b"x" * 65_536, repeat=30_000))
    with pytest.raises(FetchError, match="more than 1 MB"):
        client.get(f"{site.address}/unsaid", anywhere)
    assert client.bytes < 3_000_000


def test_what_is_packed_is_unpacked_and_a_bomb_is_not(site: Site, client: Client) -> None:
    site.pages["/x"] = Page(gzip.compress(b"text" * 100), headers={"content-encoding": "gzip"})
    assert client.get(f"{site.address}/x", anywhere).body == b"text" * 100
    site.pages["/bomb"] = Page(gzip.compress(b"\0" * 200_000_000, 1), headers={"content-encoding": "gzip"}, has_etag=False)
    with pytest.raises(FetchError, match="too large"):
        client.get(f"{site.address}/bomb", anywhere)
    site.pages["/cut"] = Page(gzip.compress(b"text" * 1000)[:-10], headers={"content-encoding": "gzip"})
    with pytest.raises(FetchError, match="cut off"):
        client.get(f"{site.address}/cut", anywhere)
    site.pages["/bad"] = Page(b"no gzip", headers={"content-encoding": "gzip"})
    with pytest.raises(FetchError, match="damaged"):
        client.get(f"{site.address}/bad", anywhere)
    site.pages["/br"] = Page(b"x", headers={"content-encoding": "br"})
    with pytest.raises(FetchError, match="not asked for"):
        client.get(f"{site.address}/br", anywhere)


def test_a_body_that_breaks_off_is_no_page(site: Site, client: Client) -> None:
    site.pages["/x"] = Page(handler=raw(OK + b"content-length: 100\r\n\r\n", b"half"))
    with pytest.raises(FetchError, match="broke off"):
        client.get(f"{site.address}/x", anywhere)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),  # the metadata of cloud machines
        ("192.168.0.1", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("2002:7f00:1::", False),  # 127.0.0.1 in 6to4
        ("::127.0.0.1", False),
        ("fec0::1", False),
        ("64:ff9b::a00:1", False),  # 10.0.0.1 behind NAT64
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_private_addresses_are_refused_unless_named(site: Site) -> None:
    site.pages["/x"] = Page("secret")
    with Client(FetchConfig(seconds_between=0.0)) as client, pytest.raises(FetchError, match="private address 127"):
        client.get(f"{site.address}/x", anywhere)
    assert site.asked == []


def test_a_redirect_to_a_private_address_is_refused(site: Site, client: Client) -> None:
    site.redirect("/x", site.address.replace("127.0.0.1", "127.0.0.2") + "/secret")
    site.pages["/secret"] = Page("secret")
    with pytest.raises(FetchError, match=r"private address 127\.0\.0\.2"):
        client.get(f"{site.address}/x", anywhere)
    assert "/secret" not in site.asked


def test_a_name_that_changes_what_it_stands_for_is_refused(site: Site, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name stands for a public address when it is first looked up, and for this machine when it is connected to."""
    known = socket.getaddrinfo
    asked = iter(["93.184.216.34"])

    def changing(host: str, *arguments: Any, **more: Any) -> Any:
        return known(next(asked, "127.0.0.1") if host == "rebinding.example" else host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    assert socket.getaddrinfo("rebinding.example", 80)[0][4][0] == "93.184.216.34"
    with pytest.raises(FetchError, match=r"rebinding\.example is at the private address"):
        client.get(site.address.replace("127.0.0.1", "rebinding.example"), anywhere)
    assert site.asked == []


def test_a_name_that_nobody_knows_is_said_so(client: Client) -> None:
    with pytest.raises(BusyHostError, match="no connection"):
        client.get("http://nowhere.invalid/", anywhere)


def test_what_was_not_asked_for_is_no_answer(site: Site, client: Client) -> None:
    site.pages["/x"] = Page(status=304)
    with pytest.raises(FetchError, match="nothing of it is kept"):
        client.get(f"{site.address}/x", anywhere)


def test_several_packed_parts_are_one_body(site: Site, client: Client) -> None:
    body = gzip.compress(b"first ") + gzip.compress(b"second")
    site.pages["/x"] = Page(body, headers={"content-encoding": "gzip"})
    assert client.get(f"{site.address}/x", anywhere).body == b"first second"


@pytest.mark.parametrize("value", ["\xb2", "9" * 5000, "Wed, 21 Oct 99999999999 07:28:00 GMT", "-5", "soon"])
def test_a_wait_that_makes_no_sense_is_no_crash(site: Site, client: Client, value: str) -> None:
    site.pages["/x"] = Page(status=503, headers={"retry-after": value})
    with pytest.raises(FetchError):
        client.get(f"{site.address}/x", anywhere)


def test_signs_in_another_encoding_are_sent_back_as_they_came(site: Site, client: Client) -> None:
    site.pages["/x"] = Page("text", headers={"etag": '"\xe4"'}, has_etag=False)
    etag = client.get(f"{site.address}/x", anywhere).headers["etag"]
    assert client.get(f"{site.address}/x", anywhere, lambda address: {"if-none-match": etag}).status == 200


def test_robots_txt_with_a_mark_counts(site: Site, client: Client) -> None:
    site.pages["/robots.txt"] = Page(b"\xef\xbb\xbfUser-agent: *\nDisallow: /\n", "text/plain")
    with pytest.raises(FetchError, match=r"robots\.txt does not allow"):
        client.get(f"{site.address}/x", anywhere)


def test_a_very_long_robots_txt_is_read_as_far_as_it_must_be(site: Site, client: Client) -> None:
    rules = "User-agent: *\nDisallow: /private\n" + "Disallow: /x/y\n" * 200_000
    site.pages["/robots.txt"] = Page(rules, "text/plain")
    site.pages["/a"] = Page("text")
    with pytest.raises(FetchError, match=r"robots\.txt does not allow"):
        client.get(f"{site.address}/private", anywhere)
    assert client.get(f"{site.address}/a", anywhere).body == b"text"
    assert site.asked.count("/robots.txt") == 1


def test_robots_txt_leads_to_no_other_page(site: Site, client: Client) -> None:
    site.redirect("/robots.txt", "/admin?delete=1")
    site.pages["/x"] = site.pages["/admin?delete=1"] = Page("text")
    assert client.get(f"{site.address}/x", anywhere).body == b"text"
    assert "/admin?delete=1" not in site.asked


def test_a_robots_txt_that_cannot_be_had_is_asked_for_once(site: Site, client: Client) -> None:
    site.pages["/robots.txt"] = Page(status=500)
    for _ in range(3):
        with pytest.raises(BusyHostError):
            client.get(f"{site.address}/x", anywhere)
    assert site.asked.count("/robots.txt") == 3  # tries of one request
