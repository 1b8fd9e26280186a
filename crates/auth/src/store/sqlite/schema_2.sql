-- From version 1, which had keys alone, a column a field.
ALTER TABLE keys RENAME TO keys_1;
DROP INDEX keys_alias;
DROP INDEX keys_team;
DROP INDEX keys_user;
DROP INDEX keys_minter;

CREATE TABLE keys (
    key_id TEXT PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    previous_digest BLOB UNIQUE CHECK (length(previous_digest) = 32),
    alias TEXT,
    team_id TEXT,
    user_id TEXT,
    organization_id TEXT,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,  -- milliseconds since 1970, as all times here
    expires_at INTEGER,
    rotates_at INTEGER,
    blocked INTEGER NOT NULL,
    revoked_at INTEGER,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL  -- what nobody looks for: rights, role, metadata
) STRICT, WITHOUT ROWID;

INSERT INTO keys
SELECT key_id, digest, NULL, alias, team_id, user_id, NULL, created_by, created_at, expires_at, NULL, blocked, revoked_at, created_at, 1,
    json_object(
        'role', role,
        'key_type', 'default',
        'rights', json_object(
            'models', json(models),
            'routes', NULL,
            'addresses', NULL,
            'bounds', json_object('rpm', rpm, 'tpm', tpm),
            'model_bounds', json_object(),
            'guardrails', json_array()
        ),
        'aliases', json_object(),
        'lineage', json_array(),
        'previous_until', NULL,
        'rotation_interval', NULL,
        'metadata', json(metadata),
        'tags', json(tags)
    )
FROM keys_1;

DROP TABLE keys_1;

CREATE UNIQUE INDEX keys_alias ON keys (alias) WHERE alias IS NOT NULL AND revoked_at IS NULL;
CREATE INDEX keys_team ON keys (team_id);
CREATE INDEX keys_user ON keys (user_id);
CREATE INDEX keys_organization ON keys (organization_id);
CREATE INDEX keys_minter ON keys (created_by);
CREATE INDEX keys_rotation ON keys (rotates_at) WHERE rotates_at IS NOT NULL;

CREATE TABLE accounts (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    alias TEXT,
    organization_id TEXT,
    blocked INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX accounts_organization ON accounts (organization_id);

CREATE TABLE members (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    PRIMARY KEY (user_id, kind, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX members_account ON members (kind, id);

CREATE TABLE sightings (
    key_id TEXT NOT NULL,
    address TEXT NOT NULL,
    hour INTEGER NOT NULL,  -- hours since 1970
    country TEXT,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    PRIMARY KEY (key_id, address, hour)
) STRICT, WITHOUT ROWID;

CREATE INDEX sightings_time ON sightings (last_seen);

-- For those who ask the database: keys used from several addresses in the last hour.
CREATE VIEW keys_from_several_addresses AS
SELECT key_id, count(DISTINCT address) AS addresses, group_concat(DISTINCT address) AS address_list, max(last_seen) AS last_seen
FROM sightings
WHERE last_seen >= (unixepoch() - 3600) * 1000
GROUP BY key_id
HAVING count(DISTINCT address) > 1
ORDER BY addresses DESC;
