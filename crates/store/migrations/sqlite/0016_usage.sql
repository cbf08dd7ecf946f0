-- How many texts a team had on a day of its time zone, and how many parts they had. It follows from items and messages, and
-- can be computed anew from them. Texts of before parts were counted have none here until then.
CREATE TABLE text_days (
    team_id   INTEGER NOT NULL,
    day       INTEGER NOT NULL,
    direction TEXT    NOT NULL,
    texts     INTEGER NOT NULL,
    segments  INTEGER NOT NULL,
    PRIMARY KEY (team_id, day, direction)
) STRICT, WITHOUT ROWID;

INSERT INTO text_days (team_id, day, direction, texts, segments)
    SELECT i.team_id, i.day, i.direction, COUNT(*), CAST(SUM(COALESCE(m.segments, 0)) AS BIGINT)
      FROM items i JOIN messages m ON m.team_id = i.team_id AND m.seq = i.seq
     WHERE i.kind = 'SMS'
     GROUP BY 1, 2, 3;
