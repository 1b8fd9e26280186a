CREATE TABLE keys (
    key_id text COLLATE "C" PRIMARY KEY,
    digest bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    previous_digest bytea UNIQUE CHECK (octet_length(previous_digest) = 32),
    alias text,
    team_id text,
    user_id text,
    organization_id text,
    created_by text NOT NULL,
    created_at bigint NOT NULL,  -- milliseconds since 1970, as all times here
    expires_at bigint,
    rotates_at bigint,
    blocked boolean NOT NULL,
    revoked_at bigint,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    body jsonb NOT NULL  -- what nobody looks for: rights, role, metadata
);

CREATE UNIQUE INDEX keys_alias ON keys (alias) WHERE revoked_at IS NULL;
CREATE INDEX keys_team ON keys (team_id);
CREATE INDEX keys_user ON keys (user_id);
CREATE INDEX keys_organization ON keys (organization_id);
CREATE INDEX keys_minter ON keys (created_by);
CREATE INDEX keys_rotation ON keys (rotates_at) WHERE rotates_at IS NOT NULL;

CREATE TABLE accounts (
    kind text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    alias text,
    organization_id text,
    blocked boolean NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    deleted_at bigint,
    version bigint NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (kind, id)
);

CREATE INDEX accounts_organization ON accounts (organization_id);

CREATE TABLE members (
    kind text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    user_id text NOT NULL,
    PRIMARY KEY (user_id, kind, id)
);

CREATE INDEX members_account ON members (kind, id);

CREATE TABLE sightings (
    key_id text COLLATE "C" NOT NULL,
    address text NOT NULL,
    hour bigint NOT NULL,  -- hours since 1970
    country text,
    first_seen bigint NOT NULL,
    last_seen bigint NOT NULL,
    uses bigint NOT NULL,
    PRIMARY KEY (key_id, address, hour)
);

CREATE INDEX sightings_time ON sightings (last_seen);

-- For those who ask the database: keys used from several addresses in the last hour.
CREATE VIEW keys_from_several_addresses AS
SELECT key_id, count(DISTINCT address) AS addresses, string_agg(DISTINCT address, ',') AS address_list, max(last_seen) AS last_seen
FROM sightings
WHERE last_seen >= (extract(epoch FROM now())::bigint - 3600) * 1000
GROUP BY key_id
HAVING count(DISTINCT address) > 1
ORDER BY addresses DESC;

-- A change by hand counts as one, so that nobody writes over it what they read before.
CREATE FUNCTION bartizan_count_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    RETURN NEW;
END
$$;

CREATE TRIGGER count_version BEFORE UPDATE ON keys
    FOR EACH ROW WHEN (NEW.version = OLD.version) EXECUTE FUNCTION bartizan_count_version();
CREATE TRIGGER count_version BEFORE UPDATE ON accounts
    FOR EACH ROW WHEN (NEW.version = OLD.version) EXECUTE FUNCTION bartizan_count_version();

-- Every change is told on the channel bartizan_changes, whoever makes it: 'key:<key_id>', 'account:<kind>:<id>', and 'anything' where
-- one statement changes many, or where a name is longer than a notification may be.
CREATE FUNCTION bartizan_tell_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) > 100 FROM changed) THEN
        PERFORM pg_notify('bartizan_changes', 'anything');
    ELSE
        PERFORM pg_notify('bartizan_changes', CASE WHEN octet_length(key_id) > 7000 THEN 'anything' ELSE 'key:' || key_id END) FROM changed;
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION bartizan_tell_accounts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) > 100 FROM changed) THEN
        PERFORM pg_notify('bartizan_changes', 'anything');
    ELSE
        PERFORM pg_notify('bartizan_changes', CASE WHEN octet_length(id) > 7000 THEN 'anything' ELSE 'account:' || kind || ':' || id END)
        FROM changed;
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION bartizan_tell_anything() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('bartizan_changes', 'anything');
    RETURN NULL;
END
$$;

-- An update tells the old name and the new one; where they are the same, PostgreSQL sends it once.
CREATE TRIGGER tell_insert AFTER INSERT ON keys
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION bartizan_tell_keys();
CREATE TRIGGER tell_delete AFTER DELETE ON keys
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION bartizan_tell_keys();
CREATE TRIGGER tell_update_from AFTER UPDATE ON keys
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION bartizan_tell_keys();
CREATE TRIGGER tell_update_to AFTER UPDATE ON keys
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION bartizan_tell_keys();
CREATE TRIGGER tell_truncate AFTER TRUNCATE ON keys FOR EACH STATEMENT EXECUTE FUNCTION bartizan_tell_anything();

CREATE TRIGGER tell_insert AFTER INSERT ON accounts
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION bartizan_tell_accounts();
CREATE TRIGGER tell_delete AFTER DELETE ON accounts
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION bartizan_tell_accounts();
CREATE TRIGGER tell_update_from AFTER UPDATE ON accounts
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION bartizan_tell_accounts();
CREATE TRIGGER tell_update_to AFTER UPDATE ON accounts
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION bartizan_tell_accounts();
CREATE TRIGGER tell_truncate AFTER TRUNCATE ON accounts FOR EACH STATEMENT EXECUTE FUNCTION bartizan_tell_anything();
