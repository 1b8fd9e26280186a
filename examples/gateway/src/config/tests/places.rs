//! Where deployments are, with whose key, and what is said where that can't be told.

use std::fs;

use bartizan::egress::Target;

use super::*;

const ACCOUNT: &str = r#"{"type":"service_account","project_id":"of-the-key","client_email":"a@b.iam.gserviceaccount.com","token_uri":"https://oauth2.googleapis.com/token"}"#;

fn environment(name: &str) -> Option<String> {
    let value = match name {
        "BARTIZAN_MASTER_KEY" => MASTER,
        "GROQ_API_KEY"
        | "COHERE_API_KEY"
        | "CLOUDFLARE_API_KEY"
        | "AZURE_AI_API_KEY"
        | "MISTRAL_API_KEY"
        | "OPENROUTER_API_KEY"
        | "HOUSE_API_KEY"
        | "DATABRICKS_API_KEY"
        | "GEMINI_API_KEY"
        | "PERPLEXITYAI_API_KEY"
        | "OPENAI_API_KEY"
        | "ANTHROPIC_API_KEY" => "key-canary",
        "AWS_ACCESS_KEY_ID" => "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY" => "secret-canary",
        "CLOUDFLARE_ACCOUNT_ID" => "acct",
        "OLLAMA_API_BASE" => "http://127.0.0.1:11434",
        _ => return None,
    };
    Some(value.to_owned())
}

fn settings(file: &str) -> Result<Settings, Vec<String>> {
    Settings::read(&SecretString::from(file), &environment)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

fn with(params: &str) -> String {
    format!("model_list: [{{model_name: m, litellm_params: {{{params}}}}}]")
}

/// The URLs of a whole chat and a streamed one.
fn urls(file: &str) -> (String, String) {
    let settings = settings(file).unwrap_or_else(|problems| panic!("{file}: {problems:?}"));
    let place = &settings.deployments[0].place;
    let way = place
        .way(Dialect::OpenAiChat, place.name().model())
        .unwrap();
    let url = |stream| {
        let leg = way.leg(stream);
        let (parts, ()) = http::Request::post("/v1/chat/completions")
            .body(())
            .unwrap()
            .into_parts();
        let lane = format!("{:?}", way.lane);
        let field = if stream {
            "stream_path: Some("
        } else {
            " path: Some("
        };
        let (_, path) = lane.split_once(field).unwrap();
        let path = path.split(['?', ')']).next().unwrap();
        let target = leg
            .query
            .as_deref()
            .unwrap_or_default()
            .split('&')
            .filter(|word| !word.is_empty());
        let target = target.fold(leg.target.clone(), |target, word| {
            let (name, value) = word.split_once('=').unwrap();
            target.query(name, value)
        });
        target.request(parts, path, ()).unwrap().uri().to_string()
    };
    (url(false), url(true))
}

#[test]
fn litellms_names_lead_to_every_provider() {
    for (params, whole, stream) in [
        (
            "model: groq/openai/gpt-oss-120b",
            "https://api.groq.com/openai/v1/chat/completions",
            "",
        ),
        (
            "model: mistral/mistral-large-latest",
            "https://api.mistral.ai/v1/chat/completions",
            "",
        ),
        (
            "model: mistral-large-latest",
            "https://api.mistral.ai/v1/chat/completions",
            "",
        ),
        (
            "model: openrouter/anthropic/claude-opus-5",
            "https://openrouter.ai/api/v1/chat/completions",
            "",
        ),
        (
            "model: cohere_chat/command-a-03-2025",
            "https://api.cohere.com/v2/chat",
            "",
        ),
        (
            "model: ollama/llama3",
            "http://127.0.0.1:11434/api/chat",
            "",
        ),
        (
            "model: 'cloudflare/@cf/m'",
            "https://api.cloudflare.com/client/v4/accounts/acct/ai/v1/chat/completions",
            "",
        ),
        (
            "model: 'cloudflare/@cf/m', settings: {account: other}",
            "https://api.cloudflare.com/client/v4/accounts/other/ai/v1/chat/completions",
            "",
        ),
        (
            "model: gemini/gemini-2.5-flash",
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent",
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
        ),
        (
            "model: 'bedrock/us.amazon.nova-pro-v1:0', aws_region_name: us-west-2",
            "https://bedrock-runtime.us-west-2.amazonaws.com/model/us.amazon.nova-pro-v1%3A0/converse",
            "https://bedrock-runtime.us-west-2.amazonaws.com/model/us.amazon.nova-pro-v1%3A0/converse-stream",
        ),
        (
            "model: bedrock/eu-west-1/x.y, aws_access_key_id: AK, aws_secret_access_key: s, aws_session_token: t",
            "https://bedrock-runtime.eu-west-1.amazonaws.com/model/x.y/converse",
            "https://bedrock-runtime.eu-west-1.amazonaws.com/model/x.y/converse-stream",
        ),
        (
            "model: bedrock/x.y, aws_region_name: eu-west-1, api_base: 'https://vpce.example'",
            "https://vpce.example/model/x.y/converse",
            "https://vpce.example/model/x.y/converse-stream",
        ),
        (
            "model: vertex_ai/gemini-2.5-pro, vertex_project: p, vertex_location: global, api_key: token",
            "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/models/gemini-2.5-pro:generateContent",
            "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
        ),
        (
            "model: azure/dep, api_base: 'https://r.openai.azure.com', api_key: k, api_version: '2024-10-21'",
            "https://r.openai.azure.com/openai/deployments/dep/chat/completions?api-version=2024-10-21",
            "",
        ),
        (
            "model: azure/dep, settings: {resource: r}, azure_ad_token: t, api_version: preview",
            "https://r.openai.azure.com/openai/v1/chat/completions?api-version=preview",
            "",
        ),
        (
            "model: azure_ai/DeepSeek-V4, api_base: 'https://r.services.ai.azure.com', api_version: 2024-05-01-preview",
            "https://r.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview",
            "",
        ),
        (
            "model: databricks/databricks-claude-opus-4, api_base: 'https://adb-1.2.azuredatabricks.net/serving-endpoints'",
            "https://adb-1.2.azuredatabricks.net/serving-endpoints/chat/completions",
            "",
        ),
        (
            "model: hosted_vllm/m, api_base: 'http://localhost:8000/v1'",
            "http://localhost:8000/v1/chat/completions",
            "",
        ),
        (
            "model: llama, custom_llm_provider: groq",
            "https://api.groq.com/openai/v1/chat/completions",
            "",
        ),
        (
            "model: groq/llama, custom_llm_provider: groq",
            "https://api.groq.com/openai/v1/chat/completions",
            "",
        ),
        (
            "model: openai/m, api_base: 'https://h.example/v1/chat/completions'",
            "https://h.example/v1/chat/completions",
            "",
        ),
        (
            "model: anthropic/claude-opus-5, api_base: 'https://h.example/v1/', api_key: k",
            "https://h.example/v1/messages",
            "",
        ),
    ] {
        let stream = if stream.is_empty() { whole } else { stream };
        assert_eq!(
            urls(&with(params)),
            (whole.to_owned(), stream.to_owned()),
            "{params}"
        );
    }
}

#[test]
fn a_provider_of_ones_own_needs_no_code() {
    let file = r#"
model_list:
  - {model_name: a, litellm_params: {model: house/llama}}
  - {model_name: b, litellm_params: {model: groq-eu/llama, api_key: k}}
bartizan:
  providers:
    - slug: house
      name: Our own
      base: https://llm.house.example/v1
      speaks: [openai_embeddings]
      route: ["openai_chat at /chat"]
      rename: {max_completion_tokens: max_tokens}
      refuse: [n]
      quirks: no_developer_role, alternating_roles
    - {slug: groq-eu, like: groq, base: "https://groq.eu.example/openai/v1"}
"#;
    assert_eq!(urls(file).0, "https://llm.house.example/v1/chat");
    let settings = settings(file).unwrap();
    assert_eq!(settings.deployments[0].place.provider(), "house");
    assert_eq!(
        settings.deployments[1].place.origin().to_string(),
        "https://groq.eu.example:443"
    );
    assert!(
        !format!("{settings:?}").contains("canary"),
        "a secret shows"
    );
}

#[test]
fn what_is_wrong_with_a_place_is_told_with_the_mend() {
    for (params, says) in [
        (
            "model: gorq/llama",
            "model: there is no provider of this name; did you mean `groq`? docs/providers.md",
        ),
        (
            "model: zzzzzzz/llama",
            "model: there is no provider of this name. docs/providers.md",
        ),
        ("model: llama", "model: put the provider in front"),
        (
            "model: groq/",
            "model: a model's name belongs behind `groq/`",
        ),
        (
            "model: bedrock/agent/X/Y, aws_region_name: us-east-1",
            "model: `bedrock/agent/…` is no model's API",
        ),
        (
            "model: llama, custom_llm_provider: gorq",
            "custom_llm_provider: there is no provider of this name; did you mean `groq`?",
        ),
        (
            "model: bedrock/x",
            "`aws_region_name` is missing, and AWS_REGION_NAME or AWS_REGION or AWS_DEFAULT_REGION is not set",
        ),
        (
            "model: bedrock/x, aws_region_name: 'us west'",
            "`aws_region_name`: letters, digits and hyphens belong there",
        ),
        (
            "model: bedrock/x, aws_region_name: us-east-1, aws_access_key_id: AK",
            "aws_access_key_id: `aws_access_key_id` and `aws_secret_access_key` belong together",
        ),
        (
            "model: groq/x, aws_access_key_id: AK",
            "aws_access_key_id: `groq` is not called with this",
        ),
        (
            "model: groq/x, aws_region_name: us-east-1",
            "aws_region_name: the address of `groq` has none",
        ),
        (
            "model: groq/x, api_version: v1",
            "api_version: `groq` has no versions",
        ),
        (
            "model: groq/x, settings: {account: a}",
            "settings.account: `groq` has no settings",
        ),
        (
            "model: cloudflare/x, settings: {acount: a}",
            "settings.acount: `cloudflare` has no such setting; it has account",
        ),
        (
            "model: vertex_ai/gemini-x, vertex_location: global, api_key: t",
            "`vertex_project` is missing, and VERTEXAI_PROJECT or",
        ),
        (
            "model: vertex_ai/gemini-x, vertex_project: p, vertex_location: global",
            "`vertex_credentials` is missing, and GOOGLE_APPLICATION_CREDENTIALS is not set",
        ),
        (
            "model: vertex_ai/gemini-x, vertex_project: p, vertex_location: global, vertex_credentials: /nowhere.json",
            "vertex_credentials: the file can't be read",
        ),
        (
            "model: vertex_ai/gemini-x, vertex_project: p, vertex_location: global, vertex_credentials: '{}'",
            "vertex_credentials: ",
        ),
        (
            "model: hosted_vllm/m",
            "`api_base` is missing, and HOSTED_VLLM_API_BASE is not set",
        ),
        (
            "model: hosted_vllm/m, api_base: 'http://10.0.0.1:8000/v1'",
            "api_base: http would carry key and prompts in plain text",
        ),
        (
            "model: openai/m, api_base: vllm.internal",
            "api_base: base URL: a URL",
        ),
        (
            "model: deepseek/m",
            "`api_key` is missing, and DEEPSEEK_API_KEY is not set",
        ),
        ("model: 'groq/a*b'", "model: at most one `*` belongs here"),
        (
            "model: groq/x, input_cost_per_token: cheap",
            "input_cost_per_token: a price in US dollars for one token belongs here",
        ),
        (
            "model: groq/x, aws_role_name: r",
            "aws_role_name: this is LiteLLM's, and this version does not implement it",
        ),
    ] {
        let found = settings(&with(params)).err().unwrap_or_default();
        let at = "line 1: model_list[0].litellm_params";
        let fits = |line: &String| {
            let rest = line.strip_prefix(at).unwrap_or_default();
            rest.trim_start_matches(['.', ':', ' ']).starts_with(says)
        };
        assert!(found.iter().any(fits), "{params}: {found:?}");
        assert!(
            !found.iter().any(|line| line.contains("canary")),
            "{found:?}"
        );
    }
    for (provider, says) in [
        (
            "{speaks: openai_chat}",
            "bartizan.providers[0]: `slug` is missing",
        ),
        (
            "{slug: House, speaks: openai_chat}",
            "bartizan.providers[0].slug: a name of small letters",
        ),
        (
            "{slug: h, like: gorq}",
            "bartizan.providers[0].like: there is no provider of this name; did you mean `groq`?",
        ),
        (
            "{slug: h, speaks: openai}",
            "bartizan.providers[0].speaks: ",
        ),
        (
            "{slug: h, base: nowhere, speaks: openai_chat}",
            "bartizan.providers[0].base: a URL belongs here",
        ),
        (
            "{slug: h, speaks: openai_chat, quirk: x}",
            "bartizan.providers[0].quirk: this key is not known; did you mean `quirks`?",
        ),
        (
            "{slug: h, speaks: openai_chat, quirks: [odd]}",
            "bartizan.providers[0].quirks: `odd` is none of",
        ),
        (
            "{slug: h, speaks: openai_chat, rename: {model: x}}",
            "bartizan.providers[0].rename: `model` can't stand there",
        ),
    ] {
        let file = with("model: groq/x") + "\nbartizan: {providers: [" + provider + "]}";
        let found = settings(&file).err().unwrap_or_default();
        assert!(
            found.iter().any(|line| line.contains(says)),
            "{provider}: {found:?}"
        );
    }
}

#[test]
fn the_project_is_the_service_accounts_unless_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.json");
    fs::write(&path, ACCOUNT).unwrap();
    // The key in it is none, which is told once the rest is found.
    let params = format!(
        "model: vertex_ai/gemini-x, vertex_location: global, vertex_credentials: '{}'",
        path.display()
    );
    let found = settings(&with(&params)).unwrap_err();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("the service account has no `private_key`"),
        "{found:?}"
    );
}

#[test]
fn what_the_file_says_of_a_model_goes_before_the_catalogue() {
    let file = r"
model_list:
  - model_name: a
    litellm_params: {model: groq/house-model, input_cost_per_token: 0.0000025}
    model_info: {max_input_tokens: 1000, max_output_tokens: 100, output_cost_per_token: 1e-05, supports_vision: true, note: mine}
  - model_name: b
    litellm_params: {model: azure/dep, settings: {resource: r}, api_key: k}
    model_info: {base_model: azure/gpt-4o}
  - {model_name: c, litellm_params: {model: groq/x}}
";
    let settings = settings(file).unwrap();
    let facts = |at: usize| settings.deployments[at].place.facts.clone();
    let own = facts(0).unwrap();
    assert_eq!(
        (own.context, own.max_output, own.vision, own.tools),
        (Some(1_000), 100, true, false)
    );
    let price = |price: Option<bartizan::core::Price>| price.unwrap().to_string();
    assert_eq!(price(own.prices.input), "0.0000025");
    assert_eq!(price(own.prices.output), "0.00001");
    assert_eq!(facts(1).unwrap().context, Some(128_000));
    assert_eq!(facts(2), None);
}

#[test]
fn the_environment_alone_serves_whoever_has_a_key_there() {
    let master = MasterKey::new(SecretString::from(MASTER)).unwrap();
    let settings = Settings::without_file(master, &environment).unwrap();
    let names: Vec<&str> = settings
        .deployments
        .iter()
        .map(|deployment| deployment.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "anthropic/*",
            "cohere/*",
            "gemini/*",
            "groq/*",
            "mistral/*",
            "openai/*",
            "openrouter/*",
            "perplexity/*"
        ]
    );
    let place = &settings.deployments[3].place;
    let way = place
        .way(Dialect::OpenAiChat, "openai/gpt-oss-120b")
        .unwrap();
    assert!(format!("{:?}", way.lane).contains("openai/gpt-oss-120b"));
    assert!(Target::new("https://x.example").is_ok());
}
