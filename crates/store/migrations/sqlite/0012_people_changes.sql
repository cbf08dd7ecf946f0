-- What the index of people follows. `change` is the number of the team's next event when the row was last written: who has
-- read everything up to event n reads what is behind n. People that are no more leave their ids in `removed_contacts`.
ALTER TABLE contacts ADD COLUMN change INTEGER NOT NULL DEFAULT 0;
ALTER TABLE companies ADD COLUMN change INTEGER NOT NULL DEFAULT 0;
CREATE INDEX contacts_change ON contacts (team_id, change, id);
CREATE INDEX companies_change ON companies (team_id, change, id);

CREATE TABLE removed_contacts (
    team_id INTEGER NOT NULL,
    change  INTEGER NOT NULL,
    id      TEXT   NOT NULL,
    PRIMARY KEY (team_id, change, id)
) STRICT, WITHOUT ROWID;
