-- Queues of the power dialer. `assigned` grows with each hand-over: of the queues that somebody has, the one with the
-- greatest is current. A position is given once and never to another entry: `next_position` only grows.
CREATE TABLE dialing_queues (
    team_id            BIGINT NOT NULL,
    queue              BIGINT NOT NULL,
    id                 TEXT COLLATE "C" NOT NULL,
    name               TEXT COLLATE "C",
    creator_id         TEXT COLLATE "C" NOT NULL,
    assignee_id        TEXT COLLATE "C" NOT NULL,
    assigned           BIGINT NOT NULL,
    voicemail_handling TEXT COLLATE "C" NOT NULL,
    do_not_disturb     TEXT COLLATE "C" NOT NULL,
    next_position      BIGINT NOT NULL,
    created_at         BIGINT NOT NULL,
    updated_at         BIGINT NOT NULL,
    PRIMARY KEY (team_id, queue)
);
CREATE UNIQUE INDEX dialing_queues_id ON dialing_queues (team_id, id);
CREATE INDEX dialing_queues_assignee ON dialing_queues (team_id, assignee_id, assigned);

-- The numbers of a queue, and what came of calling them.
CREATE TABLE dialing_entries (
    team_id            BIGINT NOT NULL,
    queue              BIGINT NOT NULL,
    position           BIGINT NOT NULL,
    number             TEXT COLLATE "C" NOT NULL,
    contact_id         TEXT COLLATE "C",
    call_id            TEXT COLLATE "C",
    call_started_at    BIGINT,
    routing_result     TEXT COLLATE "C",
    not_reached        TEXT COLLATE "C",
    voicemail_detected BOOLEAN,
    voicemail_left     BOOLEAN,
    created_at         BIGINT NOT NULL,
    updated_at         BIGINT NOT NULL,
    PRIMARY KEY (team_id, queue, position)
);
CREATE INDEX dialing_entries_number ON dialing_entries (team_id, number, queue, position);
CREATE INDEX dialing_entries_call ON dialing_entries (team_id, call_id) WHERE call_id IS NOT NULL;
CREATE INDEX dialing_entries_contact ON dialing_entries (team_id, contact_id) WHERE contact_id IS NOT NULL;
