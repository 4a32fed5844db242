"""The desk: use cases, one transaction each. What is looked for together stands together here.

the transaction
    ledger          what every use case is given           acts            one effect for each act
    hashes          what posts and patrons are known by    people          who is who
    hearing         what a door heard, and until when
posts come in
    arrivals        what sources bring                     newcomers       mentions of their own
    follow_ups      further posts of a conversation        changes         edits, deletions, answers
    patrons         patrons as their network shows them    authors         which mentions are whose
    alike           the same words on several networks     storms          many become one live card
    muting          authors not shown for a while          logged          a phone call, a paper note
people act
    meant           which mention they mean                claims          who has it
    closing         done, reopened                         pausing         snooze, wait for the patron
    conversations   notes, moves, links, privacy           undoing         one act taken back
    contact         earlier contact with its author        replying        an answer, written
    unsure          an answer of which nobody can tell
    availability    away and back                          preferences     what they set for themselves
    closures        announced closures                     retiming        due times after those
people are told
    reminding       the sweep: whose next step is due      nagging         reminders as messages
    reaching        how they can be told now               telling         one sentence to one person
    unsaid          reminders that were not said           lines           the one line of a room
    sweep_round     what a sweep gathers                   offers          what somebody away has
    digests         the daily digest                       digest_contents what it tells of
    reading         queues and single mentions             storm_reading   what a storm holds
    figures         figures for who asks
what is said goes out
    showing         which rooms get a card                 rendering       a post as a message
    mailroom        what is wanted where                   carriage        posts taken in hand
    delivery        what became of them                    posted          what is asked about them
    resending       what was given up, tried again         reply_carriage  answers, carried
    looks           which mentions are looked at again
how it does itself
    health          what a monitor is told                 troubles        each said once
    rounds          when a source is read next             pulse           when it was running
    laws            what has to be true of the data
"""
