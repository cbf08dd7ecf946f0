-- Webhook endpoints of a team. `secrets` and `headers` are sealed. `behind` is the last event that was fanned out to an
-- endpoint which has not kept up with its team (NULL: as far as the team's cursor). Messages of events up to `skip_to`
-- are skipped instead of sent. `replay` is a replay under way. A deleted endpoint stays until its messages are gone.
ALTER TABLE teams ADD COLUMN last_endpoint INTEGER NOT NULL DEFAULT 0;

CREATE TABLE webhook_endpoints (
    team_id         INTEGER NOT NULL,
    endpoint        INTEGER NOT NULL,
    id              TEXT   NOT NULL,
    url             TEXT   NOT NULL,
    topics          TEXT   NOT NULL,
    description     TEXT,
    lines           TEXT,
    headers         TEXT,
    secrets         TEXT   NOT NULL,
    enabled         INTEGER NOT NULL,
    disabled_reason TEXT,
    disabled_at     INTEGER,
    breaker         TEXT,
    behind          INTEGER,
    skip_to         INTEGER,
    replay          TEXT,
    last_success_at INTEGER,
    last_failure_at INTEGER,
    last_error      TEXT,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    deleted_at      INTEGER,
    version         INTEGER NOT NULL,
    PRIMARY KEY (team_id, endpoint)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX webhook_endpoints_id ON webhook_endpoints (team_id, id);

-- How far a team's events were fanned out to its endpoints; there from the first endpoint on.
CREATE TABLE webhook_cursors (
    team_id INTEGER NOT NULL PRIMARY KEY,
    event   INTEGER NOT NULL
) STRICT;

-- One message for each endpoint and event. `due_at` says when it may be attempted (0: at once, NULL: never); a claimed
-- message is due when its lease ends. `tries` counts the attempts of the present round, `attempts` lists them (JSON).
CREATE TABLE webhook_messages (
    team_id    INTEGER NOT NULL,
    endpoint   INTEGER NOT NULL,
    event      INTEGER NOT NULL,
    topic      TEXT   NOT NULL,
    at         INTEGER NOT NULL,
    state      TEXT   NOT NULL,
    due_at     INTEGER,
    tries      INTEGER NOT NULL,
    attempts   TEXT,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (team_id, endpoint, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_messages_due ON webhook_messages (team_id, endpoint, due_at, event) WHERE due_at IS NOT NULL;
CREATE INDEX webhook_messages_given_up ON webhook_messages (team_id, endpoint, state, event)
    WHERE state = 'FAILED' OR state = 'SKIPPED';
