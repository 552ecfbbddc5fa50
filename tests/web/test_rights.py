"""Every route has its roles, and each role opens exactly its routes."""

import pytest

from canary.services.access import Role
from canary.storage.tables import Alert, Delivery, Endpoint
from canary.web.auth import BETWEEN, PUBLIC, ROLES, may_open
from tests.web.building import NOW
from tests.web.crowd import add_one, list_pages

SAMPLES = {
    "incident_id": "1",
    "ref": "B-000001",
    "code": "HZ-01",
    "reporter": "x",
    "invitation_id": "1",
    "shape": "csv",
    "path_secret": "y",
    "filename": "site.css",
    "name": "x",
    "entry_id": "1",
    "delivery_id": "1",
    "sign_in_id": "99",
    "user_id": "1",
    "kind": "sources",
    "batch_id": "1",
}


def list_routes(app):
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                values = {key: SAMPLES.get(key, "1") for key in rule.arguments}
                yield rule.endpoint, method, rule.build(values)[1]


def test_every_route_is_in_the_table(app):
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert endpoints == set(ROLES) | PUBLIC | BETWEEN


@pytest.mark.parametrize("role", list(Role))
def test_role_opens_exactly_its_routes(app, build, as_role, role):
    build.source("HZ-01")
    person = as_role(role, source_code="HZ-01")
    token = csrf(person)
    wrong = []
    for endpoint, method, path in list_routes(app):
        if endpoint in PUBLIC | BETWEEN or endpoint == "account.sign_out":
            continue
        answer = person.client.open(path, method=method, data={"csrf_token": token})
        refused = answer.status_code == 403 and b"Your role does not allow" in answer.data
        if refused == may_open(endpoint, role):
            wrong.append((endpoint, method, answer.status_code))
    assert wrong == []


def csrf(person):
    page = person.get("/account").get_data(as_text=True)
    return page.split('name="csrf_token" value="')[1].split('"')[0]


def test_nobody_signed_in_opens_nothing(app, browser):
    for endpoint, method, path in list_routes(app):
        if endpoint in PUBLIC:
            continue
        answer = browser.client.open(path, method=method)
        shut = answer.status_code == 303 and "/sign-in" in answer.headers["Location"]
        assert shut or answer.status_code in {400, 401}, (endpoint, method)


@pytest.fixture
def branches(build):
    head = build.source("HQ", kind="system")
    mine = build.source("MINE", "我方网络", kind="hub", parent=head)
    outlet = build.source("MINE-1", "我方网点", parent=mine)
    other = build.source("OTHER-NETWORK", "他方网点", parent=head)
    return {
        "mine": build.incident(
            outlet,
            result={
                "posteriors": {"MINE-1": 0.97, "OTHER-NETWORK": 0.02},
                "excluded": {"OTHER-NETWORK": "TOO_LATE"},
                "explanations": {"en": {"headline": "MINE-1, not OTHER-NETWORK"}},
            },
        ),
        "other": build.incident(other),
        "weak": build.incident(outlet, "weak"),
        "baits": [build.bait(build.batch(), outlet)],
        "reporter": build.reporter(),
    }


def test_partner_sees_only_its_branch(as_role, branches):
    page = as_role("partner", source_code="MINE").get("/incidents").get_data(as_text=True)
    assert "我方网点" in page
    assert "他方网点" not in page


def test_no_page_tells_a_partner_of_others(app, as_role, build, branches):
    """Over the whole route table, so that a page added later is held to it as well."""
    as_role("analyst")
    partner = as_role("partner", source_code="MINE")
    examples = add_one(build, 7_000_007, "不可外泄")
    own = {**examples, "incidents.show": {"incident_id": branches["mine"].id}}
    opened, told = [], []
    for endpoint, path in list_pages(app, own).items():
        answer = partner.get(path)
        if not may_open(endpoint, Role.PARTNER):
            assert answer.status_code == 403 or endpoint in PUBLIC, endpoint
            continue
        opened.append(endpoint)
        words = ("不可外泄", "OTHER-NETWORK", "他方网点", "BAD-7000007")
        told += [(endpoint, word) for word in words if word in answer.get_data(as_text=True)]
    assert "incidents.show" in opened
    assert told == []


@pytest.mark.parametrize("which", ["other", "weak"])
def test_partner_cannot_open_the_rest(as_role, branches, which):
    partner = as_role("partner", source_code="MINE")
    assert partner.get(f"/incidents/{branches[which].id}").status_code == 404


def test_partner_page_hides_other_sources(as_role, branches):
    partner = as_role("partner", source_code="MINE")
    page = partner.get(f"/incidents/{branches['mine'].id}").get_data(as_text=True)
    assert "MINE-1" in page
    assert "OTHER-NETWORK" not in page
    assert "他方网点" not in page


@pytest.mark.parametrize(("role", "shown"), [("analyst", True), ("partner", False)])
def test_own_phones_and_endpoints_are_no_partners_matter(as_role, build, branches, role, shown):
    incident, phone = branches["mine"], build.phone("19340271800", "SIM rack 7")
    build.sighting(
        branches["reporter"], incident, "spam", arrival=(branches["baits"][0], phone), kind="sms"
    )
    _add_delivery(build, incident.id)
    page = as_role(role, source_code="MINE").get(f"/incidents/{incident.id}").text
    assert ("SIM rack 7" in page, "secret-room" in page) == (shown, shown)


def _add_delivery(build, incident_id):
    endpoint = Endpoint(
        name="secret-room", format="wecom", sealed_config=b"", lang="en", created_at=NOW
    )
    alert = Alert(
        ref="A-1",
        type="incident.opened",
        incident_id=incident_id,
        revision=1,
        data={},
        created_at=NOW,
    )
    with build.database.write() as session:
        session.add_all([endpoint, alert])
        session.flush()
        session.add(
            Delivery(
                alert_id=alert.id,
                endpoint_id=endpoint.id,
                state="done",
                attempts=1,
                due_at=NOW,
                finished_at=NOW,
                last_status=200,
            )
        )


@pytest.mark.parametrize(
    ("role", "shown"),
    [("analyst", True), ("auditor", True), ("admin", True), ("seeder", False), ("partner", False)],
)
def test_evidence_is_clear_for_named_roles(as_role, build, branches, role, shown):
    incident, bait = branches["mine"], branches["baits"][0]
    text = "出售 YT9012345678901 王小明 13912345678"
    build.sighting(
        branches["reporter"], incident, text, [(bait, "YT9012345678901", "number")], venue="群"
    )
    page = as_role(role, source_code="MINE").get(f"/incidents/{incident.id}")
    assert ("YT9012345678901" in page.get_data(as_text=True)) == shown
    assert ("王小明" in page.get_data(as_text=True)) == shown


def test_reading_evidence_is_written_down(as_role, build, branches):
    as_role("auditor").get(f"/incidents/{branches['mine'].id}")
    with build.open() as session:
        from canary.storage.tables import AuditEntry

        entries = session.query(AuditEntry).filter_by(action="evidence.shown").all()
    assert [(entry.actor, entry.subject) for entry in entries] == [
        ("the-auditor", f"incident/{branches['mine'].id}")
    ]
