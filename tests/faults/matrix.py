"""What can go wrong, and what must happen then: one row a fault, told from the side of those who read the news.

A test says with `@pytest.mark.fault("A14", "A15")` which rows it proves; `make faults` prints what became of each row.
"kept": what is known stays as it was, and nobody is told anything. "once": each reader is shown the update once.
"""

from __future__ import annotations

from dataclasses import dataclass

SECTIONS = {
    "A": "The page, its feed and the exchange",
    "B": "The database",
    "C": "Telegram",
    "D": "Slack",
    "E": "Mail",
    "F": "Process and host",
    "G": "Hostile words",
    "H": "Stories that cross all of it",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One fault."""

    id: str
    fault: str
    expected: str


_TABLE = """
A1  | 304 Not Modified                             | kept; it counts as a good reading
A2  | the same bytes again, without an ETag        | kept; nothing but the time of the poll is written
A3  | 429 with any Retry-After, or with nonsense   | kept; asked again after poll interval … 15 min
A4  | 500, 502, 503, 504                           | kept; asked ever less often; operators hear of it once
A5  | no connection, no answer, no end of it       | as A4; a deadline for the whole reading ends even a slow drip
A6  | a name that is not found, a resolver hanging | as A4; nothing else waits for the resolver
A7  | certificate expired, of another host, forged | as A4; never asked again without the check
A8  | JSON that ends in the middle                 | kept
A9  | fewer bytes than Content-Length says         | kept
A10 | gzip that ends in the middle                 | kept; not taken for an empty page
A11 | 200 with a page of HTML                      | kept; refused for its type and for its content
A12 | 200 with {}, [] or no incidents              | kept; believed from the right page only, and ends nothing
A13 | a redirect to another host, or to plain http | kept; the other host is not asked
A14 | an older copy after a newer one              | adds what was never seen, takes nothing back, ends nothing
A15 | old and new copies by turns                  | as A14 over 1,000 polls; nothing flaps
A16 | an open incident is not listed any more      | stays open; withdrawn once both its URLs say 404; never resolved
A17 | an open incident slides out of the newest 50 | stays open; its news is told, once
A18 | reopened after its end; taken away           | reopened, in the thread it has; taken away: as A16
A19 | two updates in one second, in one minute     | both, once each, in the order of posting
A20 | an update is edited later                    | the message already sent shows the new text; no sound
A21 | our clock is a day ahead, behind, or jumps   | told once each, in order: ids decide, no clock does
A22 | times in the future, missing, in other zones | told once; a time is shown, nothing hangs on it
A23 | 100 MB of answer, or one without end         | kept; cut off at the limit
A24 | a gzip bomb                                  | kept; unpacked no further than the limit
A25 | bad UTF-8, a BOM, NUL, half a surrogate pair | kept, or told without what cannot be shown; stored as clean text
A26 | a field that nobody knows                    | passed over; all else is read
A27 | a status or an impact that nobody knows      | shown as it is; ends nothing; operators hear of the word once
A28 | one incident lacks a field, or has it wrong  | that one is left out, the others are told
A29 | null for a list, an id twice, a number as id | read for what it means; once
A30 | a feed of entity bombs, foreign files, 8 MB  | kept; no file and no host is asked, no time is lost
A31 | a feed that ends within an entry             | kept; not even its whole entries are believed
A32 | a feed without entries                       | kept; ends nothing, and its return is no news
A33 | page and feed say different things           | the page's word stands; the feed only adds what the page lacks
A34 | exchange in maintenance, page silent; or not | told as the exchange's own word; joined to an incident by its URL
A35 | the first start, with 50 incidents over      | nothing is announced; a welcome names what is open
A36 | three days off, twelve updates missed        | one message for each incident, dated, and late is said
B1  | killed before a reading is committed         | the next reading makes the news; once
B2  | killed after that, before any send           | sent by the next process; once
B3  | killed between intent and call               | Slack asks, finds nothing, sends: once; Telegram sends: once
B4  | killed between acceptance and record         | Slack finds it: once; Telegram twice at most; mail the same bytes
B5  | killed within a fan-out to 5,000             | nobody is left out; repeated no more than was under way
B6  | the database is locked for half a minute     | tried again; nothing is sent without a written intent
B7  | a reader becomes a writer too late           | cannot happen: every decision is taken as the writer
B8  | disk full when the intent is written         | nothing is sent; operators hear of it without a disk
B9  | disk full when the result is written         | as B4; the process lives
B10 | the file is damaged, foreign, or too new     | refuses to start, and leaves it as it is
B11 | PostgreSQL lost within a transaction         | read again by its keys; nothing twice
B12 | PostgreSQL fails over for two minutes        | connects again; leases run out; what was under way by then: as B4
B13 | PostgreSQL has no connection left            | waits for one of its few; once
B14 | the disk was wiped                           | a new baseline and no flood
B15 | an old backup was restored                   | one message an incident of the last day; older is recorded only
B16 | two processes bring the schema up to date    | one does, the other waits
B17 | two processes find the same news             | once
B18 | stopped for longer than its lease, woken     | begins no send; another process sends; once
B19 | a result whose lease is lost                 | overwrites nothing
C1  | 429 in a fan-out                             | no send for as long as it says, then no burst; costs no attempt
C2  | 429 that names no time                       | as C1, 30 s
C3  | blocked, deactivated, kicked                 | that one is switched off, with the reason; the others go on
C4  | the group became a supergroup                | followed; once; never twice where the new one subscribed as well
C5  | markup is refused                            | once, in plain words; 5,000 do not fail one by one
C6  | 4,097 units, emoji, too many entities        | fits before it is sent, to the unit
C7  | the topic is gone                            | told in the chat itself, and the loss is said once
C8  | 409: another reader of commands              | sends go on; reading recovers; one warning
C9  | 401: the token was revoked                   | a pause and no lost news; operators hear of it elsewhere
C10 | 502 with HTML, 500 "restart"                 | may have arrived, and is treated so
C11 | the line is cut after the request            | may have arrived, and is treated so
C12 | no connection                                | did not arrive; sent again; once
C13 | an edit that changes nothing                 | done
C14 | the message to edit was deleted              | done, without a sound; the next news stands for itself
C15 | a crash between a command and its handling   | handled again, to the same end
C16 | blocked, and back with /start                | subscribed again; no backlog
D1  | 429 with Retry-After                         | a pause as long as it says; once
D2  | the answer to a post is lost                 | found in the history: one post
D3  | internal_error, 503, HTML                    | looked for, then sent: one post
D4  | the token is revoked or wrong                | a pause and no lost news; operators hear of it elsewhere
D5  | no such channel, archived, not invited       | switched off; operators hear the cure
D6  | the webhook was removed or forbidden         | switched off
D7  | too long, bad blocks                         | text only; then given up, and nobody waits for it
D8  | the thread's first message is gone           | stands for itself, and the thread goes on from there
D9  | history may not be read                      | at least once, and that is said once
D10 | an edit of more than 4,000 bytes             | fits
E1  | 421, 450, 451                                | tried again later; the others go on
E2  | 550: no such mailbox                         | switched off
E3  | 552, 554: the content is refused             | plain text; then given up
E4  | the line is cut before the dot               | tried again, the very same mail
E5  | the line is cut, or silent, after the dot    | may have arrived; the very same mail again, Message-ID and Date
E6  | a wrong certificate, no STARTTLS             | nothing is said on that line
E7  | 535: wrong password                          | a pause and no lost news; operators hear of it elsewhere
E8  | line breaks, NUL, U+2028 in a title          | one clean header
E9  | 454: the provider's quota                    | a pause; costs no attempt
F1  | SIGTERM, and again                           | ends sends under way within 10 s, begins none, exit code 0
F2  | SIGTERM within a fan-out to 5,000            | the next process tells the rest; once
F3  | SIGKILL after the grace period               | as B3 and B4
F4  | the old and the new instance overlap         | one paces, one polls; once
F5  | the daily restart, at any moment             | nobody notices
F6  | the event loop stands still for 5 s          | no step is dropped, none runs twice
F7  | a step raises                                | it stays scheduled
F8  | a host of 256 MB                             | 10,000 subscribers fit
F9  | no file descriptors                          | at the start: ends, saying why; later: nothing is lost
F10 | one channel is dead for a day                | the others are on time; one message tells what it missed
F11 | a bad settings file                          | every problem at once; nothing starts
F12 | nobody reads the log                         | nothing waits for it
G1  | mentions and disguised links in a title      | literal; nobody is called, no link is another's
G2  | tags that do not close, to Telegram          | literal; once
G3  | text turned around, unseen, buried, 100 KB   | what cannot be seen is gone, what is too long is cut
G4  | line breaks in a title                       | one header, one log line
G5  | a link that is a script or another host      | not shown: links lead to the status page only
H1  | first in the feed, then on the page; reverse | once; it takes the page's id
H2  | killed while a folded message is sent        | all its news share its fate; none is told alone
H3  | the end, for who was never told of the start | no message
H4  | opened and over between two polls            | one message with the whole story
H5  | quiet hours over midnight, DST and a restart | put off, folded, kept; what is critical passes
H6  | an edit before its original was sent         | the newest text, once; no edit is made
H7  | unsubscribed while news waits                | nothing is sent any more
H8  | a maintenance moved, begun early, or over    | one reminder for each start, none after it
H9  | who paces hangs and wakes after a takeover   | the provider never sees two paces
H10 | a wake-up is lost                            | the next look finds what waits
H11 | one conversation is stuck                    | the other ones of the same chat go on
H12 | another page under the same URL              | kept; operators hear of it
"""


def _rows() -> dict[str, Row]:
    cells = [[cell.strip() for cell in line.split("|")] for line in _TABLE.strip().split("\n")]
    return {key: Row(id=key, fault=fault, expected=due) for key, fault, due in cells}


ROWS = _rows()
"""By id, in order."""
