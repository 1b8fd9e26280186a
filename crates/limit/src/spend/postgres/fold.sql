WITH taken AS (
    DELETE FROM spend WHERE at >= $1 AND at < $2 AND span < $3 RETURNING *
), sums AS (
    INSERT INTO spend (
        id, at, span, calls, key_id, user_id, team_id, organization_id, end_user, model, provider, served_model, tags, outcome, estimated, priced,
        input, cached_input, cache_write, output, reasoning, audio_input, audio_output, cost
    )
    SELECT
        decode(lpad(to_hex(bucket), 12, '0'), 'hex') || substring(uuid_send(gen_random_uuid()) FROM 1 FOR 10),
        bucket, $5, calls, key_id, user_id, team_id, organization_id, end_user, model, provider, served_model, tags, outcome, estimated, priced,
        input, cached_input, cache_write, output, reasoning, audio_input, audio_output, cost
    FROM (
        SELECT
            CASE WHEN $4 THEN $1 ELSE at - at % 900000 END AS bucket, sum(calls) AS calls, key_id, user_id, team_id, organization_id, end_user, model,
            provider, served_model, tags, outcome, estimated, priced, sum(input) AS input, sum(cached_input) AS cached_input,
            sum(cache_write) AS cache_write, sum(output) AS output, sum(reasoning) AS reasoning, sum(audio_input) AS audio_input,
            sum(audio_output) AS audio_output, sum(cost) AS cost
        FROM taken
        GROUP BY 1, key_id, user_id, team_id, organization_id, end_user, model, provider, served_model, tags, outcome, estimated, priced
    ) AS summed
    RETURNING 1
)
SELECT (SELECT count(*) FROM taken) - (SELECT count(*) FROM sums)
