"""staffbot: a library's social space as a service point. The desk; it knows no chat platform's SDK.

From the top down; imports go down only.

cli/ demo/      the command line, and a library with made-up patrons to try
app             joins everything
plugins         finds the doors (handlers/) and networks (sources/) that the configuration names
monitoring      healthz, metrics             metrics        figures for Prometheus
heartbeat       a monitor is called
intake          source -> desk               looking        conversations are looked at again
outbox          posts -> chat                replier        answers -> network
carrier         the waking loop of both
ticker          `schedule` rings             server         HTTP listeners
supervisor      loops begin again            liveness       which loops are alive
dispatch/       the one way in for every door
desk/           use cases, one transaction each
stats/          every figure
nags digest doorsign doorchange answers queues contacts starter/ forms
                what is said, as pure Messages and text
cards/          cards, the same way
reminders digest_days policy answering                   pure decisions
commands/       the one registry of verbs
times/ hours/   what people type as a time; opening hours
config/         TOML and secrets -> settings
sources/        one file a network
store           engines, transactions        tables         the typed tables        migrations/
sqlite          a SQLite file made ready
seams           what a door is given         network        what a source is asked
messages        what can be said             words          labels, counts, durations
language        of a mention                 log            what the program says of itself
settings secret model errors
"""

__version__ = "0.1.0"
