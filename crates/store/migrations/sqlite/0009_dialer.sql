-- Queues of the power dialer. `assigned` grows with each hand-over: of the queues that somebody has, the one with the
-- greatest is current. A position is given once and never to another entry: `next_position` only grows.
CREATE TABLE dialing_queues (
    team_id            INTEGER NOT NULL,
    queue              INTEGER NOT NULL,
    id                 TEXT    NOT NULL,
    name               TEXT,
    creator_id         TEXT    NOT NULL,
    assignee_id        TEXT    NOT NULL,
    assigned           INTEGER NOT NULL,
    voicemail_handling TEXT    NOT NULL,
    do_not_disturb     TEXT    NOT NULL,
    next_position      INTEGER NOT NULL,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    PRIMARY KEY (team_id, queue)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX dialing_queues_id ON dialing_queues (team_id, id);
CREATE INDEX dialing_queues_assignee ON dialing_queues (team_id, assignee_id, assigned);

-- The numbers of a queue, and what came of calling them.
CREATE TABLE dialing_entries (
    team_id            INTEGER NOT NULL,
    queue              INTEGER NOT NULL,
    position           INTEGER NOT NULL,
    number             TEXT    NOT NULL,
    contact_id         TEXT,
    call_id            TEXT,
    call_started_at    INTEGER,
    routing_result     TEXT,
    not_reached        TEXT,
    voicemail_detected INTEGER,
    voicemail_left     INTEGER,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    PRIMARY KEY (team_id, queue, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX dialing_entries_number ON dialing_entries (team_id, number, queue, position);
CREATE INDEX dialing_entries_call ON dialing_entries (team_id, call_id) WHERE call_id IS NOT NULL;
CREATE INDEX dialing_entries_contact ON dialing_entries (team_id, contact_id) WHERE contact_id IS NOT NULL;
