-- Teams. `team_id` leads every key below: no transaction spans teams.
-- The `last_…` columns hand out the team's next numbers, under the team's row.
CREATE TABLE teams (
    team_id           INTEGER PRIMARY KEY,
    id                TEXT    NOT NULL UNIQUE,
    name              TEXT    NOT NULL,
    plan              TEXT    NOT NULL,
    time_zone         TEXT    NOT NULL,
    country           TEXT    NOT NULL,
    sandbox           INTEGER NOT NULL,
    read_per_second   INTEGER  NOT NULL,
    write_per_second  INTEGER  NOT NULL,
    create_tags       INTEGER NOT NULL,
    last_event        INTEGER  NOT NULL,
    last_item         INTEGER  NOT NULL,
    last_conversation INTEGER  NOT NULL,
    last_line         INTEGER  NOT NULL,
    created_at        INTEGER  NOT NULL
) STRICT;

-- What must be found before the team is known: the hash of an API key, a phone number.
CREATE TABLE directory (
    kind    TEXT   NOT NULL,
    key     TEXT   NOT NULL,
    team_id INTEGER NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    team_id    INTEGER NOT NULL,
    id         TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    email      TEXT   NOT NULL,
    role       TEXT   NOT NULL,
    status     TEXT   NOT NULL,
    image_url  TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (team_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX users_email ON users (team_id, email);

CREATE TABLE api_keys (
    team_id    INTEGER NOT NULL,
    id         TEXT   NOT NULL,
    user_id    TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    hash       TEXT   NOT NULL,
    hint       TEXT   NOT NULL,
    scopes     TEXT   NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    PRIMARY KEY (team_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX api_keys_hash ON api_keys (team_id, hash);

-- Lines: phone numbers (`number`) and sender ids (`sender_id`).
CREATE TABLE numbers (
    team_id          INTEGER NOT NULL,
    line             INTEGER NOT NULL,
    id               TEXT   NOT NULL,
    kind             TEXT   NOT NULL,
    number           TEXT,
    sender_id        TEXT,
    name             TEXT,
    country          TEXT,
    capabilities     TEXT   NOT NULL,
    carrier          TEXT   NOT NULL,
    carrier_settings TEXT,
    created_at       INTEGER NOT NULL,
    PRIMARY KEY (team_id, line)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX numbers_number ON numbers (team_id, number);

CREATE TABLE number_members (
    team_id  INTEGER NOT NULL,
    line     INTEGER NOT NULL,
    position INTEGER NOT NULL,
    user_id  TEXT   NOT NULL,
    PRIMARY KEY (team_id, line, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE companies (
    team_id    INTEGER NOT NULL,
    id         TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    name_key   TEXT   NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (team_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX companies_name ON companies (team_id, name_key);

CREATE TABLE contacts (
    team_id    INTEGER NOT NULL,
    id         TEXT   NOT NULL,
    first_name TEXT,
    last_name  TEXT,
    job_title  TEXT,
    company_id TEXT,
    properties TEXT,
    has_deals  INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (team_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE contact_numbers (
    team_id    INTEGER NOT NULL,
    number     TEXT   NOT NULL,
    contact_id TEXT   NOT NULL,
    position   INTEGER NOT NULL,
    PRIMARY KEY (team_id, number, contact_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_numbers_contact ON contact_numbers (team_id, contact_id, position);

CREATE TABLE contact_emails (
    team_id    INTEGER NOT NULL,
    email      TEXT   NOT NULL,
    contact_id TEXT   NOT NULL,
    position   INTEGER NOT NULL,
    PRIMARY KEY (team_id, email, contact_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_emails_contact ON contact_emails (team_id, contact_id, position);

-- Custom properties of contacts; their values are in contacts.properties (JSON, by key).
CREATE TABLE property_definitions (
    team_id    INTEGER NOT NULL,
    key        TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    type       TEXT   NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (team_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE deals (
    team_id    INTEGER NOT NULL,
    id         TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    status     TEXT   NOT NULL,
    value      REAL,
    currency   TEXT,
    close_date TEXT,
    company_id TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (team_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE deal_contacts (
    team_id    INTEGER NOT NULL,
    contact_id TEXT   NOT NULL,
    deal_id    TEXT   NOT NULL,
    PRIMARY KEY (team_id, contact_id, deal_id)
) STRICT, WITHOUT ROWID;

-- Everything between one line and one outside number.
CREATE TABLE conversations (
    team_id        INTEGER  NOT NULL,
    conversation   INTEGER  NOT NULL,
    line           INTEGER  NOT NULL,
    contact_number TEXT    NOT NULL,
    last_at        INTEGER  NOT NULL,
    last_item      INTEGER  NOT NULL,
    items          INTEGER  NOT NULL,
    unread         INTEGER NOT NULL,
    archived       INTEGER NOT NULL,
    unresponded    INTEGER NOT NULL,
    PRIMARY KEY (team_id, conversation)
) STRICT;
CREATE UNIQUE INDEX conversations_pair ON conversations (team_id, contact_number, line);
CREATE INDEX conversations_recent ON conversations (team_id, line, last_at, conversation, unread, archived);
CREATE INDEX conversations_unread ON conversations (team_id, line, last_at, conversation) WHERE unread;
CREATE INDEX conversations_unresponded ON conversations (team_id, conversation) WHERE unresponded;

-- How many conversations of a line stand how: exact totals without counting.
CREATE TABLE conversation_counts (
    team_id  INTEGER  NOT NULL,
    line     INTEGER  NOT NULL,
    unread   INTEGER NOT NULL,
    archived INTEGER NOT NULL,
    n        INTEGER  NOT NULL,
    PRIMARY KEY (team_id, line, unread, archived)
) STRICT, WITHOUT ROWID;

-- The timeline: calls and messages. `seq` numbers a team's items in the order they were stored.
CREATE TABLE items (
    team_id        INTEGER NOT NULL,
    seq            INTEGER NOT NULL,
    id             TEXT   NOT NULL,
    kind           TEXT   NOT NULL,
    direction      TEXT   NOT NULL,
    line           INTEGER NOT NULL,
    contact_number TEXT   NOT NULL,
    conversation   INTEGER NOT NULL,
    user_id        TEXT,
    at             INTEGER NOT NULL,
    day            INTEGER NOT NULL,
    result         TEXT,
    duration       INTEGER,
    tags           TEXT,
    PRIMARY KEY (team_id, seq)
) STRICT;
CREATE UNIQUE INDEX items_id ON items (team_id, id);
CREATE INDEX items_at ON items (team_id, at, seq, kind, direction, result);
CREATE INDEX items_contact ON items (team_id, contact_number, at, seq);
CREATE INDEX items_line ON items (team_id, line, at, seq);
CREATE INDEX items_user ON items (team_id, user_id, at, seq) WHERE user_id IS NOT NULL;
CREATE INDEX items_result ON items (team_id, result, at, seq) WHERE result IS NOT NULL;

-- How many items there are, by what a search can filter by: exact totals without counting. `day` is the day in the
-- team's time zone (days since 1970-01-01). '' stands for "none".
CREATE TABLE item_totals (
    team_id   INTEGER NOT NULL,
    line      INTEGER NOT NULL,
    user_id   TEXT   NOT NULL,
    kind      TEXT   NOT NULL,
    direction TEXT   NOT NULL,
    result    TEXT   NOT NULL,
    n         INTEGER NOT NULL,
    PRIMARY KEY (team_id, line, user_id, kind, direction, result)
) STRICT, WITHOUT ROWID;
CREATE TABLE item_days (
    team_id   INTEGER NOT NULL,
    day       INTEGER NOT NULL,
    line      INTEGER NOT NULL,
    user_id   TEXT   NOT NULL,
    kind      TEXT   NOT NULL,
    direction TEXT   NOT NULL,
    result    TEXT   NOT NULL,
    n         INTEGER NOT NULL,
    PRIMARY KEY (team_id, day, line, user_id, kind, direction, result)
) STRICT, WITHOUT ROWID;

CREATE TABLE calls (
    team_id                   INTEGER NOT NULL,
    seq                       INTEGER NOT NULL,
    phase                     TEXT   NOT NULL,
    answered_at               INTEGER,
    voicemail_at              INTEGER,
    ended_at                  INTEGER,
    completed_at              INTEGER,
    cause                     TEXT,
    failure_reason            TEXT,
    transfer                  TEXT,
    recording_url             TEXT,
    recording_seconds         INTEGER,
    summary_template          TEXT,
    details                   TEXT,
    extracted_data            TEXT,
    node                      TEXT   NOT NULL,
    process_by                INTEGER,
    PRIMARY KEY (team_id, seq)
) STRICT;
CREATE INDEX calls_live ON calls (team_id, seq, phase, node, process_by) WHERE phase <> 'COMPLETED';

CREATE TABLE messages (
    team_id        INTEGER NOT NULL,
    seq            INTEGER NOT NULL,
    content        TEXT   NOT NULL,
    status         TEXT   NOT NULL,
    message_type   TEXT   NOT NULL,
    carrier        TEXT   NOT NULL,
    carrier_ref    TEXT,
    failure_reason TEXT,
    media          TEXT,
    PRIMARY KEY (team_id, seq)
) STRICT;
CREATE UNIQUE INDEX messages_carrier_ref ON messages (team_id, carrier, carrier_ref) WHERE carrier_ref IS NOT NULL;

CREATE TABLE transcripts (
    team_id INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    lines   TEXT   NOT NULL,
    PRIMARY KEY (team_id, seq)
) STRICT;

CREATE TABLE summaries (
    team_id    INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    template   TEXT   NOT NULL,
    content    TEXT   NOT NULL,
    version    INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT,
    PRIMARY KEY (team_id, seq, template)
) STRICT;

CREATE TABLE tags (
    team_id    INTEGER NOT NULL,
    key        TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    color      TEXT   NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (team_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE item_tags (
    team_id INTEGER NOT NULL,
    tag     TEXT   NOT NULL,
    at      INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (team_id, tag, at, seq)
) STRICT, WITHOUT ROWID;

-- The event log. `item` is the timeline number the event is about, for followers that care for the item alone.
CREATE TABLE events (
    team_id INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    topic   TEXT   NOT NULL,
    at      INTEGER NOT NULL,
    item    INTEGER,
    payload TEXT   NOT NULL,
    PRIMARY KEY (team_id, seq)
) STRICT;

-- Work that must happen after a commit: claimed by lease, gone when done.
CREATE TABLE jobs (
    team_id     INTEGER NOT NULL,
    id          TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    run_at      INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    payload     TEXT   NOT NULL,
    PRIMARY KEY (team_id, id)
) STRICT;

-- First successful answers to requests that carried an idempotency key, byte for byte.
CREATE TABLE idempotency (
    team_id     INTEGER NOT NULL,
    api_key     TEXT   NOT NULL,
    key         TEXT   NOT NULL,
    request     TEXT   NOT NULL,
    fingerprint TEXT   NOT NULL,
    status      INTEGER NOT NULL,
    ignored     TEXT,
    body        TEXT   NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (team_id, api_key, key)
) STRICT;
CREATE INDEX idempotency_age ON idempotency (team_id, created_at);

CREATE TABLE audit (
    team_id INTEGER NOT NULL,
    id      TEXT   NOT NULL,
    at      INTEGER NOT NULL,
    actor   TEXT   NOT NULL,
    action  TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    detail  TEXT,
    PRIMARY KEY (team_id, id)
) STRICT;

-- The processes that run calls; one that is not seen any more has abandoned its calls.
CREATE TABLE nodes (
    node       TEXT   NOT NULL PRIMARY KEY,
    started_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
