-- Who changed what is looked up by the API key that did it too, and read by time, by who, by what and of what.
ALTER TABLE audit ADD COLUMN api_key TEXT;
CREATE INDEX audit_at ON audit (team_id, at, id);
CREATE INDEX audit_actor ON audit (team_id, actor, at, id);
CREATE INDEX audit_action ON audit (team_id, action, at, id);
CREATE INDEX audit_subject ON audit (team_id, subject, at, id);

-- Invitations that were neither accepted nor withdrawn; of the token there is a hash only.
CREATE TABLE invitations (
    team_id    INTEGER NOT NULL,
    id         TEXT   NOT NULL,
    email      TEXT   NOT NULL,
    name       TEXT,
    role       TEXT   NOT NULL,
    hash       TEXT   NOT NULL,
    invited_by TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (team_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX invitations_email ON invitations (team_id, email);
CREATE UNIQUE INDEX invitations_hash ON invitations (team_id, hash);
