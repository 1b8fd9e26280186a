-- One row a call, or for the sum of calls that differ in nothing but time and amounts.
CREATE TABLE spend (
    id bytea PRIMARY KEY CHECK (octet_length(id) = 16),  -- begins with `at`, in 48 bits
    at bigint NOT NULL,  -- milliseconds since 1970: when the call was let in, or the span began
    span integer NOT NULL,  -- seconds that are summed up; 0 for a single call
    calls bigint NOT NULL,
    key_id text COLLATE "C" NOT NULL,
    user_id text COLLATE "C",
    team_id text COLLATE "C",
    organization_id text COLLATE "C",
    end_user text COLLATE "C",  -- a keyed digest
    model text COLLATE "C" NOT NULL,  -- as it was asked for
    provider text COLLATE "C",
    served_model text COLLATE "C",
    tags text[] COLLATE "C" NOT NULL,
    outcome text COLLATE "C" NOT NULL,
    estimated boolean NOT NULL,
    priced boolean NOT NULL,
    input bigint NOT NULL,
    cached_input bigint NOT NULL,
    cache_write bigint NOT NULL,
    output bigint NOT NULL,
    reasoning bigint NOT NULL,
    audio_input bigint NOT NULL,
    audio_output bigint NOT NULL,
    cost numeric NOT NULL  -- US dollars
);

-- With what is asked for most, so that the rows themselves need not be read.
CREATE INDEX spend_key ON spend (key_id, at) INCLUDE (span, model, cost);
CREATE INDEX spend_user ON spend (user_id, at) INCLUDE (span, model, cost) WHERE user_id IS NOT NULL;
CREATE INDEX spend_team ON spend (team_id, at) INCLUDE (span, model, cost) WHERE team_id IS NOT NULL;
CREATE INDEX spend_organization ON spend (organization_id, at) INCLUDE (span, model, cost) WHERE organization_id IS NOT NULL;
CREATE INDEX spend_model ON spend (model, at) INCLUDE (span, cost);
CREATE INDEX spend_end_user ON spend (end_user, at) INCLUDE (span, cost) WHERE end_user IS NOT NULL;
CREATE INDEX spend_time ON spend (at) INCLUDE (span, cost);
CREATE INDEX spend_tags ON spend USING gin (tags);
CREATE INDEX spend_fold ON spend (span, at);

-- All but names of persons stays as it was written.
CREATE FUNCTION bartizan_keep_spend() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was spent is never changed';
END
$$;

CREATE TRIGGER keep_spend BEFORE UPDATE OF
    id, at, span, calls, key_id, team_id, organization_id, model, provider, served_model, tags, outcome, estimated, priced, input, cached_input,
    cache_write, output, reasoning, audio_input, audio_output, cost
ON spend FOR EACH ROW EXECUTE FUNCTION bartizan_keep_spend();
CREATE TRIGGER keep_all_spend BEFORE TRUNCATE ON spend FOR EACH STATEMENT EXECUTE FUNCTION bartizan_keep_spend();

-- Up to where journals were moved here.
CREATE TABLE spend_journals (
    journal bytea PRIMARY KEY CHECK (octet_length(journal) = 16),
    moved bigint NOT NULL,
    moved_at timestamptz NOT NULL DEFAULT now()
);
