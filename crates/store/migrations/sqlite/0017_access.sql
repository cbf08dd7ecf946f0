-- While a team's items are moved to the days of another time zone: the number of the last one that was looked at. NULL: every
-- item is counted on its day in the team's time zone. `parts_after` is the same for texts whose parts are still to be counted:
-- it begins at 0 for every team, since only a walk over all texts could tell who has such.
ALTER TABLE teams ADD COLUMN days_after INTEGER;
ALTER TABLE teams ADD COLUMN parts_after INTEGER;
CREATE INDEX teams_counting ON teams (team_id, days_after, parts_after)
    WHERE days_after IS NOT NULL OR parts_after IS NOT NULL;
UPDATE teams SET parts_after = 0;

-- When the team last changed its time zone.
ALTER TABLE teams ADD COLUMN zone_changed_at INTEGER;

-- Mails with invitations that were asked for on a day (UTC), the last on which there was one.
ALTER TABLE teams ADD COLUMN mail_day INTEGER;
ALTER TABLE teams ADD COLUMN mails INTEGER NOT NULL DEFAULT 0;

-- Texts that went out from a line on a day of its own time zone, or of the team's where it has none.
CREATE TABLE line_text_counts (
    team_id INTEGER NOT NULL,
    line    INTEGER NOT NULL,
    day     INTEGER NOT NULL,
    n       INTEGER NOT NULL,
    PRIMARY KEY (team_id, line, day)
) STRICT, WITHOUT ROWID;
INSERT INTO line_text_counts (team_id, line, day, n) SELECT team_id, line, day, n FROM text_counts;

-- Since when a number leads nowhere any more: it rests before accounts of partners are given it.
ALTER TABLE directory ADD COLUMN released_at INTEGER;
