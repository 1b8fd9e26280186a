INSERT INTO spend (
    id, at, span, calls, key_id, user_id, team_id, organization_id, end_user, model, provider, served_model, tags, outcome, estimated, priced,
    input, cached_input, cache_write, output, reasoning, audio_input, audio_output, cost_nanos, cost_rest
)
SELECT
    unhex(printf('%012X', bucket) || hex(randomblob(10))), bucket, :span, calls, key_id, user_id, team_id, organization_id, end_user, model, provider,
    served_model, tags, outcome, estimated, priced, input, cached_input, cache_write, output, reasoning, audio_input, audio_output,
    nanos + rest / 1000000, rest % 1000000
FROM (
    SELECT
        CASE WHEN :day THEN :from ELSE at - at % 900000 END AS bucket, sum(calls) AS calls, key_id, user_id, team_id, organization_id, end_user, model,
        provider, served_model, tags, outcome, estimated, priced, sum(input) AS input, sum(cached_input) AS cached_input,
        sum(cache_write) AS cache_write, sum(output) AS output, sum(reasoning) AS reasoning, sum(audio_input) AS audio_input,
        sum(audio_output) AS audio_output, sum(cost_nanos) AS nanos, sum(cost_rest) AS rest
    FROM spend
    WHERE id >= :from_id AND id < :to_id AND span < :below
    GROUP BY 1, key_id, user_id, team_id, organization_id, end_user, model, provider, served_model, tags, outcome, estimated, priced
)
