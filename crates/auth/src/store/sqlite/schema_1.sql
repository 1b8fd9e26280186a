CREATE TABLE keys (
    key_id TEXT PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    alias TEXT,
    team_id TEXT,
    user_id TEXT,
    role TEXT NOT NULL,
    models TEXT,             -- a JSON list of names; NULL stands for all
    rpm INTEGER,
    tpm INTEGER,
    metadata TEXT NOT NULL,  -- a JSON object of strings
    tags TEXT NOT NULL,      -- a JSON list of strings
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,  -- milliseconds since 1970, as all times here
    expires_at INTEGER,
    blocked INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX keys_alias ON keys (alias) WHERE alias IS NOT NULL AND revoked_at IS NULL;
CREATE INDEX keys_team ON keys (team_id);
CREATE INDEX keys_user ON keys (user_id);
CREATE INDEX keys_minter ON keys (created_by);
