"""The diff on single readings and short sequences; the wrong turns of a naive diff, one by one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from notifier.diff import diff_exchange, diff_page
from notifier.known import Known
from notifier.model import Advisory, Change, Component, Exchange, Kind, Snapshot, Window
from notifier.notice import remind, withdraw
from notifier.ports import SourceFailed
from tests.builders import NOW, after, at, from_feed, incident, maintenance, page, update, watched


def play(*snapshots: Snapshot, known: Known | None = None) -> tuple[list[list[Change]], Known]:
    """The changes of each reading in turn, and what is known in the end."""
    known = known or watched()
    told = []
    for snapshot in snapshots:
        news = diff_page(known, snapshot, NOW, baseline=False)
        known = after(known, news)
        told.append(list(news.changes))
    return told, known


def said(changes: list[Change]) -> list[str]:
    return [str(change.phase or change.kind) for change in changes]


OPEN = update("11:29", "investigating", "We see connection errors.")
FIXED = update("11:35", "monitoring", "A fix is in.")
OVER = update("11:41", "resolved", "This incident has been resolved.")


def test_the_three_updates_of_an_incident_are_told_once_each() -> None:
    told, _ = play(
        page(incident(OPEN)),
        page(incident(OPEN)),
        page(incident(OPEN, FIXED)),
        page(incident(OPEN, FIXED, OVER)),
        page(incident(OPEN, FIXED, OVER)),
    )
    assert [said(each) for each in told] == [["opened"], [], ["progress"], ["resolved"], []]
    last = told[3][0]
    assert last.started_at == at("11:29") and last.ended_at == at("11:41")
    assert [step.status for step in last.timeline] == ["investigating", "monitoring", "resolved"]
    assert last.loud and not last.introduces and "never seen" in last.reason


# payloads, "what a naive diff gets wrong", rows 1 to 14


def test_row_1_markup_live_components_and_page_clock_are_no_news() -> None:
    told, _ = play(
        page(incident(OPEN)),
        page(
            incident(
                replace(OPEN, text=f"  {OPEN.text.replace(' ', chr(10))} "),
                components=(Component(id="c-ws", name="Websocket", status="major_outage", updated_at=at("11:50")),),
            ),
            clock=at("11:59"),
        ),
    )
    assert said(told[1]) == []


def test_row_2_an_incident_whose_updated_at_moves_alone_is_no_news() -> None:
    told, _ = play(page(incident(OPEN)), page(incident(OPEN, updated_at=at("9:00", day=14))))
    assert said(told[1]) == []


def test_row_3_a_back_dated_incident_below_others_is_news() -> None:
    old = incident(
        update("9:00", created_at=at("11:50")),
        update("9:30", "resolved", created_at=at("11:51")),
        id="retroactive1",
        resolved_at=at("11:05"),
    )
    told, _ = play(page(incident(OPEN)), page(incident(OPEN), old))
    assert said(told[1]) == ["opened", "resolved"]


def test_row_3_a_future_dated_maintenance_hides_nothing() -> None:
    ahead = maintenance(update("10:00", "scheduled", created_at=at("11:20")), window=Window(start=at("7:00", day=30)))
    told, _ = play(page(ahead), page(ahead, incident(OPEN)))
    assert [said(each) for each in told] == [["scheduled"], ["opened"]]


def test_row_4_two_updates_of_one_minute_and_label_in_the_feed_are_both_told() -> None:
    first, second = update("16:35", text="We are looking."), update("16:35", text="We found it.", id="other")
    told, _ = play(from_feed(incident(first)), from_feed(incident(first, second)), from_feed(incident(first, second)))
    assert [said(each) for each in told] == [["opened"], ["progress"], []]
    assert told[1][0].text == "We found it."


def test_row_4_even_two_identical_updates_in_the_feed_are_both_told() -> None:
    twin = update("16:35", text="We are continuing to investigate.")
    told, _ = play(from_feed(incident(twin)), from_feed(incident(twin, twin)), from_feed(incident(twin, twin)))
    assert [said(each) for each in told] == [["opened"], ["progress"], []]


def test_row_5_order_follows_posting_not_display() -> None:
    back_dated = update("10:00", "identified", "Found.", created_at=at("11:32"))
    told, _ = play(page(incident(OPEN, back_dated)))
    assert said(told[0]) == ["opened", "progress"]
    assert [change.status for change in told[0]] == ["investigating", "identified"]


def test_row_6_an_update_after_the_end_does_not_reopen_what_is_resolved() -> None:
    note = update("12:10", "investigating", "Some clients may have to reconnect.")
    told, known = play(
        page(incident(OPEN, OVER)), page(incident(OPEN, OVER, note, status="resolved", resolved_at=at("11:41")))
    )
    assert said(told[1]) == ["progress"]
    assert not told[1][0].loud and not known.incidents["wsincident01"].open


def test_row_6_resolved_with_a_lone_investigating_update_is_over() -> None:
    told, known = play(page(incident(OPEN)), page(incident(OPEN, status="resolved", resolved_at=at("11:41"))))
    assert said(told[1]) == ["resolved"]
    assert not known.incidents["wsincident01"].open


def test_row_6_the_real_resolving_update_that_comes_later_is_not_told_again() -> None:
    told, known = play(
        page(incident(OPEN)),
        page(incident(OPEN, status="resolved", resolved_at=at("11:41"))),
        page(incident(OPEN, OVER)),
        page(incident(OPEN, OVER)),
    )
    assert said(told[2]) == ["update.edited"] and told[2][0].text == OVER.text
    assert said(told[3]) == []
    assert [u.id for u in known.incidents["wsincident01"].updates] == [OPEN.id, OVER.id]


def test_row_6_a_postmortem_ends_nothing_twice() -> None:
    postmortem = update("15:00", "postmortem", "Root cause.")
    told, _ = play(
        page(incident(OPEN, OVER)),
        page(incident(OPEN, OVER, postmortem, status="postmortem", resolved_at=at("11:41"))),
    )
    assert said(told[1]) == ["postmortem"] and not told[1][0].loud


def test_a_postmortem_is_the_end_of_what_had_none() -> None:
    postmortem = update("15:00", "postmortem", "Root cause.")
    told, _ = play(page(incident(OPEN)), page(incident(OPEN, postmortem, status="postmortem", resolved_at=at("15:00"))))
    assert said(told[1]) == ["resolved"] and told[1][0].loud and told[1][0].ended_at == postmortem.at


def test_row_7_a_status_may_go_back() -> None:
    again = update("11:38", "investigating", "It is back.")
    told, _ = play(page(incident(OPEN, FIXED)), page(incident(OPEN, FIXED, again)))
    assert said(told[1]) == ["progress"] and told[1][0].status == "investigating"


def test_row_8_absence_resolves_nothing_and_return_is_no_news() -> None:
    told, known = play(page(incident(OPEN)), page(), page(source="summary", complete=True), page(incident(OPEN)))
    assert [said(each) for each in told[1:]] == [[], [], []]
    assert known.incidents["wsincident01"].open


def test_row_9_the_same_title_and_text_under_a_new_id_is_another_incident() -> None:
    told, _ = play(
        page(incident(OPEN, OVER)),
        page(incident(update("9:00", text=OPEN.text, at=at("9:00", day=1)), id="nextday00001")),
    )
    assert said(told[1]) == ["opened"]


def test_row_10_components_not_stated_are_kept() -> None:
    told, _ = play(page(incident(OPEN)), page(incident(OPEN, OVER, components=None)))
    assert [str(each) for each in told[1][0].components] == ["Websocket"]


def test_row_11_opened_and_ended_between_two_polls_is_told_whole() -> None:
    told, _ = play(page(), page(incident(OPEN, FIXED, OVER)))
    assert said(told[1]) == ["opened", "progress", "resolved"]


def test_row_11_a_maintenance_that_skips_its_start_is_completed() -> None:
    window = Window(start=at("7:00"), end=at("7:01"))
    told, _ = play(
        page(maintenance(update("6:00", "scheduled"), window=window)),
        page(maintenance(update("6:00", "scheduled"), update("7:01", "completed"), window=window)),
        known=watched(since="5:00"),
    )
    assert [said(each) for each in told] == [["scheduled"], ["completed"]]


def test_row_11_a_reminder_is_a_second_scheduled_update_and_progress() -> None:
    window = Window(start=at("13:00"), end=at("14:00"))
    told, _ = play(
        page(maintenance(update("6:00", "scheduled"), window=window)),
        page(maintenance(update("6:00", "scheduled"), update("12:00", "scheduled", "In an hour."), window=window)),
    )
    assert said(told[1]) == ["progress"]


def test_row_12_instants_are_compared_not_their_spelling() -> None:
    late_start = incident(OPEN, started_at=at("14:50"))
    told, _ = play(page(late_start), page(incident(OPEN, OVER, started_at=at("14:50"))))
    assert told[1][0].started_at == at("11:29")


def test_row_13_text_is_carried_as_it_is() -> None:
    hostile = update(text="<SOME/ALL> clients & <!channel> **bold**")
    told, _ = play(page(incident(hostile)))
    assert told[0][0].text == "<SOME/ALL> clients & <!channel> **bold**"


def test_row_14_feed_and_api_tell_one_story_in_either_order() -> None:
    story = [incident(OPEN), incident(OPEN, FIXED), incident(OPEN, FIXED, OVER)]
    for first, second in ((page, from_feed), (from_feed, page)):
        told, known = play(*(shape(each) for each in story for shape in (first, second)))
        assert [said(each) for each in told] == [["opened"], [], ["progress"], [], ["resolved"], []]
        assert [u.id for u in known.incidents["wsincident01"].updates] == [OPEN.id, FIXED.id, OVER.id]


def test_row_14_an_update_born_in_the_feed_keeps_its_change_when_the_api_names_it() -> None:
    told, known = play(
        from_feed(incident(OPEN)), page(incident(OPEN)), page(incident(replace(OPEN, text="Corrected.")))
    )
    assert said(told[1]) == [] and said(told[2]) == ["update.edited"]
    assert told[2][0].update_id == told[0][0].update_id == "feed:0"
    assert known.incidents["wsincident01"].updates[0].id == OPEN.id


# the rest of the identity rules


def test_an_edit_is_told_as_an_edit_with_both_texts() -> None:
    told, _ = play(page(incident(OPEN)), page(incident(replace(OPEN, text="Only some connections fail."))))
    edit = told[1][0]
    assert edit.kind is Kind.UPDATE_EDITED and not edit.loud and not edit.introduces
    assert (edit.before, edit.text) == (OPEN.text, "Only some connections fail.")


def test_an_older_copy_takes_nothing_back() -> None:
    edited = incident(replace(OPEN, text="New words."), FIXED, name="New title", updated_at=at("11:36"))
    told, known = play(page(incident(OPEN)), page(edited), page(incident(OPEN)), page(edited), page(incident(OPEN)))
    assert [said(each) for each in told[2:]] == [[], [], []]
    assert known.incidents["wsincident01"].name == "New title"


def test_an_older_copy_still_adds_the_update_it_alone_has() -> None:
    told, _ = play(page(incident(OPEN, OVER)), page(incident(OPEN, FIXED, updated_at=at("11:35"))))
    assert said(told[1]) == ["progress"]


def test_a_rename_is_told_and_a_rise_of_impact_is_loud() -> None:
    told, _ = play(
        page(incident(OPEN)),
        page(incident(OPEN, name="Streaming errors", updated_at=at("11:31"))),
        page(incident(OPEN, name="Streaming errors", impact="critical", updated_at=at("11:32"))),
    )
    assert said(told[1]) == ["incident.retitled"] and not told[1][0].loud and told[1][0].before != told[1][0].title
    assert said(told[2]) == ["worsened"] and told[2][0].loud and told[2][0].introduces


def test_a_rise_of_impact_with_an_update_is_one_change() -> None:
    told, _ = play(page(incident(OPEN)), page(incident(OPEN, FIXED, impact="major")))
    assert said(told[1]) == ["worsened"]


def test_a_reopened_incident_is_told_as_such() -> None:
    again = update("12:10", "investigating", "It is back.")
    told, known = play(page(incident(OPEN, OVER)), page(incident(OPEN, OVER, again, resolved_at=None)))
    assert said(told[1]) == ["reopened"] and told[1][0].loud
    assert known.incidents["wsincident01"].open


@pytest.mark.parametrize("status", ["resolved", "postmortem"])
def test_what_ended_before_the_page_was_watched_is_recorded_silently(status: str) -> None:
    over = incident(update("9:00"), update("10:00", status), resolved_at=at("10:00"), status=status)
    told, known = play(page(over))
    assert said(told[0]) == [] and "wsincident01" in known.incidents


def test_what_the_feed_shows_first_in_the_minute_in_which_the_watch_began_is_news() -> None:
    began = at("11:29") + timedelta(seconds=20)
    known = Known(page=replace(watched(sources=("summary",)).page, watched_since=began))
    opened = update("11:29", at=at("11:29") + timedelta(seconds=40))
    told, _ = play(from_feed(incident(opened)), known=known)
    assert said(told[0]) == ["opened"]


def test_the_baseline_is_silent_and_counts_as_told() -> None:
    news = diff_page(Known(), page(incident(OPEN)), NOW, baseline=True)
    assert news.changes == ()
    told, _ = play(page(incident(OPEN, OVER)), known=after(Known(), news))
    assert said(told[0]) == ["resolved"]
    assert told[0][0].told_since is not None and told[0][0].told_since < at("0:00")


def test_the_first_reading_of_a_second_source_announces_only_what_is_younger_than_the_watch() -> None:
    known = watched(since="11:30", sources=("feed",))
    old, young = incident(OPEN, id="old000000001"), incident(FIXED, id="young0000001")
    told, _ = play(page(old, young), known=known)
    assert [change.incident_id for change in told[0]] == ["young0000001"]


def test_another_page_under_the_same_url_is_refused() -> None:
    with pytest.raises(SourceFailed, match="belongs to page lfz25gyhcpjf"):
        play(page(incident(OPEN), page_id="someoneelses"))


def test_a_moved_window_with_an_update_is_rescheduled_and_without_one_a_change_of_heading() -> None:
    first, moved = Window(start=at("13:00")), Window(start=at("15:00"))
    announced = update("6:00", "scheduled")
    told, _ = play(
        page(maintenance(announced, window=first)),
        page(maintenance(announced, update("7:00", "scheduled", "Later."), window=moved)),
        page(maintenance(announced, update("7:00", "scheduled", "Later."), window=first, updated_at=at("7:30"))),
    )
    assert [said(each) for each in told] == [["scheduled"], ["rescheduled"], ["incident.retitled"]]


def test_a_maintenance_past_its_window_is_overdue() -> None:
    window = Window(start=at("7:00"), end=at("8:00"))
    begun = [update("6:00", "scheduled"), update("7:00", "in_progress")]
    told, _ = play(
        page(maintenance(*begun, window=window)),
        page(maintenance(*begun, update("9:00", "in_progress", "It takes longer."), window=window)),
        known=watched(since="5:00"),
    )
    assert [said(each) for each in told] == [["scheduled", "started"], ["overdue"]]


def test_a_reminder_comes_once_per_window_and_never_after_the_start() -> None:
    lead = timedelta(minutes=30)
    _, known = play(page(maintenance(update("6:00", "scheduled"), window=Window(start=at("12:20")))))
    first = remind(known.incidents.values(), lead, NOW)
    assert [change.kind for change in first.changes] == [Kind.MAINTENANCE_DUE]
    known = after(known, first)
    assert remind(known.incidents.values(), lead, NOW + timedelta(minutes=5)).changes == ()
    assert remind(known.incidents.values(), lead, NOW + timedelta(minutes=21)).changes == ()


def test_a_withdrawn_incident_is_told_and_so_is_its_return() -> None:
    _, known = play(page(incident(OPEN)))
    gone = withdraw(known.incidents["wsincident01"], NOW)
    assert [change.kind for change in gone.changes] == [Kind.INCIDENT_WITHDRAWN] and gone.changes[0].loud
    told, back = play(page(incident(OPEN)), known=after(known, gone))
    [[returned]] = told
    assert (returned.kind, returned.loud, returned.stood.status) == (Kind.INCIDENT_RETITLED, True, "withdrawn")
    assert returned.revision > gone.changes[0].revision > 0, "calendars take the newest"
    assert play(page(incident(OPEN)), known=back)[0] == [[]]


RATED = {
    "critical": (True, ["incident.retitled"]),
    "major": (True, ["incident.retitled"]),
    "minor": (False, []),
    "none": (False, []),
}


@pytest.mark.parametrize("impact", RATED)
def test_an_impact_that_the_feed_did_not_know_is_loud_news_once_it_is_known_to_be_grave(impact: str) -> None:
    loud, kinds = RATED[impact]
    changes, known = play(from_feed(incident(OPEN)), page(incident(OPEN, impact=impact)))
    rated = changes[-1]
    assert [str(change.kind) for change in rated] == kinds
    assert [change.loud and change.impact == impact for change in rated] == [True] * loud
    again, _ = play(page(incident(OPEN, impact=impact)), known=known)
    assert again == [[]], "once"
    _, known = play(from_feed(incident(OPEN)))
    [update_too], _ = play(page(incident(OPEN, update("11:35", "identified"), impact=impact)), known=known)
    assert [change.loud for change in update_too] == [loud]


def components(status: str, when: str) -> tuple[Component, ...]:
    return (
        Component(id="g-api", name="Kraken API", is_group=True, status=status, updated_at=at(when)),
        Component(id="c-ws", name="Websocket", group_id="g-api", status=status, updated_at=at(when)),
    )


def test_a_component_that_no_open_incident_names_is_told_from_its_fall_to_its_recovery() -> None:
    told, _ = play(
        page(components=components("operational", "10:00")),
        page(components=components("major_outage", "11:10")),
        page(components=components("operational", "10:00")),
        page(components=components("operational", "11:20")),
    )
    assert [said(each) for each in told] == [[], ["component.changed"], [], ["component.changed"]]
    down, up = told[1][0], told[3][0]
    assert down.loud and down.impact == "critical" and str(down.components[0]) == "Kraken API (Websocket)"
    assert up.subject == down.subject and not up.introduces


def test_a_component_that_an_open_incident_names_is_not_told_apart() -> None:
    told, _ = play(
        page(incident(OPEN), components=components("operational", "10:00")),
        page(incident(OPEN), components=components("major_outage", "11:30")),
        page(incident(OPEN, OVER), components=components("operational", "11:41")),
    )
    assert [said(each) for each in told] == [["opened"], [], ["resolved"]]


def exchange(status: str, *advisories: Advisory) -> Snapshot:
    return Snapshot(source="exchange", exchange=Exchange(status=status, advisories=advisories))


def run(known: Known, *readings: Snapshot) -> tuple[list[list[Change]], Known]:
    told = []
    for reading in readings:
        news = diff_exchange(known, reading, NOW, baseline=False)
        known = after(known, news)
        told.append(list(news.changes))
    return told, known


def test_every_state_of_the_engine_is_told_in_one_conversation_until_it_is_online() -> None:
    told, _ = run(
        Known(), *(exchange(s) for s in ("online", "cancel_only", "cancel_only", "post_only", "online", "maintenance"))
    )
    assert [[change.status for change in each] for each in told] == [
        [], ["cancel_only"], [], ["post_only"], ["online"], ["maintenance"],
    ]  # fmt: skip
    first, second, over, next_one = (each[0] for each in told if each)
    assert first.subject == second.subject == over.subject != next_one.subject
    assert first.loud and first.introduces and not over.introduces


ADVISORY = Advisory(
    event_id="21",
    title="Elevated errors",
    emergency=True,
    source_url="https://status.kraken.com/incidents/wsincident01",
)


def test_an_advisory_is_told_once_and_the_page_goes_on_in_its_conversation() -> None:
    told, known = run(watched(), exchange("online"), exchange("online", ADVISORY), exchange("online", ADVISORY))
    assert [len(each) for each in told] == [0, 1, 0]
    later, _ = play(page(incident(OPEN)), known=known)
    assert later[0][0].subject == told[1][0].subject


def test_an_advisory_with_a_shortlink_joins_its_incident_in_either_order() -> None:
    short = replace(ADVISORY, source_url="https://stspg.io/abc")
    told, known = run(watched(), exchange("online"), exchange("online", short))
    later, _ = play(page(incident(OPEN, shortlink="https://stspg.io/abc")), known=known)
    assert later[0][0].subject == told[1][0].subject
    _, page_first = play(page(incident(OPEN, shortlink="https://stspg.io/abc")))
    told, _ = run(page_first, exchange("online"), exchange("online", short))
    assert [len(each) for each in told] == [0, 0]
