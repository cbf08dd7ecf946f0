-- Media of texts that came in: fetched from the carrier (`source`), kept in the media store under the id.
CREATE TABLE media (
    team_id        BIGINT NOT NULL,
    id             TEXT COLLATE "C" NOT NULL,
    seq            BIGINT NOT NULL,
    source         TEXT COLLATE "C" NOT NULL,
    state          TEXT COLLATE "C" NOT NULL,
    content_type   TEXT COLLATE "C",
    bytes          BIGINT,
    failure_reason TEXT COLLATE "C",
    PRIMARY KEY (team_id, id)
);
CREATE INDEX media_item ON media (team_id, seq);
