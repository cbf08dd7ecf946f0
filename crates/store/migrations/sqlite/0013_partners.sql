-- Since when the keys of a team open nothing: for the time being, and for good.
ALTER TABLE teams ADD COLUMN suspended_at INTEGER;
ALTER TABLE teams ADD COLUMN closed_at INTEGER;

-- Accounts that a team made for its customers: each a team of its own, `account` (its public id). `key_id` is the API key that made it, and
-- sees it.
CREATE TABLE partner_accounts (
    team_id         INTEGER NOT NULL,
    id              TEXT    NOT NULL,
    key_id          TEXT    NOT NULL,
    account         TEXT    NOT NULL,
    email           TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    personal_mobile TEXT    NOT NULL,
    number          TEXT    NOT NULL,
    client_ref      TEXT,
    status          TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    PRIMARY KEY (team_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX partner_accounts_email ON partner_accounts (team_id, email) WHERE status <> 'DEACTIVATED';
