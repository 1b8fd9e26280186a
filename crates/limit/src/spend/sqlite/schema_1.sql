-- One row a call, or for the sum of calls that differ in nothing but time and amounts.
CREATE TABLE spend (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),  -- begins with `at`, in 48 bits
    at INTEGER NOT NULL,  -- milliseconds since 1970: when the call was let in, or the span began
    span INTEGER NOT NULL,  -- seconds that are summed up; 0 for a single call
    calls INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    user_id TEXT,
    team_id TEXT,
    organization_id TEXT,
    end_user TEXT,  -- a keyed digest
    model TEXT NOT NULL,  -- as it was asked for
    provider TEXT,
    served_model TEXT,
    tags TEXT NOT NULL,  -- a JSON list of strings
    outcome TEXT NOT NULL,
    estimated INTEGER NOT NULL,
    priced INTEGER NOT NULL,
    input INTEGER NOT NULL,
    cached_input INTEGER NOT NULL,
    cache_write INTEGER NOT NULL,
    output INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    audio_input INTEGER NOT NULL,
    audio_output INTEGER NOT NULL,
    cost_nanos INTEGER NOT NULL,  -- whole 10^-9 US dollars
    cost_rest INTEGER NOT NULL CHECK (cost_rest BETWEEN 0 AND 999999)  -- and 10^-15 ones
) STRICT, WITHOUT ROWID;

-- Each holds the id behind its column, and so the time.
CREATE INDEX spend_key ON spend (key_id);
CREATE INDEX spend_user ON spend (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX spend_team ON spend (team_id) WHERE team_id IS NOT NULL;
CREATE INDEX spend_organization ON spend (organization_id) WHERE organization_id IS NOT NULL;
CREATE INDEX spend_model ON spend (model);
CREATE INDEX spend_end_user ON spend (end_user) WHERE end_user IS NOT NULL;
CREATE INDEX spend_fold ON spend (span, at);

CREATE TABLE spend_tags (
    tag TEXT NOT NULL,
    id BLOB NOT NULL,
    PRIMARY KEY (tag, id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER spend_tagged AFTER INSERT ON spend WHEN NEW.tags <> '[]' BEGIN
    INSERT OR IGNORE INTO spend_tags (tag, id) SELECT value, NEW.id FROM json_each(NEW.tags);
END;

CREATE TRIGGER spend_untagged AFTER DELETE ON spend WHEN OLD.tags <> '[]' BEGIN
    DELETE FROM spend_tags WHERE id = OLD.id AND tag IN (SELECT value FROM json_each(OLD.tags));
END;

-- All but names of persons stays as it was written.
CREATE TRIGGER spend_kept BEFORE UPDATE OF
    id, at, span, calls, key_id, team_id, organization_id, model, provider, served_model, tags, outcome, estimated, priced, input, cached_input,
    cache_write, output, reasoning, audio_input, audio_output, cost_nanos, cost_rest
ON spend BEGIN
    SELECT raise(ABORT, 'what was spent is never changed');
END;

-- Up to where journals were moved here.
CREATE TABLE spend_journals (
    journal BLOB PRIMARY KEY CHECK (length(journal) = 16),
    moved INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- For those who ask the database: what was spent, in dollars to the last digit.
CREATE VIEW spend_dollars AS
SELECT
    datetime(at / 1000, 'unixepoch') AS time, span, calls, key_id, user_id, team_id, organization_id, end_user, model, provider, served_model,
    tags, outcome, estimated, priced,
    printf('%d.%09d%06d', cost_nanos / 1000000000, cost_nanos % 1000000000, cost_rest) AS cost
FROM spend;
