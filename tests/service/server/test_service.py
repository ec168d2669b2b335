"""The whole service under what strangers may send: each thing that held it up, or cost it much for little."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from kept import kept_in
from live_service import live
from scripted_model import scripted_model
from starlette.testclient import TestClient

from pes_search.index.encoders.base import Encoder
from pes_search.service.answers.config import AnswerConfig
from pes_search.service.api.app import create_app
from pes_search.service.engine import Engine
from pes_search.service.settings import ServeConfig, Settings

MANY = 20_000


def too_many(field: str, value: str) -> str:
    """Return a question with a field of very many values, too short to be refused by its length."""
    return f'{{"question": "a", "{field}": [{",".join([value] * MANY)}]}}'


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (too_many("country", "[]"), "country.0"),
        (too_many("country", '"D"'), "country"),
        ("{" + ",".join(f'"a{number}": 1' for number in range(8_000)) + "}", ""),
        ('{"question": "a", "country": ["' + "D" * 301 + '"]}', "country.0"),
        ('{"question": "a", "year_from": "' + "x" * 40_000 + '"}', "year_from"),
        ('{"question": "' + "a" * 2_001 + '"}', "question"),
        ("[" * 90_000, None),
        ('{"question": ' * 6_000, None),
    ],
)  # fmt: skip
def test_what_is_too_much_is_told_of_once(client: TestClient, body: str, fault: str | None) -> None:
    response = client.post("/api/v1/ask", content=body, headers={"Content-Type": "application/json"})
    problem = response.json()
    assert response.status_code == (400 if fault is None else 422) or "JSON" in problem["detail"]
    assert len(response.content) < 2_000
    if fault is not None:
        assert [told["parameter"] for told in problem["errors"]] == [fault]


@pytest.mark.parametrize("query", ["q=a" + "&country=DE" * 101, "q=a&country=" + "D" * 301])
def test_the_values_of_an_address_have_an_end(client: TestClient, query: str) -> None:
    for path in ("/api/v1/search", "/", "/export.csv"):
        assert client.get(f"{path}?{query}").status_code == 422


def test_only_the_first_faults_are_told(client: TestClient) -> None:
    response = client.post("/feedback", data={"about": "x"}, headers={"Accept": "application/json"})
    assert len(response.json()["errors"]) <= 10


def test_head_answers_wherever_get_does(client: TestClient) -> None:
    tried = []
    for route in iter_route_contexts(client.app.routes):  # type: ignore[attr-defined]
        path = route.path or ""
        if "GET" not in (route.methods or ()) or "{" in path:
            continue
        tried.append(path)
        query = {"q": "vouchers", "question": "Who pays for power_m?", "ids": "hr-vouchers,pl-kfs"}
        got = client.get(path, params=query, follow_redirects=False)
        head = client.head(path, params=query, follow_redirects=False)
        assert (head.status_code, head.content) == (got.status_code, b""), path
    assert {"/", "/desk", "/api/v1/search", "/api/v1/ask/stream", "/healthz", "/answer"} <= set(tried)


def test_strangers_cannot_have_a_language_model_write(client: TestClient) -> None:
    assert client.post("/api/v1/ask", json={"question": "Who pays for power_m?", "writer": "llm"}).status_code == 422
    for address in ("/api/v1/ask/stream?question", "/?q", "/answer?q"):
        response = client.get(f"{address}=Who+pays+for+power_m&writer=llm")
        assert response.status_code == 422
        assert "no language model" in response.text


def test_a_language_model_that_hangs_holds_no_search_up(engine: Engine, encoder: Encoder, tmp_path: Any) -> None:
    def hanging(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(3)

    with scripted_model() as model:
        model.reply = hanging
        answer = AnswerConfig(writer="llm", base_url=model.url, model="scripted", threshold=0.0, timeout_seconds=2.0)
        settings = Settings(
            index_dir=engine.settings.index_dir,
            answer=answer,
            serve=ServeConfig(searches=1, queue_seconds=0.0),
            **kept_in(tmp_path),
        )
        app = create_app(Engine(settings, settings.index_store(), encoder))
        question = "/api/v1/ask/stream?question=Who+pays+for+the+Croatian+vouchers"
        with live(app) as service, ThreadPoolExecutor(12) as pool:
            asked = [pool.submit(service.ask, "GET", question) for _ in range(12)]
            while len(model.requests) < 4:  # every place for a language model is taken
                time.sleep(0.01)
            assert service.ask("GET", "/api/v1/search?q=vouchers")[0] == 200
            assert service.ask("GET", "/healthz")[0] == 200
            statuses = [one.result()[0] for one in asked]
            assert set(statuses) == {200, 503}  # four are answered with quotations at last, four after them
            assert len(model.requests) <= 8


def test_a_search_that_takes_too_long_is_given_up(engine: Engine, encoder: Encoder, tmp_path: Any) -> None:
    settings = Settings(index_dir=engine.settings.index_dir, serve=ServeConfig(search_seconds=0.001), **kept_in(tmp_path))
    app = create_app(Engine(settings, settings.index_store(), encoder))
    client = TestClient(app)
    time.sleep(0.001)
    for address in ("/api/v1/search?q=vouchers", "/api/v1/ask/stream?question=Who+pays+for+power_m", "/?q=vouchers"):
        response = client.get(address)
        assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert json.loads(client.get("/healthz").content) == {"status": "ok"}
