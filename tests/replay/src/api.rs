//! The APIs of chats, and which of them the recorded exchanges speak.

use bartizan_core::Dialect;

/// An API that is answered with what a model said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Api {
    /// OpenAI chat completions.
    Chat,
    /// OpenAI responses.
    Responses,
    /// OpenAI completions.
    Completions,
    /// Anthropic messages.
    Anthropic,
    /// Gemini generateContent.
    Gemini,
    /// Amazon Bedrock Converse.
    Converse,
    /// Cohere chat, version 2.
    Cohere,
    /// Ollama's own chat.
    Ollama,
}

/// Those that clients speak.
pub const IN: [Api; 5] = [
    Api::Chat,
    Api::Responses,
    Api::Completions,
    Api::Anthropic,
    Api::Gemini,
];

/// Those that providers speak.
pub const OUT: [Api; 8] = [
    Api::Chat,
    Api::Responses,
    Api::Completions,
    Api::Anthropic,
    Api::Gemini,
    Api::Converse,
    Api::Cohere,
    Api::Ollama,
];

/// The files of recorded exchanges, and what is spoken in each.
pub const FILES: [(&str, Api); 19] = [
    ("openai.chat", Api::Chat),
    ("azure.chat", Api::Chat),
    ("bedrock.chat", Api::Chat),
    ("deepseek.chat", Api::Chat),
    ("mistral.chat", Api::Chat),
    ("ollama.chat", Api::Chat),
    ("openrouter.chat", Api::Chat),
    ("perplexity.chat", Api::Chat),
    ("openai.responses", Api::Responses),
    ("azure.responses", Api::Responses),
    ("bedrock.responses", Api::Responses),
    ("deepseek.responses", Api::Responses),
    ("xai.responses", Api::Responses),
    ("openai.completions", Api::Completions),
    ("anthropic.messages", Api::Anthropic),
    ("gemini.generateContent", Api::Gemini),
    ("vertex.generateContent", Api::Gemini),
    ("bedrock.converse", Api::Converse),
    ("cohere.chat_v2", Api::Cohere),
];

impl Api {
    /// Its name in paths of the replay server and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.dialect().as_str()
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        OUT.into_iter().find(|api| api.name() == name)
    }

    /// What the crates call it.
    #[must_use]
    pub fn dialect(self) -> Dialect {
        match self {
            Self::Chat => Dialect::OpenAiChat,
            Self::Responses => Dialect::OpenAiResponses,
            Self::Completions => Dialect::OpenAiCompletions,
            Self::Anthropic => Dialect::AnthropicMessages,
            Self::Gemini => Dialect::Gemini,
            Self::Converse => Dialect::BedrockConverse,
            Self::Cohere => Dialect::CohereChat,
            Self::Ollama => Dialect::OllamaChat,
        }
    }

    /// Where a request of it is posted.
    #[must_use]
    pub fn path(self, model: &str, stream: bool) -> String {
        match (self, stream) {
            (Self::Chat, _) => "/v1/chat/completions".to_owned(),
            (Self::Responses, _) => "/v1/responses".to_owned(),
            (Self::Completions, _) => "/v1/completions".to_owned(),
            (Self::Anthropic, _) => "/v1/messages".to_owned(),
            (Self::Gemini, false) => format!("/v1beta/models/{model}:generateContent"),
            (Self::Gemini, true) => {
                format!("/v1beta/models/{model}:streamGenerateContent?alt=sse")
            }
            (Self::Converse, false) => format!("/model/{model}/converse"),
            (Self::Converse, true) => format!("/model/{model}/converse-stream"),
            (Self::Cohere, _) => "/v2/chat".to_owned(),
            (Self::Ollama, _) => "/api/chat".to_owned(),
        }
    }

    /// What a provider's model is called there, where the exchange doesn't say.
    #[must_use]
    pub fn model(self) -> &'static str {
        match self {
            Self::Chat | Self::Responses => "gpt-5.1",
            Self::Completions => "gpt-3.5-turbo-instruct",
            Self::Anthropic => "claude-sonnet-4-5",
            Self::Gemini => "gemini-2.5-flash",
            Self::Converse => "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            Self::Cohere => "command-a-03-2025",
            Self::Ollama => "gpt-oss:20b",
        }
    }
}
