"""Programs part, confirm and take back, with the editor's key where there is one."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from pes_search.service.api.app import create_app
from pes_search.service.engine import Engine
from pes_search.service.settings import DeskConfig

ADDRESS = "/api/v1/duplicates"
KEY = "a long enough editor's key"
PART = {"verdict": "part", "document_id": "copy", "other_ids": ["story", "german"]}


@pytest.fixture
def api(copied: Engine) -> TestClient:
    return TestClient(create_app(copied))


def groups(client: TestClient) -> list[list[str]]:
    return [
        [group["document_id"], *(other["document_id"] for other in group["others"])]
        for group in client.get(ADDRESS).json()["groups"]
    ]


def found(client: TestClient) -> dict[str, list[str]]:
    """Return what a search lists of the story and its forms, each with what it stands for."""
    hits = client.get("/api/v1/search", params={"q": "a bus that visits villages", "all": True}).json()["hits"]
    return {
        hit["document_id"]: [other["document_id"] for other in hit["also"]]
        for hit in hits
        if hit["document_id"] in {"story", "copy", "german"}
    }


def test_a_decision_counts_at_once_and_is_listed(api: TestClient) -> None:
    assert (groups(api), found(api)) == ([["story", "copy", "german"]], {"story": ["copy", "german"]})
    answer = api.post(ADDRESS, json=PART).json()
    assert [(one["first"], one["second"], one["are_copies"]) for one in answer["decisions"]] == [
        ("copy", "german", False),
        ("copy", "story", False),
    ]
    assert [(group["document_id"], group["parted"]) for group in answer["groups"]] == [("story", ["copy"])]
    assert found(api) == {"story": ["german"], "copy": []}
    related = api.get("/api/v1/documents/copy/related").json()
    assert (related["same"], "story" in [hit["document_id"] for hit in related["hits"]]) == ([], True)
    confirmed = api.post(ADDRESS, json={"verdict": "confirm", "document_id": "club", "other_ids": ["fair"]}).json()
    assert [(group["document_id"], group["confirmed"]) for group in confirmed["groups"]] == [("story", False), ("club", True)]
    assert groups(api)[1] == ["club", "fair"]
    api.post(ADDRESS, json={**PART, "verdict": "undo"})
    assert found(api) == {"story": ["copy", "german"]}


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"document_id": "nowhere"}, 404, "no document 'nowhere'"),
        ({"other_ids": ["nowhere"]}, 404, "no document 'nowhere'"),
        ({"other_ids": ["copy"]}, 422, "'copy' is named twice"),
        ({"other_ids": []}, 422, "other_ids"),
        ({"verdict": "burn"}, 422, "verdict"),
        ({"verdict": "undo"}, 404, "nothing was decided about copy and story and german"),
        ({"document": "copy"}, 422, "no field 'document'"),
    ],
)
def test_what_cannot_be_decided_is_told(body: dict[str, object], status: int, told: str, api: TestClient) -> None:
    response = api.post(ADDRESS, json={**PART, **body})
    assert (response.status_code, told in response.json()["detail"]) == (status, True), response.text
    assert api.get(ADDRESS).json()["decisions"] == []


def test_a_contradiction_is_told(api: TestClient) -> None:
    api.post(ADDRESS, json={"verdict": "confirm", "document_id": "story", "other_ids": ["copy", "german"]})
    response = api.post(ADDRESS, json={"verdict": "part", "document_id": "copy", "other_ids": ["german"]})
    assert response.status_code == 409
    assert "take the other decisions about them back first" in response.json()["detail"]
    assert groups(api) == [["story", "copy", "german"]]
    # Both pairs together leave no contradiction.
    assert api.post(ADDRESS, json=PART).status_code == 200
    assert groups(api) == [["story", "german"]]


def test_where_the_desk_has_a_key_it_is_wanted(copied: Engine, tmp_path: Path) -> None:
    desk = DeskConfig(key=SecretStr(KEY), uploads=tmp_path)
    copied.settings = copied.settings.model_copy(update={"desk": desk})
    api = TestClient(create_app(copied))
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": KEY}, {"Authorization": "Bearer "}):
        refused = api.post(ADDRESS, json=PART, headers=headers)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    given = {"Authorization": f"Bearer {KEY}"}
    assert api.post(ADDRESS, json=PART, headers={**given, "Origin": "https://evil.example"}).status_code == 403
    assert api.get(ADDRESS).json()["decisions"] == []
    assert api.post(ADDRESS, json=PART, headers=given).status_code == 200
    api.post("/desk/sign-in", data={"key": KEY})
    assert api.post(ADDRESS, json={**PART, "verdict": "undo"}).status_code == 200  # from the desk itself
