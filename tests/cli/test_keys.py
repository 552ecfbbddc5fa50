"""API keys on the command line."""

from tests.cli.conftest import Canary


def test_key_is_made_and_revoked(canary: Canary) -> None:
    canary("init")
    made = canary("key", "create", "crawler", "--scope", "inbox:read", "--days", "30", "--json")
    assert made.json["key"].startswith("wck_K-")
    listed = canary("key", "list", "--json").json
    assert [(row["name"], row["state"]) for row in listed] == [("crawler", "live")]
    assert made.json["key"].split("_", 2)[2] not in canary("key", "list").out
    assert canary("key", "revoke", listed[0]["ref"]).code == 0
    assert canary("key", "list", "--json").json[0]["state"] == "revoked"


def test_unknown_scope_is_wrong_usage(canary: Canary) -> None:
    canary("init")
    assert canary("key", "create", "x", "--scope", "all").code == 2
    assert canary("key", "revoke", "K-NONE").code == 1
