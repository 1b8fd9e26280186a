WITH place AS (
    INSERT INTO spend_journals (journal, moved)
    SELECT $1, $3 WHERE $2 = 0 OR EXISTS (SELECT FROM spend_journals WHERE journal = $1)
    ON CONFLICT (journal) DO UPDATE SET moved = excluded.moved, moved_at = now() WHERE spend_journals.moved = $2
    RETURNING moved
), kept AS (
    INSERT INTO spend (
        id, at, span, calls, key_id, user_id, team_id, organization_id, end_user, model, provider, served_model, tags, outcome, estimated, priced,
        input, cached_input, cache_write, output, reasoning, audio_input, audio_output, cost
    )
    SELECT
        e.id, e.at, 0, 1, e.key_id, e.user_id, e.team_id, e.organization_id, e.end_user, e.model, e.provider, e.served_model,
        ARRAY(SELECT jsonb_array_elements_text(e.tags::jsonb)), e.outcome, e.estimated, e.priced,
        e.input, e.cached_input, e.cache_write, e.output, e.reasoning, e.audio_input, e.audio_output, e.cost::numeric
    FROM unnest(
        $4::bytea[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[],
        $15::text[], $16::boolean[], $17::boolean[], $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[], $23::bigint[],
        $24::bigint[], $25::text[]
    ) AS e (
        id, at, key_id, user_id, team_id, organization_id, end_user, model, provider, served_model, tags, outcome, estimated, priced,
        input, cached_input, cache_write, output, reasoning, audio_input, audio_output, cost
    )
    WHERE EXISTS (SELECT FROM place)
    ON CONFLICT (id) DO NOTHING
)
SELECT moved FROM place UNION ALL SELECT moved FROM spend_journals WHERE journal = $1 AND NOT EXISTS (SELECT FROM place)
