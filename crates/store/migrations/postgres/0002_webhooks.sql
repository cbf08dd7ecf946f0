-- Webhook endpoints of a team. `secrets` and `headers` are sealed. `behind` is the last event that was fanned out to an
-- endpoint which has not kept up with its team (NULL: as far as the team's cursor). Messages of events up to `skip_to`
-- are skipped instead of sent. `replay` is a replay under way. A deleted endpoint stays until its messages are gone.
ALTER TABLE teams ADD COLUMN last_endpoint BIGINT NOT NULL DEFAULT 0;

CREATE TABLE webhook_endpoints (
    team_id         BIGINT NOT NULL,
    endpoint        BIGINT NOT NULL,
    id              TEXT COLLATE "C" NOT NULL,
    url             TEXT COLLATE "C" NOT NULL,
    topics          TEXT COLLATE "C" NOT NULL,
    description     TEXT COLLATE "C",
    lines           TEXT COLLATE "C",
    headers         TEXT COLLATE "C",
    secrets         TEXT COLLATE "C" NOT NULL,
    enabled         BOOLEAN NOT NULL,
    disabled_reason TEXT COLLATE "C",
    disabled_at     BIGINT,
    breaker         TEXT COLLATE "C",
    behind          BIGINT,
    skip_to         BIGINT,
    replay          TEXT COLLATE "C",
    last_success_at BIGINT,
    last_failure_at BIGINT,
    last_error      TEXT COLLATE "C",
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    deleted_at      BIGINT,
    version         BIGINT NOT NULL,
    PRIMARY KEY (team_id, endpoint)
);
CREATE UNIQUE INDEX webhook_endpoints_id ON webhook_endpoints (team_id, id);

-- How far a team's events were fanned out to its endpoints; there from the first endpoint on.
CREATE TABLE webhook_cursors (
    team_id BIGINT NOT NULL PRIMARY KEY,
    event   BIGINT NOT NULL
);

-- One message for each endpoint and event. `due_at` says when it may be attempted (0: at once, NULL: never); a claimed
-- message is due when its lease ends. `tries` counts the attempts of the present round, `attempts` lists them (JSON).
CREATE TABLE webhook_messages (
    team_id    BIGINT NOT NULL,
    endpoint   BIGINT NOT NULL,
    event      BIGINT NOT NULL,
    topic      TEXT COLLATE "C" NOT NULL,
    at         BIGINT NOT NULL,
    state      TEXT COLLATE "C" NOT NULL,
    due_at     BIGINT,
    tries      BIGINT NOT NULL,
    attempts   TEXT COLLATE "C",
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, endpoint, event)
);
CREATE INDEX webhook_messages_due ON webhook_messages (team_id, endpoint, due_at, event) WHERE due_at IS NOT NULL;
CREATE INDEX webhook_messages_given_up ON webhook_messages (team_id, endpoint, state, event)
    WHERE state = 'FAILED' OR state = 'SKIPPED';
