"""The queue by keyboard, its undo, and what comes in while somebody looks at it."""

from playwright.sync_api import expect

from canary.storage.tables import Batch


def test_queue_is_worked_by_keyboard(visit, stage):
    page = visit()
    page.goto("/incidents")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("input[name=pick]:checked")).to_have_count(1)
    page.click("#bulk button[value=assign]")
    expect(page.locator(".toast")).to_contain_text("1 incident done.")
    page.goto("/incidents?q=assignee:me")
    expect(page.locator(".queue-row")).to_have_count(1)


def test_key_takes_the_last_step_back(visit, stage):
    page = visit()
    page.goto("/incidents")
    rows = page.locator(".queue-row").count()
    page.locator("input[name=pick]").first.check()
    page.click("#bulk button[value=snooze]")
    expect(page.locator(".queue-row")).to_have_count(rows - 1)
    page.keyboard.press("z")
    expect(page.locator(".notice-good")).to_contain_text("Undone.")
    expect(page.locator(".queue-row")).to_have_count(rows)


def test_slash_and_question_mark_work_everywhere(visit):
    page = visit()
    page.goto("/incidents")
    page.keyboard.press("/")
    expect(page.locator("input[name=q][type=search]")).to_be_focused()
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()


def test_new_incident_appears_by_itself(visit, stage):
    page = visit()
    page.clock.install()
    page.goto("/incidents")
    rows = page.locator(".queue-row").count()
    stage.build.incident()
    page.clock.run_for(21_000)
    expect(page.locator(".queue-row")).to_have_count(rows + 1)


def test_picked_incident_stops_the_refresh(visit, stage):
    """A row that is being worked on must not vanish under the hand."""
    page = visit()
    page.clock.install()
    page.goto("/incidents")
    rows = page.locator(".queue-row").count()
    page.locator("input[name=pick]").first.check()
    page.locator("h1").click()
    stage.build.incident()
    page.clock.run_for(21_000)
    expect(page.locator("input[name=pick]:checked")).to_have_count(1)
    expect(page.locator(".queue-row")).to_have_count(rows)


def test_batch_that_is_ready_shows_itself(visit, stage):
    batch = stage.build.batch("in the making", state="making")
    page = visit()
    page.clock.install()
    page.goto(f"/batches/{batch.id}")
    expect(page.locator("[data-live]")).to_have_count(1)
    with stage.build.database.write() as session:
        session.get_one(Batch, batch.id).state = "issued"
    page.clock.run_for(21_000)
    expect(page.locator("h1 .chip")).to_have_text("Made")
    expect(page.locator("[data-live]")).to_have_count(0)
