"""Kraken status notifier.

    poll.py     sources/ ─read─► Snapshot ─diff─► Changes ─route─► who wants them ─record─► store/    one transaction
    deliver.py  store/ ─claim─► Delivery ─render─► Message ─send─► channels/ ─► Receipt or failure ─settle─► store/

`sources/` reads the status page, its feed and the exchange. `diff` finds what is new, by id and never by time.
`route` says which filters want it. `store/` commits the news together with the debts to everyone who asked.
`deliver` pays each debt: intent first, then the call, then the result. `render` finds the words, `markup` escapes
them, `channels/` carry them. `retry` says what follows from a failure. `schedule` repeats the two steps; `app`
wires it all and owns the clock; `cli` prints.
"""

__version__ = "0.1.0"
