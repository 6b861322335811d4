"""What the program costs: CPU, delay, memory and bytes, each beside its budget and the bare floor of the same work.

    python -m bench [--only NAME] [--json FILE]

Only the program's own process is measured. What it talks to – a simulated page, and sinks that note when a message
arrives – runs in another one (`peer`), on loopback. CPU is user + system time of all threads. Nothing here is a test:
a missed budget is a row of the table.
"""
