//! Providers of every kind, as the gateway calls them: where, with whose key, and in whose words.

use bartizan_testkit::{MockProvider, Received, Script};

use crate::process::{MASTER, Start};

const CHAT: &str = r#"{"model":"NAME","seed":7,"max_completion_tokens":9,"logit_bias":{},"messages":[{"role":"developer","content":"be brief"},{"role":"user","content":"hi"}]STREAM}"#;

/// Each with what a caller's chat becomes at it: the path, whole and streamed, a header, and what of the body shows whose words it is in.
const PLACES: &[(&str, &str, &str, &str, &str)] = &[
    (
        "model: mistral/mistral-large-latest, api_base: 'MOCK/v1', api_key: key-of-mistral",
        "/v1/chat/completions",
        "/v1/chat/completions",
        "authorization: Bearer key-of-mistral",
        r#""random_seed":7"#,
    ),
    (
        "model: house/llama",
        "/own/chat",
        "/own/chat",
        "x-house-key: key-of-house",
        r#""role":"system""#,
    ),
    (
        "model: azure/dep, api_base: 'MOCK', api_key: key-of-azure, api_version: '2024-10-21'",
        "/openai/deployments/dep/chat/completions?api-version=2024-10-21",
        "/openai/deployments/dep/chat/completions?api-version=2024-10-21",
        "api-key: key-of-azure",
        r#""role":"developer""#,
    ),
    (
        "model: anthropic/claude-haiku-4-5, api_base: 'MOCK', api_key: key-of-anthropic",
        "/v1/messages",
        "/v1/messages",
        "x-api-key: key-of-anthropic",
        r#""max_tokens":9"#,
    ),
    (
        "model: gemini/gemini-2.5-flash, api_base: 'MOCK', api_key: key-of-google",
        "/v1beta/models/gemini-2.5-flash:generateContent",
        "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
        "x-goog-api-key: key-of-google",
        r#""maxOutputTokens":9"#,
    ),
    (
        "model: vertex_ai/claude-haiku-4-5@20251001, api_base: 'MOCK', api_key: token, vertex_project: p, vertex_location: global",
        "/v1/projects/p/locations/global/publishers/anthropic/models/claude-haiku-4-5%4020251001:rawPredict",
        "/v1/projects/p/locations/global/publishers/anthropic/models/claude-haiku-4-5%4020251001:streamRawPredict",
        "authorization: Bearer token",
        r#""anthropic_version":"vertex-2023-10-16""#,
    ),
    (
        "model: 'bedrock/us.amazon.nova-lite-v1:0', api_base: 'MOCK', aws_region_name: us-east-1, aws_access_key_id: AKIDEXAMPLE, aws_secret_access_key: secret",
        "/model/us.amazon.nova-lite-v1%3A0/converse",
        "/model/us.amazon.nova-lite-v1%3A0/converse-stream",
        "authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/",
        r#""inferenceConfig""#,
    ),
    (
        "model: bedrock/invoke/anthropic.claude-haiku-4-5, api_base: 'MOCK', aws_region_name: us-east-1, api_key: key-of-bedrock",
        "/model/anthropic.claude-haiku-4-5/invoke",
        "/model/anthropic.claude-haiku-4-5/invoke-with-response-stream",
        "authorization: Bearer key-of-bedrock",
        r#""anthropic_version":"bedrock-2023-05-31""#,
    ),
    (
        "model: cohere/command-a-03-2025, api_base: 'MOCK', api_key: key-of-cohere",
        "/v2/chat",
        "/v2/chat",
        "authorization: Bearer key-of-cohere",
        r#""max_tokens":9"#,
    ),
    (
        "model: ollama/llama3, api_base: 'MOCK'",
        "/api/chat",
        "/api/chat",
        "content-type: application/json",
        r#""num_predict":9"#,
    ),
];

fn config(mock: &MockProvider) -> String {
    let models = PLACES.iter().enumerate().map(|(at, (params, ..))| {
        let params = params.replace("MOCK", &mock.url());
        format!("  - {{model_name: m{at}, litellm_params: {{{params}}}}}\n")
    });
    format!(
        "model_list:\n{}litellm_settings: {{drop_params: true}}\ngeneral_settings: {{master_key: {MASTER}}}\nguardrails: []\nbartizan:\n  \
         allow_private_upstreams: ['{}']\n  providers:\n    - {{slug: house, base: '{}/own', auth: header x-house-key, key_env: HOUSE_KEY, \
         route: openai_chat at /chat, quirks: no_developer_role}}\n",
        models.collect::<String>(),
        mock.url(),
        mock.url(),
    )
}

fn header(received: &Received, told: &str) -> bool {
    let (name, value) = told.split_once(": ").unwrap();
    received
        .header(name)
        .is_some_and(|found| found.starts_with(value))
}

#[tokio::test]
async fn each_provider_is_called_where_it_is_with_its_key_and_in_its_words() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(config(&mock))
        .env("HOUSE_KEY", "key-of-house")
        .run();
    for (at, (params, whole, streamed, key, words)) in PLACES.iter().enumerate() {
        for (stream, path) in [("", whole), (r#","stream":true"#, streamed)] {
            mock.forget();
            let body = CHAT
                .replace("NAME", &format!("m{at}"))
                .replace("STREAM", stream);
            let answer = gateway
                .ask("POST", "/v1/chat/completions?beta=true&key=x", &body)
                .await;
            let requests = mock.requests();
            let [received] = requests.as_slice() else {
                panic!("{params}: {answer:?}");
            };
            let query = received.query.iter().map(|query| format!("?{query}"));
            let called = received.path.clone() + &query.collect::<String>();
            assert_eq!(called, **path, "{params}");
            assert!(header(received, key), "{params}: {:?}", received.headers);
            let body = received.text();
            assert!(body.contains(words), "{params}: {body}");
            let ours = format!("\"m{at}\"");
            assert!(
                !body.contains(&ours),
                "{params}: a name of the gateway's leaves: {body}"
            );
        }
    }
}
