"""Parameters are defaults until the operator's own data say more, and say what they rest on."""

from datetime import timedelta

import pytest

from canary.attribution.reading import read_world
from canary.attribution.world import Operator
from canary.services.baits.custody import import_custody
from canary.services.verdicts.parameters import Basis, Parameter, estimate_parameters, to_operator
from canary.services.verdicts.worlds import build_world
from canary.storage.tables import Incident, Phone, Reporter
from tests.factories import Office, listing, row, sms


def parameters(office: Office) -> dict[str, Parameter]:
    with office.database.read() as session:
        return {one.name: one for one in estimate_parameters(session, office.clock())}


def test_empty_database_gives_the_defaults(office: Office) -> None:
    found = parameters(office)
    assert {one.basis for one in found.values()} == {Basis.DEFAULT, Basis.POLICY}
    assert found["coverage_resale"].value == Operator().coverage["resale"]


def test_defaults_make_the_default_operator(office: Office) -> None:
    operator = to_operator(list(parameters(office).values()), timedelta(days=30))
    plain = Operator()
    assert tuple(operator["leak_fraction_beta"]) == plain.leak_fraction_beta
    assert tuple(operator["chance"]["waybill"]) == plain.chance_waybill
    assert operator["delay_mixture"]["mean_slow_h"] == plain.mean_slow_h


def test_control_phones_measure_background_spam(office: Office) -> None:
    office.plant()
    quiet = parameters(office)["spam_per_phone_and_day"]
    office.clock.move(timedelta(days=60))
    rack = office.add_reporter("rack")
    control = office.rows(Phone, is_control=True)[0]
    number = office.vault.unseal(f"phones.sealed_number|{control.ref}", control.sealed_number)
    for at in range(12):
        office.post(rack, sms(f"贷款 {at}", number.decode()))
    office.triage()
    loud = parameters(office)["spam_per_phone_and_day"]
    assert loud.basis is Basis.CONTROL_PHONES
    assert loud.low < loud.value < loud.high
    assert loud.value > quiet.value


def test_seen_control_baits_raise_the_chance_of_coincidence(office: Office) -> None:
    office.plant()
    controls = office.all_values(is_control=True)[:2]
    office.post(office.add_reporter(), listing("\n".join(one.number or "" for one in controls)))
    office.triage()
    found = parameters(office)["chance_factor"]
    assert (found.observations, found.basis) == (len(controls), Basis.CONTROL_BAITS)
    assert found.value == pytest.approx(1 + len(controls), rel=0.01)


def test_first_scans_measure_how_late_the_log_is(office: Office) -> None:
    office.plant()
    handed = office.clock() - timedelta(days=2)
    rows = [
        row(place, number=one.number or "", source=code, at=(handed + late).isoformat())
        for place, (code, one, late) in enumerate(
            (
                (code, one, timedelta(minutes=30))
                for code in ("OUT-A1", "OUT-B1")
                for one in office.values_at(code)
            ),
            start=2,
        )
    ]
    with office.database.write() as session:
        import_custody(session, office.vault, rows, actor="test", now=office.clock())
    found = parameters(office)["since_log_lag_mean_h"]
    assert (found.observations, found.basis) == (8, Basis.CUSTODY)
    assert found.value == pytest.approx(0.5)


def test_confirmed_incidents_measure_leaks_and_delays(office: Office) -> None:
    office.plant(per_source=8)
    reporter = office.add_reporter()
    for code in ("OUT-A1", "OUT-A2", "OUT-B1", "OUT-B2", "HUB-A"):
        values = office.values_at(code)
        text = "\n".join(one.number or "" for one in values)
        office.post(reporter, listing(text, venue=f"{code}.example"))
        office.work()
    for one in office.rows(Incident):
        code = (one.scope.removeprefix("source:"),)
        office.change(
            Incident, one.id, state="confirmed", named=list(code), decided_at=office.clock()
        )
    found = parameters(office)
    assert found["leak_fraction_a"].basis is Basis.CONFIRMED
    assert found["leak_fraction_a"].observations == 5
    assert found["mean_fast_h"].basis is Basis.CONFIRMED
    assert found["mean_fast_h"].observations == 40
    assert found["mean_fast_h"].value == pytest.approx(48, rel=0.2)


def test_estimates_reach_the_world(office: Office) -> None:
    office.plant()
    controls = office.all_values(is_control=True)[:1]
    seen = [*controls, *office.values_at("OUT-A1")]
    office.post(office.add_reporter(), listing("\n".join(one.number or "" for one in seen)))
    office.triage()
    with office.database.read() as session:
        built = build_world(session, office.vault, [office.rows(Incident)[0].id], office.clock())
    operator = read_world(built.content).operator
    assert operator.chance_waybill[0] == pytest.approx(2 * Operator().chance_waybill[0], rel=0.01)
    assert office.count(Reporter) == 1
