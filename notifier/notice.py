"""Changes that no reading states: an incident gone, a maintenance about to start, a welcome, an operator's word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from notifier.changes import facts
from notifier.known import WITHDRAWN, Known, KnownIncident
from notifier.model import Change, Kind, Topic
from notifier.parcel import News
from notifier.states import words
from notifier.tongue import N_, Tongue


def withdraw(incident: KnownIncident, now: datetime) -> News:
    """The page forgot an open incident: absent from complete readings, and both of its own URLs answer 404."""
    gone = replace(incident, withdrawn=True, headings=(*incident.headings, WITHDRAWN))
    change = replace(
        facts(incident, now),
        revision=len(gone.headings) - 1,
        key=f"withdrawn/{incident.id}/{len(gone.headings)}",
        kind=Kind.INCIDENT_WITHDRAWN,
        reason="absent from complete readings, and both of its URLs answer 404",
        loud=True,
        introduces=False,
    )
    return News(changes=(change,), known=Known(incidents={incident.id: gone}))


def remind(incidents: Iterable[KnownIncident], lead: timedelta, now: datetime) -> News:
    """One reminder for each window that starts within `lead`, unless its announcement is as young as that."""
    changes, known = [], {}
    for incident in incidents:
        window = incident.window
        if incident.status != "scheduled" or window is None or not now < window.start <= now + lead:
            continue
        told = max((u.created_at or u.at for u in incident.updates), default=now)
        if incident.reminded == window.start or told > window.start - lead:
            continue
        known[incident.id] = replace(incident, reminded=window.start)
        changes.append(
            replace(
                facts(incident, now),
                key=f"due/{incident.id}/{window.start:%Y%m%dT%H%M}",
                kind=Kind.MAINTENANCE_DUE,
                reason=f"starts within {lead}",
            )
        )
    return News(changes=tuple(changes), known=Known(incidents=known))


def welcome(subscription_id: int, known: Known, page_name: str, now: datetime, tongue: Tongue) -> Change:
    """The first message of a subscription: that it works, and what is open now."""
    still_open = sorted((each for each in known.incidents.values() if each.open), key=lambda each: each.id)
    running = [each for each in still_open if each.status != "scheduled"]
    ahead = sum(each.status == "scheduled" for each in still_open)
    lines = [f"• {each.name} ({words(each.status, tongue)})" for each in running]
    lines.insert(0, tongue.gettext("Open now:") if lines else tongue.gettext("Nothing is open now."))
    if ahead:
        lines.append(tongue.gettext("Maintenance ahead: {count}.").format(count=ahead))
    if known.exchange is not None and known.exchange.status != "online":
        status = words(known.exchange.status, tongue)
        lines.append(tongue.gettext("The exchange is in {status}.").format(status=status))
    return Change(
        key=f"welcome/{subscription_id}/{now:%Y%m%dT%H%M%S}",
        kind=Kind.WELCOME,
        topic=Topic.BOT,
        subject=f"welcome/{subscription_id}",
        reason="a new subscription",
        at=now,
        detected_at=now,
        title=tongue.gettext("You will hear from {page} status here").format(page=page_name),
        text="\n".join(lines),
    )


def broadcast(number: int, text: str, now: datetime) -> Change:
    """What an operator tells everybody; `number` is that of the question, which is asked again after a crash."""
    return Change(
        key=f"broadcast/{number}",
        kind=Kind.BROADCAST,
        topic=Topic.BOT,
        subject=f"broadcast/{number}",
        reason="an operator's word",
        at=now,
        detected_at=now,
        title=N_("From the operators of this bot"),
        text=text,
        loud=True,
    )
