-- What is true of the installation as a whole, by name: "secret_key" is sealed with the secret key, so that a process with
-- another one notices.
CREATE TABLE installation (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
