-- Media of texts that came in: fetched from the carrier (`source`), kept in the media store under the id.
CREATE TABLE media (
    team_id        INTEGER NOT NULL,
    id             TEXT    NOT NULL,
    seq            INTEGER NOT NULL,
    source         TEXT    NOT NULL,
    state          TEXT    NOT NULL,
    content_type   TEXT,
    bytes          INTEGER,
    failure_reason TEXT,
    PRIMARY KEY (team_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX media_item ON media (team_id, seq);
