INSERT INTO spend (
    id, at, span, calls, key_id, user_id, team_id, organization_id, end_user, model, provider, served_model, tags, outcome, estimated, priced,
    input, cached_input, cache_write, output, reasoning, audio_input, audio_output, cost_nanos, cost_rest
) VALUES (
    :id, :at, 0, 1, :key_id, :user_id, :team_id, :organization_id, :end_user, :model, :provider, :served_model, :tags, :outcome, :estimated, :priced,
    :input, :cached_input, :cache_write, :output, :reasoning, :audio_input, :audio_output, :cost_nanos, :cost_rest
)
ON CONFLICT (id) DO NOTHING
