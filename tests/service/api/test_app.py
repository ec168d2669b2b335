"""The service tells that it runs, and describes itself."""

from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient


def operations(client: TestClient) -> list[tuple[str, str, dict[str, Any]]]:
    paths = client.get("/openapi.json").json()["paths"]
    return [(path, method, operation) for path, methods in paths.items() for method, operation in methods.items()]


def example(parameter: dict[str, Any]) -> Any:
    """Return a parameter's example as OpenAPI 3.1 may give it, or None."""
    examples = parameter["schema"].get("examples") or [each["value"] for each in parameter.get("examples", {}).values()]
    return parameter.get("example", examples[0] if examples else None)


def test_openapi_describes_every_operation(client: TestClient) -> None:
    assert {(path, method) for path, method, _ in operations(client)} == {
        ("/api/v1/search", "get"),
        ("/api/v1/ask", "post"),
        ("/api/v1/ask/stream", "get"),
        ("/api/v1/compare", "get"),
        ("/api/v1/documents", "get"),
        ("/api/v1/documents/{document_id}", "get"),
        ("/api/v1/duplicates", "get"),
        ("/api/v1/duplicates", "post"),
        ("/api/v1/documents/{document_id}/related", "get"),
        ("/api/v1/passages/{passage_id}", "get"),
        ("/healthz", "get"),
        ("/readyz", "get"),
    }


@pytest.mark.parametrize("which", ["required", "all"])
def test_the_examples_of_openapi_run(client: TestClient, which: str) -> None:
    for path, method, operation in operations(client):
        parts: dict[str, str] = {}
        query: dict[str, Any] = {}
        for parameter in operation.get("parameters", []):
            value = example(parameter)
            required = parameter.get("required", False)
            assert value is not None or not required, f"{path}: {parameter['name']} has no example"
            if parameter["in"] == "path":
                parts[parameter["name"]] = quote(value)
            elif value is not None and (required or which == "all"):
                query[parameter["name"]] = value
        body = None
        if "requestBody" in operation:
            name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            schema = client.get("/openapi.json").json()["components"]["schemas"][name]
            body = {name: schema["properties"][name]["examples"][0] for name in schema["required"]}
        response = client.request(method, path.format(**parts), params=query, json=body)
        assert response.status_code == 200, f"{path}: {response.text}"
        if path == "/api/v1/duplicates" and body:
            assert client.post(path, json={**body, "verdict": "undo"}).json()["decisions"] == []
        if response.headers["content-type"].startswith("text/event-stream"):
            assert "event: done" in response.text or "event: refused" in response.text
            continue
        answer = response.json()
        assert answer.get("total") != 0, f"{path}: the examples find nothing"


def test_openapi_tells_how_errors_look(client: TestClient) -> None:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}
    for path, _, operation in operations(client):
        if path.startswith("/api/"):
            faults = {status: each["content"] for status, each in operation["responses"].items() if status >= "400"}
            assert {"404", "422", "503"} <= set(faults)
            for status, content in faults.items():
                assert content == problem, f"{path}: {status}"
