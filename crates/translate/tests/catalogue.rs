//! The catalogue of providers and models, against real names and addresses.

use std::collections::BTreeSet;

use bartizan_core::Dialect;
use bartizan_translate::catalogue::{
    Auth, Endpoint, Envelope, ModelName, Provider, Providers, Quirk, Settings,
};
use bartizan_translate::{Effort, Error, ModelFacts, Purpose, Thinking};
use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use support::recorded;

#[path = "support/providers_doc.rs"]
mod providers_doc;
mod support;

const TABLE: &str = include_str!("../data/providers.ini");

fn slugs() -> Vec<&'static str> {
    let heads = TABLE.lines().filter_map(|line| line.strip_prefix('['));
    heads.map(|head| head.trim_end_matches(']')).collect()
}

#[test]
fn every_provider_of_the_table_is_whole() {
    // What can't be read is told with provider and field.
    if let Err(fault) = Providers::none().read(TABLE) {
        panic!("{fault}");
    }
    let slugs = slugs();
    assert!(slugs.len() >= 150, "{}", slugs.len());
    assert!(slugs.is_sorted_by(|a, b| a < b), "out of order, or twice");
    let providers = Providers::builtin();
    assert_eq!(providers.iter().count(), slugs.len());
    let named = TABLE.lines().filter(|line| line.starts_with("name = "));
    assert_eq!(named.count(), slugs.len(), "one has no name for people");
    for provider in providers.iter() {
        let slug = provider.slug();
        if let Some(base) = provider.base_url() {
            let local = ["http://localhost:", "http://127.0.0.1:"];
            let here = local.iter().any(|local| base.starts_with(local));
            assert!(base.starts_with("https://") || here, "{slug}: {base}");
            assert!(!base.ends_with('/'), "{slug}: {base}");
            assert!(
                !here || !provider.auth().is_needed(),
                "{slug}: a server of one's own wants no key"
            );
        }
        assert!(
            !provider.key_variables().is_empty(),
            "{slug}: no variable for its key"
        );
        for variable in provider
            .key_variables()
            .into_iter()
            .chain([provider.base_variable()])
        {
            let fits = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
            assert!(variable.bytes().all(fits), "{slug}: {variable}");
        }
        let source = provider.source();
        assert!(
            matches!(source, Some("documents" | "lists" | "list")),
            "{slug}: {source:?}"
        );
    }
}

#[test]
fn no_name_stands_for_two_providers() {
    let mut seen = BTreeSet::new();
    for slug in slugs() {
        assert!(seen.insert(slug.to_owned()), "{slug}");
    }
    let names = TABLE
        .lines()
        .filter_map(|line| line.strip_prefix("also = "));
    for name in names.flat_map(|names| names.split(',')) {
        let name = name.split('>').next().unwrap_or_default().trim();
        assert!(seen.insert(name.to_owned()), "{name} stands twice");
        assert!(Providers::builtin().get(name).is_some(), "{name}");
    }
}

#[test]
fn a_bad_provider_is_refused_with_the_field_and_the_mend() {
    for (lines, field) in [
        ("speaks = openai", "speaks"),
        ("speaks = openai_chat\nbase = api.example.com", "base"),
        ("speaks = openai_chat\nbase = https://u@example.com", "base"),
        ("speaks = openai_chat\nauth = query key", "auth"),
        ("speaks = openai_chat\nrename = a", "rename"),
        ("speaks = openai_chat\ndrop = model", "rename, drop, refuse"),
        (
            "speaks = openai_chat\ndrop = n\nrefuse = n",
            "rename, drop, refuse",
        ),
        ("speaks = openai_chat\nquirks = odd", "quirks"),
        (
            "speaks = openai_chat\nmax_temperature = hot",
            "max_temperature",
        ),
        ("speaks = openai_chat\nregion = Europe", "region"),
        ("speaks = openai_chat\nsetting = region", "setting"),
        ("speaks = openai_chat\nroute = openai_chat at x", "route"),
        (
            "speaks = openai_chat\nbaseurl = https://example.com",
            "baseurl",
        ),
        ("name = None", "speaks"),
        ("like = nobody", "like"),
    ] {
        let table = format!("[house]\n{lines}");
        match Providers::builtin().read(&table) {
            Err(Error::Provider {
                provider,
                field: found,
                mend,
            }) => {
                assert_eq!((provider.as_str(), &*found), ("house", field), "{lines}");
                assert!(!mend.is_empty());
            }
            other => panic!("{lines}: {other:?}"),
        }
    }
    for table in [
        "speaks = openai_chat",
        "[a",
        "[a]\nspeaks",
        "[A]\nspeaks = openai_chat",
        "[]\nspeaks = openai_chat",
    ] {
        assert!(Providers::none().read(table).is_err(), "{table}");
    }
}

/// As LiteLLM's users write them: the provider, the model there, and what the API of a chat is there.
#[test]
fn a_name_leads_to_its_provider() {
    use Dialect::{
        AnthropicMessages as Messages, BedrockConverse as Converse, CohereChat as Cohere, Gemini,
        OllamaChat as Ollama, OpenAiChat as Chat, OpenAiResponses as Responses,
    };
    for (name, provider, model, spoken) in [
        ("openai/gpt-4o", "openai", "gpt-4o", Chat),
        (
            "openai/responses/gpt-5-pro",
            "openai",
            "gpt-5-pro",
            Responses,
        ),
        (
            "openai/ft:gpt-4o-mini:org::id",
            "openai",
            "ft:gpt-4o-mini:org::id",
            Chat,
        ),
        ("custom_openai/house/model", "openai", "house/model", Chat),
        (
            "anthropic/claude-sonnet-4-5-20250929",
            "anthropic",
            "claude-sonnet-4-5-20250929",
            Messages,
        ),
        ("azure/my-deployment", "azure", "my-deployment", Chat),
        ("azure/o_series/my-o3", "azure", "my-o3", Chat),
        ("azure/responses/codex", "azure", "codex", Responses),
        (
            "azure_ai/claude-opus-4-1",
            "azure_ai",
            "claude-opus-4-1",
            Messages,
        ),
        (
            "azure_ai/mistral-large-2407",
            "azure_ai",
            "mistral-large-2407",
            Chat,
        ),
        (
            "bedrock/anthropic.claude-3-5-sonnet-20241022-v2:0",
            "bedrock",
            "anthropic.claude-3-5-sonnet-20241022-v2:0",
            Converse,
        ),
        (
            "bedrock/us.amazon.nova-pro-v1:0",
            "bedrock",
            "us.amazon.nova-pro-v1:0",
            Converse,
        ),
        (
            "bedrock/converse/anthropic.claude-opus-5",
            "bedrock",
            "anthropic.claude-opus-5",
            Converse,
        ),
        (
            "bedrock_converse/us.meta.llama4-scout-17b-instruct-v1:0",
            "bedrock",
            "us.meta.llama4-scout-17b-instruct-v1:0",
            Converse,
        ),
        (
            "bedrock/invoke/anthropic.claude-opus-5",
            "bedrock",
            "anthropic.claude-opus-5",
            Messages,
        ),
        (
            "bedrock/eu-west-1/anthropic.claude-opus-5",
            "bedrock",
            "anthropic.claude-opus-5",
            Converse,
        ),
        (
            "bedrock/invoke/us-west-2/anthropic.claude-opus-5",
            "bedrock",
            "anthropic.claude-opus-5",
            Messages,
        ),
        (
            "bedrock/chat_completions/openai.gpt-oss-120b-1:0",
            "bedrock",
            "openai.gpt-oss-120b-1:0",
            Chat,
        ),
        (
            "bedrock/arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc",
            "bedrock",
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc",
            Converse,
        ),
        (
            "bedrock/mantle/openai.gpt-5.5",
            "bedrock_mantle",
            "openai.gpt-5.5",
            Chat,
        ),
        (
            "vertex_ai/gemini-2.5-pro",
            "vertex_ai",
            "gemini-2.5-pro",
            Gemini,
        ),
        (
            "vertex_ai/claude-sonnet-4-5@20250929",
            "vertex_ai",
            "claude-sonnet-4-5@20250929",
            Messages,
        ),
        (
            "vertex_ai/meta/llama-4-maverick-17b-128e-instruct-maas",
            "vertex_ai",
            "meta/llama-4-maverick-17b-128e-instruct-maas",
            Chat,
        ),
        (
            "vertex_ai/mistral-large-2411",
            "vertex_ai",
            "mistral-large-2411",
            Chat,
        ),
        (
            "vertex_ai/openai/gpt-oss-120b-maas",
            "vertex_ai",
            "openai/gpt-oss-120b-maas",
            Chat,
        ),
        (
            "vertex_ai/gemini/1234567890",
            "vertex_ai",
            "1234567890",
            Gemini,
        ),
        (
            "vertex_ai_beta/gemini-2.5-flash",
            "vertex_ai",
            "gemini-2.5-flash",
            Gemini,
        ),
        (
            "gemini/gemini-2.5-flash",
            "gemini",
            "gemini-2.5-flash",
            Gemini,
        ),
        (
            "cohere/command-a-03-2025",
            "cohere",
            "command-a-03-2025",
            Cohere,
        ),
        ("cohere_chat/command-r", "cohere", "command-r", Cohere),
        ("ollama/llama3.2", "ollama", "llama3.2", Ollama),
        ("ollama_chat/qwen3:8b", "ollama", "qwen3:8b", Ollama),
        (
            "groq/openai/gpt-oss-120b",
            "groq",
            "openai/gpt-oss-120b",
            Chat,
        ),
        (
            "mistral/mistral-large-latest",
            "mistral",
            "mistral-large-latest",
            Chat,
        ),
        (
            "codestral/codestral-latest",
            "codestral",
            "codestral-latest",
            Chat,
        ),
        (
            "openrouter/anthropic/claude-sonnet-4.5",
            "openrouter",
            "anthropic/claude-sonnet-4.5",
            Chat,
        ),
        ("openrouter/auto", "openrouter", "openrouter/auto", Chat),
        (
            "deepseek/deepseek-v4-pro",
            "deepseek",
            "deepseek-v4-pro",
            Chat,
        ),
        (
            "hosted_vllm/meta-llama/Llama-3.3-70B-Instruct",
            "hosted_vllm",
            "meta-llama/Llama-3.3-70B-Instruct",
            Chat,
        ),
        ("vllm/m", "hosted_vllm", "m", Chat),
        (
            "together_ai/zai-org/GLM-5",
            "together_ai",
            "zai-org/GLM-5",
            Chat,
        ),
        (
            "fireworks_ai/accounts/fireworks/models/glm-5",
            "fireworks_ai",
            "accounts/fireworks/models/glm-5",
            Chat,
        ),
        (
            "huggingface/together/deepseek-ai/DeepSeek-R1",
            "huggingface",
            "deepseek-ai/DeepSeek-R1:together",
            Chat,
        ),
        (
            "huggingface/deepseek-ai/DeepSeek-R1",
            "huggingface",
            "deepseek-ai/DeepSeek-R1",
            Chat,
        ),
        (
            "databricks/databricks-claude-opus-4",
            "databricks",
            "databricks-claude-opus-4",
            Chat,
        ),
        (
            "snowflake/claude-sonnet-4-5",
            "snowflake",
            "claude-sonnet-4-5",
            Chat,
        ),
        (
            "cloudflare/@cf/meta/llama-3.1-8b-instruct",
            "cloudflare",
            "@cf/meta/llama-3.1-8b-instruct",
            Chat,
        ),
        ("xai/grok-4", "xai", "grok-4", Chat),
        ("perplexity/sonar-pro", "perplexity", "sonar-pro", Chat),
        ("manus/manus-1.6", "manus", "manus-1.6", Responses),
        // Without a provider.
        ("gpt-4o", "openai", "gpt-4o", Chat),
        ("gpt-9-someday", "openai", "gpt-9-someday", Chat),
        ("o3-mini", "openai", "o3-mini", Chat),
        ("claude-opus-4-5", "anthropic", "claude-opus-4-5", Messages),
        ("claude-someday", "anthropic", "claude-someday", Messages),
        ("gemini-2.5-pro", "vertex_ai", "gemini-2.5-pro", Gemini),
        (
            "gemini-flash-latest",
            "gemini",
            "gemini-flash-latest",
            Gemini,
        ),
        (
            "mistral-large-latest",
            "mistral",
            "mistral-large-latest",
            Chat,
        ),
        ("command-a-03-2025", "cohere", "command-a-03-2025", Cohere),
        ("deepseek-chat", "deepseek", "deepseek-chat", Chat),
        (
            "anthropic.claude-3-haiku-20240307-v1:0",
            "bedrock",
            "anthropic.claude-3-haiku-20240307-v1:0",
            Converse,
        ),
        (
            "us.anthropic.claude-opus-9-v1:0",
            "bedrock",
            "us.anthropic.claude-opus-9-v1:0",
            Converse,
        ),
    ] {
        let found = ModelName::parse(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            (found.provider(), found.model()),
            (provider, model),
            "{name}"
        );
        let endpoint = endpoint(name, Chat).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(endpoint.dialect(), spoken, "{name}");
    }
    for name in [
        "",
        "gtp-4o",
        "nobody/gpt-4o",
        "groq/",
        "bedrock/agent/ABC/DEF",
        "bedrock/us-west-2/",
        "meta-llama/Llama-3",
        "Groq/llama",
    ] {
        assert!(ModelName::parse(name).is_err(), "{name}");
    }
    let name =
        ModelName::parse("bedrock/arn:aws:bedrock:ap-south-1:1:inference-profile/x").unwrap();
    assert_eq!(name.region(), Some("ap-south-1"));
}

fn settings() -> Settings {
    [
        ("account", "acct"),
        ("location", "europe-west4"),
        ("product", "12"),
        ("project", "proj"),
        ("region", "us-east-1"),
        ("resource", "res"),
        ("tenant", "ten"),
    ]
    .into_iter()
    .fold(Settings::default(), |settings, (name, value)| {
        settings.with(name, value)
    })
}

fn endpoint(name: &str, from: Dialect) -> Result<Endpoint, Error> {
    let name = ModelName::parse(name)?;
    let providers = Providers::builtin();
    let provider = providers.get(name.provider()).ok_or(Error::Path)?;
    let base = provider
        .base_url()
        .is_none()
        .then_some("https://own.example");
    provider.endpoint(from, &name, base, &settings())
}

#[test]
fn a_request_goes_to_the_right_address() {
    use Dialect::{
        AnthropicCountTokens, AnthropicMessages, CohereRerank, Gemini, GeminiCountTokens,
        OpenAiChat, OpenAiCompletions, OpenAiEmbeddings, OpenAiModerations, OpenAiResponses,
    };
    for (name, from, whole, stream) in [
        (
            "openai/gpt-4o",
            OpenAiChat,
            "https://api.openai.com/v1/chat/completions",
            None,
        ),
        (
            "openai/gpt-4o",
            OpenAiResponses,
            "https://api.openai.com/v1/responses",
            None,
        ),
        (
            "openai/gpt-4o",
            AnthropicMessages,
            "https://api.openai.com/v1/chat/completions",
            None,
        ),
        (
            "openai/x",
            OpenAiEmbeddings,
            "https://api.openai.com/v1/embeddings",
            None,
        ),
        (
            "openai/x",
            OpenAiModerations,
            "https://api.openai.com/v1/moderations",
            None,
        ),
        (
            "text-completion-openai/davinci-002",
            OpenAiCompletions,
            "https://api.openai.com/v1/completions",
            None,
        ),
        (
            "anthropic/claude-opus-5",
            OpenAiChat,
            "https://api.anthropic.com/v1/messages",
            None,
        ),
        (
            "anthropic/claude-opus-5",
            OpenAiCompletions,
            "https://api.anthropic.com/v1/messages",
            None,
        ),
        (
            "anthropic/claude-opus-5",
            AnthropicCountTokens,
            "https://api.anthropic.com/v1/messages/count_tokens",
            None,
        ),
        (
            "azure/dep",
            OpenAiChat,
            "https://res.openai.azure.com/openai/v1/chat/completions",
            None,
        ),
        (
            "azure_ai/claude-opus-5",
            OpenAiChat,
            "https://res.services.ai.azure.com/anthropic/v1/messages",
            None,
        ),
        (
            "azure_ai/DeepSeek-V4",
            OpenAiChat,
            "https://res.services.ai.azure.com/openai/v1/chat/completions",
            None,
        ),
        (
            "bedrock/anthropic.claude-opus-5",
            OpenAiChat,
            "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-opus-5/converse",
            Some(
                "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-opus-5/converse-stream",
            ),
        ),
        (
            "bedrock/eu-west-1/anthropic.claude-opus-5",
            AnthropicMessages,
            "https://bedrock-runtime.eu-west-1.amazonaws.com/model/anthropic.claude-opus-5/invoke",
            Some(
                "https://bedrock-runtime.eu-west-1.amazonaws.com/model/anthropic.claude-opus-5/invoke-with-response-stream",
            ),
        ),
        (
            "bedrock/arn:aws:bedrock:us-west-2:1:provisioned-model/x",
            OpenAiChat,
            "https://bedrock-runtime.us-west-2.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aus-west-2%3A1%3Aprovisioned-model%2Fx/converse",
            Some(
                "https://bedrock-runtime.us-west-2.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aus-west-2%3A1%3Aprovisioned-model%2Fx/converse-stream",
            ),
        ),
        (
            "bedrock/cn-north-1/anthropic.claude-opus-5",
            OpenAiChat,
            "https://bedrock-runtime.cn-north-1.amazonaws.com.cn/model/anthropic.claude-opus-5/converse",
            Some(
                "https://bedrock-runtime.cn-north-1.amazonaws.com.cn/model/anthropic.claude-opus-5/converse-stream",
            ),
        ),
        (
            "bedrock/us.cohere.embed-v4:0",
            OpenAiEmbeddings,
            "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.cohere.embed-v4%3A0/invoke",
            None,
        ),
        (
            "vertex_ai/gemini-2.5-pro",
            OpenAiChat,
            "https://europe-west4-aiplatform.googleapis.com/v1/projects/proj/locations/europe-west4/publishers/google/models/gemini-2.5-pro:generateContent",
            Some(
                "https://europe-west4-aiplatform.googleapis.com/v1/projects/proj/locations/europe-west4/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
            ),
        ),
        (
            "vertex_ai/claude-opus-5",
            Gemini,
            "https://europe-west4-aiplatform.googleapis.com/v1/projects/proj/locations/europe-west4/publishers/anthropic/models/claude-opus-5:rawPredict",
            Some(
                "https://europe-west4-aiplatform.googleapis.com/v1/projects/proj/locations/europe-west4/publishers/anthropic/models/claude-opus-5:streamRawPredict",
            ),
        ),
        (
            "vertex_ai/meta/llama-4",
            OpenAiChat,
            "https://europe-west4-aiplatform.googleapis.com/v1/projects/proj/locations/europe-west4/endpoints/openapi/chat/completions",
            None,
        ),
        (
            "gemini/gemini-2.5-flash",
            OpenAiChat,
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent",
            Some(
                "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
            ),
        ),
        (
            "gemini/g",
            AnthropicCountTokens,
            "https://generativelanguage.googleapis.com/v1beta/models/g:countTokens",
            None,
        ),
        (
            "gemini/g",
            GeminiCountTokens,
            "https://generativelanguage.googleapis.com/v1beta/models/g:countTokens",
            None,
        ),
        (
            "gemini/g",
            OpenAiEmbeddings,
            "https://generativelanguage.googleapis.com/v1beta/models/g:batchEmbedContents",
            None,
        ),
        (
            "cohere/command-a-03-2025",
            OpenAiChat,
            "https://api.cohere.com/v2/chat",
            None,
        ),
        (
            "cohere/embed-v4.0",
            OpenAiEmbeddings,
            "https://api.cohere.com/v2/embed",
            None,
        ),
        (
            "groq/x",
            AnthropicCountTokens,
            "https://api.groq.com/openai/v1/chat/completions",
            None,
        ),
        (
            "gemini/tunedModels/mine",
            Gemini,
            "https://generativelanguage.googleapis.com/v1beta/tunedModels/mine:generateContent",
            Some(
                "https://generativelanguage.googleapis.com/v1beta/tunedModels/mine:streamGenerateContent?alt=sse",
            ),
        ),
        (
            "vertex_ai/text-embedding-005",
            OpenAiEmbeddings,
            "https://europe-west4-aiplatform.googleapis.com/v1/projects/proj/locations/europe-west4/publishers/google/models/text-embedding-005:predict",
            None,
        ),
        (
            "bedrock/amazon.titan-embed-text-v2:0",
            OpenAiEmbeddings,
            "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.titan-embed-text-v2%3A0/invoke",
            None,
        ),
        (
            "mistral/mistral-moderation-latest",
            OpenAiModerations,
            "https://api.mistral.ai/v1/moderations",
            None,
        ),
        (
            "tei/bge-reranker",
            CohereRerank,
            "https://own.example/rerank",
            None,
        ),
        (
            "cohere/rerank-v3.5",
            CohereRerank,
            "https://api.cohere.com/v2/rerank",
            None,
        ),
        (
            "ollama/llama3",
            OpenAiChat,
            "http://localhost:11434/api/chat",
            None,
        ),
        (
            "ollama/llama3",
            AnthropicMessages,
            "http://localhost:11434/v1/messages",
            None,
        ),
        (
            "ollama/nomic",
            OpenAiEmbeddings,
            "http://localhost:11434/api/embed",
            None,
        ),
        (
            "groq/openai/gpt-oss-120b",
            OpenAiChat,
            "https://api.groq.com/openai/v1/chat/completions",
            None,
        ),
        (
            "openrouter/a/b",
            CohereRerank,
            "https://openrouter.ai/api/v1/rerank",
            None,
        ),
        (
            "deepseek/deepseek-v4-pro",
            AnthropicMessages,
            "https://api.deepseek.com/anthropic/v1/messages",
            None,
        ),
        (
            "cloudflare/@cf/m",
            OpenAiChat,
            "https://api.cloudflare.com/client/v4/accounts/acct/ai/v1/chat/completions",
            None,
        ),
        (
            "predibase/llama-3",
            OpenAiChat,
            "https://serving.app.predibase.com/ten/deployments/v2/llms/llama-3/v1/chat/completions",
            None,
        ),
    ] {
        let there = endpoint(name, from).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(there.url(false), whole, "{name}");
        assert_eq!(there.url(true), stream.unwrap_or(whole), "{name}, streamed");
    }
    assert_eq!(
        endpoint("bedrock/invoke/anthropic.claude-opus-5", OpenAiChat)
            .unwrap()
            .envelope(),
        Envelope::Bedrock
    );
    assert_eq!(
        endpoint("vertex_ai/claude-opus-5", OpenAiChat)
            .unwrap()
            .envelope(),
        Envelope::Vertex
    );
    assert_eq!(
        endpoint("vertex_ai/gemini-2.5-pro", OpenAiChat)
            .unwrap()
            .envelope(),
        Envelope::Plain
    );
    let key = Auth::Header("x-api-key".parse().unwrap());
    assert_eq!(
        endpoint("azure_ai/claude-opus-5", OpenAiChat)
            .unwrap()
            .auth(),
        &key
    );
    assert_eq!(
        endpoint("azure_ai/DeepSeek-V4", OpenAiChat).unwrap().auth(),
        &Auth::Azure
    );
}

#[test]
fn azures_surfaces_are_told_by_the_version() {
    let azure = Providers::builtin().get("azure").unwrap().clone();
    let name = ModelName::parse("azure/my dep").unwrap();
    for (version, base, path) in [
        (
            "2024-10-21",
            None,
            "/openai/deployments/my%20dep/chat/completions?api-version=2024-10-21",
        ),
        ("v1", None, "/openai/v1/chat/completions"),
        ("latest", None, "/openai/v1/chat/completions"),
        ("", None, "/openai/v1/chat/completions"),
        (
            "preview",
            None,
            "/openai/v1/chat/completions?api-version=preview",
        ),
        (
            "2024-10-21",
            Some("https://x.example/"),
            "/openai/deployments/my%20dep/chat/completions?api-version=2024-10-21",
        ),
        (
            "2024-10-21",
            Some("https://x.example/openai"),
            "/openai/deployments/my%20dep/chat/completions?api-version=2024-10-21",
        ),
        (
            "v1",
            Some("https://x.example/openai/v1/"),
            "/openai/v1/chat/completions",
        ),
        (
            "v1",
            Some("https://x.example/proxy"),
            "/proxy/openai/v1/chat/completions",
        ),
    ] {
        let settings = Settings::default()
            .with("resource", "x")
            .api_version(version);
        let there = azure
            .endpoint(Dialect::OpenAiChat, &name, base, &settings)
            .unwrap();
        assert_eq!(there.path(false).as_str(), path, "{version} {base:?}");
        let origin = if base.is_some() {
            "https://x.example"
        } else {
            "https://x.openai.azure.com"
        };
        assert_eq!(there.origin(), origin);
    }
}

#[test]
fn what_is_missing_or_not_spoken_is_told() {
    let providers = Providers::builtin();
    let ask = |name: &str, from, settings: Settings| {
        let name = ModelName::parse(name).unwrap();
        providers
            .get(name.provider())
            .unwrap()
            .endpoint(from, &name, None, &settings)
    };
    let none = Settings::default;
    for (name, missing) in [
        ("bedrock/anthropic.claude-opus-5", "region"),
        ("azure/d", "resource"),
        ("cloudflare/m", "account"),
    ] {
        assert!(
            matches!(ask(name, Dialect::OpenAiChat, none()), Err(Error::Setting { name, .. }) if name == missing),
            "{name}"
        );
    }
    let half = none().with("location", "global");
    assert!(
        matches!(ask("vertex_ai/gemini-x", Dialect::OpenAiChat, half), Err(Error::Setting { name, .. }) if name == "project")
    );
    assert!(matches!(
        ask("hosted_vllm/m", Dialect::OpenAiChat, none()),
        Err(Error::Base { .. })
    ));
    for (name, from) in [
        ("anthropic/claude-opus-5", Dialect::OpenAiEmbeddings),
        ("groq/x", Dialect::CohereRerank),
        ("groq/x", Dialect::OpenAiModerations),
        ("openai/x", Dialect::Json),
        ("bedrock/invoke/amazon.nova-pro-v1:0", Dialect::OpenAiChat),
    ] {
        let found = ask(name, from, none());
        assert!(
            matches!(found, Err(Error::Unspoken { .. })),
            "{name}: {found:?}"
        );
    }
    for location in ["global", "us", "eu"] {
        let settings = none().with("project", "p").with("location", location);
        let there = ask("vertex_ai/gemini-x", Dialect::Gemini, settings).unwrap();
        assert!(
            there.origin().ends_with("aiplatform.googleapis.com")
                || there.origin().contains(&format!(".{location}.rep."))
        );
        assert!(
            !there.origin().contains(&format!("{location}-")),
            "{}",
            there.origin()
        );
    }
}

#[test]
fn a_provider_of_ones_own_is_as_good_as_any() {
    let house = Provider::builder("house")
        .base_url("http://llm.internal:8000")
        .set("auth", "header x-house-key")
        .set("also", "home")
        .set("route", "openai_chat for big-* at /big/{model}/chat")
        .set("route", "openai_chat for * at /v1/chat/completions")
        .set("rename", "max_completion_tokens > max_tokens")
        .set("refuse", "n, logprobs")
        .set("quirks", "no_stream_options, alternating_roles")
        .set("max_temperature", "1")
        .set("region", "de")
        .build()
        .unwrap();
    let providers = Providers::builtin().with(house);
    let name = providers.model("home/big-one").unwrap();
    assert_eq!(name.provider(), "house");
    let provider = providers.get("house").unwrap();
    let there = provider
        .endpoint(Dialect::OpenAiChat, &name, None, &Settings::default())
        .unwrap();
    assert_eq!(
        there.url(false),
        "http://llm.internal:8000/big/big-one/chat"
    );
    let quirks = provider.quirks();
    assert!(
        quirks.has(Quirk::NoStreamOptions)
            && quirks.has(Quirk::AlternatingRoles)
            && !quirks.has(Quirk::SystemFirst)
    );
    assert!(quirks.refuses("n") && quirks.refuses("logprobs") && !quirks.drops("n"));
    assert!((quirks.hottest() - 1.0).abs() < f64::EPSILON);

    let twin = Providers::builtin()
        .read("[twin]\nlike = azure\nbase = https://twin.example")
        .unwrap();
    let name = twin.model("twin/d").unwrap();
    let there = twin
        .get("twin")
        .unwrap()
        .endpoint(Dialect::OpenAiChat, &name, None, &Settings::default())
        .unwrap();
    assert_eq!(
        (there.url(false).as_str(), there.auth()),
        (
            "https://twin.example/openai/v1/chat/completions",
            &Auth::Azure
        )
    );
}

#[test]
fn models_are_known_by_what_translations_need() {
    let facts = ModelFacts::default();
    for (name, thinking, sampling, vision) in [
        ("claude-opus-4-5-20251101", Thinking::Budget, true, true),
        (
            "us.anthropic.claude-opus-4-6-v1",
            Thinking::Adaptive,
            true,
            true,
        ),
        ("claude-3-7-sonnet@20250219", Thinking::Budget, true, true),
        ("gpt-4o", Thinking::None, true, true),
        ("o3-mini", Thinking::Adaptive, false, false),
        ("gpt-5.2", Thinking::Adaptive, true, true),
        ("gemini-2.5-flash", Thinking::Budget, true, true),
        ("gemini-3-flash-preview", Thinking::Adaptive, true, true),
        ("mistral-large-latest", Thinking::None, true, true),
    ] {
        let model = facts
            .of(name)
            .unwrap_or_else(|| panic!("{name} is not known"));
        assert_eq!(
            (model.thinking, model.sampling, model.vision),
            (thinking, sampling, vision),
            "{name}"
        );
        assert!(model.tools && model.max_output > 0, "{name}");
        assert_eq!(
            model.thinking == Thinking::Adaptive,
            !model.efforts.is_empty(),
            "{name}"
        );
    }
    assert!(
        facts
            .of("gpt-5.2")
            .unwrap()
            .efforts
            .contains(&Effort::XHigh)
    );
    assert_eq!(
        facts.of("text-embedding-3-small").unwrap().purpose,
        Purpose::Embedding
    );
    let price = |name: &str| {
        facts
            .served(&ModelName::parse(name).unwrap())
            .unwrap()
            .prices
            .input
            .unwrap()
            .to_string()
    };
    assert_eq!(price("anthropic/claude-sonnet-4-5-20250929"), "0.000003");
    assert_eq!(price("openai/gpt-4o"), "0.0000025");
    assert!(
        facts.served(&ModelName::new("groq", "gpt-4o")).is_none(),
        "another's price"
    );
}

#[test]
fn the_page_of_providers_is_made_of_the_table() {
    const PAGE: &str = include_str!("../../../docs/providers.md");
    let made = providers_doc::rewritten(PAGE).unwrap();
    assert!(made == PAGE, "run `cargo xtask providers-doc`");
    for quirk in Quirk::ALL {
        assert!(PAGE.contains(&format!("| `{}` |", quirk.as_str())));
    }
}

/// The addresses that real calls went to.
#[test]
fn recorded_calls_went_where_the_catalogue_sends_them() {
    use Dialect::{
        AnthropicCountTokens, AnthropicMessages, BedrockConverse, CohereChat, CohereEmbed,
        CohereRerank, Gemini, GeminiCountTokens, OpenAiChat, OpenAiCompletions, OpenAiEmbeddings,
        OpenAiModerations, OpenAiResponses,
    };
    let mut seen = 0;
    for (file, provider, dialect) in [
        ("anthropic.count_tokens", "anthropic", AnthropicCountTokens),
        ("anthropic.messages", "anthropic", AnthropicMessages),
        ("azure.embeddings", "azure_ai", OpenAiEmbeddings),
        ("azure.responses", "azure_ai", OpenAiResponses),
        ("bedrock.chat", "bedrock_mantle", OpenAiChat),
        ("bedrock.converse", "bedrock", BedrockConverse),
        ("bedrock.responses", "bedrock_mantle", OpenAiResponses),
        ("cohere.chat_v2", "cohere", CohereChat),
        ("cohere.embeddings", "cohere", CohereEmbed),
        ("cohere.rerank", "cohere", CohereRerank),
        ("deepseek.chat", "deepseek", OpenAiChat),
        ("deepseek.responses", "deepseek", OpenAiResponses),
        ("gemini.count_tokens", "gemini", GeminiCountTokens),
        ("gemini.generateContent", "gemini", Gemini),
        ("mistral.chat", "mistral", OpenAiChat),
        ("mistral.embeddings", "mistral", OpenAiEmbeddings),
        ("openai.chat", "openai", OpenAiChat),
        ("openai.completions", "openai", OpenAiCompletions),
        ("openai.embeddings", "openai", OpenAiEmbeddings),
        ("openai.moderations", "openai", OpenAiModerations),
        ("openai.responses", "openai", OpenAiResponses),
        ("openrouter.chat", "openrouter", OpenAiChat),
        ("openrouter.embeddings", "openrouter", OpenAiEmbeddings),
        ("openrouter.rerank", "openrouter", CohereRerank),
        ("perplexity.chat", "perplexity", OpenAiChat),
        ("perplexity.embeddings", "perplexity", OpenAiEmbeddings),
        ("xai.responses", "xai", OpenAiResponses),
    ] {
        for call in recorded(file) {
            let text = |field: &str| {
                call["request"][field]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            };
            let (host, path) = (text("host"), text("path"));
            // Calls beside the API that the file is of: lists, files, cancellations.
            if text("method") != "POST"
                || path.contains("/input_tokens")
                || path.contains("/cancel")
            {
                continue;
            }
            // What was recorded of an account's own was taken out.
            let host = host
                .replace("<AWS_REGION>", "us-east-1")
                .replace("rubyllm.", "res.");
            let model = path
                .split_once("/models/")
                .and_then(|(_, rest)| rest.split(':').next())
                .or_else(|| {
                    path.strip_prefix("/model/")
                        .and_then(|rest| rest.split("/converse").next())
                })
                .unwrap_or("m");
            let model = percent_decode_str(model).decode_utf8_lossy();
            let name = ModelName::new(provider, &model);
            let providers = Providers::builtin();
            let there = providers
                .get(provider)
                .unwrap()
                .endpoint(dialect, &name, None, &settings())
                .unwrap();
            let stream = call["stream"].as_bool().unwrap_or_default();
            let ours = percent_decode_str(there.path(stream).path())
                .decode_utf8_lossy()
                .into_owned();
            let theirs =
                percent_decode_str(path.split('?').next().unwrap_or_default()).decode_utf8_lossy();
            seen += 1;
            assert_eq!(
                (there.origin(), ours.as_str()),
                (format!("https://{host}").as_str(), &*theirs),
                "{file}"
            );
        }
    }
    // None where there are no recordings.
    assert!(seen == 0 || seen > 500, "{seen}");
}

proptest! {
    #[test]
    fn no_models_name_leaves_its_place(model in "[ -~]{1,40}", which in 0_usize..12) {
        let slugs = [
            "openai", "anthropic", "azure", "azure_ai", "bedrock", "vertex_ai", "gemini", "cohere", "ollama", "predibase", "cloudflare", "groq",
        ];
        let slug = slugs[which];
        let providers = Providers::builtin();
        let provider = providers.get(slug).unwrap();
        let settings = settings().api_version("2024-10-21");
        let usual = provider.endpoint(Dialect::OpenAiChat, &ModelName::new(slug, "m"), None, &settings).unwrap();
        match provider.endpoint(Dialect::OpenAiChat, &ModelName::new(slug, &model), None, &settings) {
            Ok(there) => {
                prop_assert_eq!(there.origin(), usual.origin());
                for stream in [false, true] {
                    let path = there.path(stream);
                    let segments: Vec<&str> = path.path().split('/').skip(1).collect();
                    prop_assert!(segments.iter().all(|segment| !matches!(*segment, "" | "." | "..")), "{}", path);
                    prop_assert!(!path.as_str().contains(['#', ' ', '\\']), "{}", path);
                }
                // Another family of models may go another way; one way keeps its form.
                if there.dialect() == usual.dialect() && slug != "vertex_ai" && slug != "gemini" {
                    let count = |endpoint: &Endpoint| endpoint.path(true).path().matches('/').count();
                    prop_assert_eq!(count(&there), count(&usual));
                    prop_assert_eq!(there.path(true).query(), usual.path(true).query());
                }
            }
            Err(error) => prop_assert!(matches!(error, Error::Climbs), "{}", error),
        }
    }

    #[test]
    fn no_text_panics(name in ".{0,60}", table in "(\\[[a-z]{0,3}\\]?\n|[a-z_]{0,8} ?= ?[ -~]{0,20}\n){0,6}") {
        let _ = Providers::builtin().model(&name);
        let _ = Providers::none().read(&table);
        let facts = ModelFacts::default();
        let _ = facts.of(&name);
        let _ = facts.served(&ModelName::new("openai", &name));
    }
}
