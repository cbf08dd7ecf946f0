-- What people of the team write for each other, how summaries are to be written, and who may do what for how long.
-- `last_entry` hands out the team's next number for a note, a thread or a comment.
ALTER TABLE teams ADD COLUMN last_entry INTEGER NOT NULL DEFAULT 0;

-- Notes: each on a conversation or on a contact.
CREATE TABLE notes (
    team_id      INTEGER NOT NULL,
    note         INTEGER NOT NULL,
    id           TEXT   NOT NULL,
    conversation INTEGER,
    contact_id   TEXT,
    author       TEXT   NOT NULL,
    content      TEXT   NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    PRIMARY KEY (team_id, note)
) STRICT;
CREATE UNIQUE INDEX notes_id ON notes (team_id, id);
CREATE INDEX notes_conversation ON notes (team_id, conversation, note) WHERE conversation IS NOT NULL;
CREATE INDEX notes_contact ON notes (team_id, contact_id, note) WHERE contact_id IS NOT NULL;

-- Threads: one for each call, message or note at most. `item` is the timeline number of the call or message, and for a
-- note that of its conversation's newest item when the thread was begun. `comments` counts them.
CREATE TABLE threads (
    team_id     INTEGER NOT NULL,
    thread      INTEGER NOT NULL,
    id          TEXT   NOT NULL,
    entity_type TEXT   NOT NULL,
    entity_id   TEXT   NOT NULL,
    item        INTEGER,
    comments    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    created_by  TEXT   NOT NULL,
    resolved_at INTEGER,
    resolved_by TEXT,
    PRIMARY KEY (team_id, thread)
) STRICT;
CREATE UNIQUE INDEX threads_id ON threads (team_id, id);
CREATE UNIQUE INDEX threads_entity ON threads (team_id, entity_id);

CREATE TABLE thread_comments (
    team_id    INTEGER NOT NULL,
    thread     INTEGER NOT NULL,
    comment    INTEGER NOT NULL,
    id         TEXT   NOT NULL,
    author     TEXT   NOT NULL,
    content    TEXT   NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (team_id, thread, comment)
) STRICT;
CREATE UNIQUE INDEX thread_comments_id ON thread_comments (team_id, id);

-- How calls are to be summed up. `sections` is a JSON list. A deleted one stays, for the summaries that were made by it.
CREATE TABLE summary_templates (
    team_id      INTEGER NOT NULL,
    id           TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    call_context TEXT,
    icon         TEXT,
    sections     TEXT   NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    deleted_at   INTEGER,
    PRIMARY KEY (team_id, id)
) STRICT;

-- By which template a number's calls are summed up, and the time zone it keeps hours in (NULL: the team's).
ALTER TABLE numbers ADD COLUMN summary_template TEXT;
ALTER TABLE numbers ADD COLUMN time_zone TEXT;

-- From when a key opens nothing, and when it was last used, to within a minute.
ALTER TABLE api_keys ADD COLUMN expires_at INTEGER;
ALTER TABLE api_keys ADD COLUMN last_used_at INTEGER;

-- Since when a user is blocked.
ALTER TABLE users ADD COLUMN blocked_at INTEGER;

-- When a call is to get the tag, in words for whoever reads the transcript.
ALTER TABLE tags ADD COLUMN prompt TEXT;
