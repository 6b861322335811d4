"""What is told of the time between a backup and its restoring: no old news as if it were new. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from notifier.known import EPOCH, Known
from notifier.model import Change, Kind
from notifier.parcel import News

OLD = timedelta(hours=24)
"""What happened longer ago is recorded and not told, as long as even an end stays news: most heard of it from the
database that is lost, and for the others it is history.
"""


def without_old(news: News, known: Known, now: datetime) -> News:
    """The news with what is old made silent; `known` is what the backup knew. An incident that began since, and is old,
    counts as told, as at the baseline: what follows is news, and the end goes to all who want it.

    Edits stay: they make no sound, and the messages that are out become true by them.
    """
    silent = {each.key for each in news.changes if each.kind is not Kind.UPDATE_EDITED and _happened(each) <= now - OLD}
    if not silent:
        return news
    silenced = {each.incident_id for each in news.changes if each.key in silent}
    before = {
        key: replace(each, told_since=EPOCH if each.open else None)
        for key, each in news.known.incidents.items()
        if key in silenced and key not in known.incidents
    }
    changes = tuple(
        replace(each, told_since=EPOCH) if each.incident_id in before and each.told_since is not None else each
        for each in news.changes
    )
    after = replace(news.known, incidents={**news.known.incidents, **before})
    return replace(news, changes=changes, known=after, silent=frozenset(silent))


def _happened(change: Change) -> datetime:
    return change.posted_at or change.at
