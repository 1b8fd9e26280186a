//! What a refusal says in each API: the body of an answer, and the event in the middle of a stream.

use super::{Again, Refusal, whole_seconds};
use crate::dialect::Dialect;
use crate::event::Event;
use crate::json::quote;

impl Refusal {
    /// The body of the answer that says this in `dialect`; empty in gRPC, which says it in headers.
    #[must_use]
    pub fn body(&self, dialect: Dialect) -> String {
        match dialect {
            Dialect::AnthropicMessages | Dialect::AnthropicCountTokens => self.anthropic_body(),
            Dialect::Gemini
            | Dialect::GeminiCountTokens
            | Dialect::GeminiEmbeddings
            | Dialect::VertexPredict => self.gemini_body(dialect),
            Dialect::BedrockConverse | Dialect::AmazonEmbed => {
                format!(r#"{{"message":{}}}"#, quote(&self.message))
            }
            Dialect::CohereChat | Dialect::CohereEmbed | Dialect::CohereRerank => format!(
                r#"{{"message":{},"error_type":{}}}"#,
                quote(&self.message),
                quote(self.code),
            ),
            Dialect::OllamaChat | Dialect::OllamaEmbed | Dialect::TeiRerank => {
                format!(r#"{{"error":{}}}"#, quote(&self.message))
            }
            Dialect::Grpc => String::new(),
            _ => self.openai_body(),
        }
    }

    /// The event that says this in the middle of a stream of `dialect`. Nothing may follow it.
    #[must_use]
    pub fn event(&self, dialect: Dialect) -> Event {
        self.event_after(0, dialect)
    }

    /// As [`event`](Self::event), after so many events of the stream: OpenAI's responses number theirs, without a gap.
    #[must_use]
    pub fn event_after(&self, events: u64, dialect: Dialect) -> Event {
        match dialect {
            Dialect::AnthropicMessages => Event::new(Some("error"), &self.anthropic_body()),
            Dialect::OpenAiResponses => {
                // As the API's own error event, and with the member at which OpenAI's SDKs raise.
                let data = format!(
                    r#"{{"type":"error","code":{},"message":{},"param":{},"sequence_number":{events},{}"#,
                    quote(self.code),
                    quote(&self.message),
                    self.quoted_param(),
                    self.openai_body().trim_start_matches('{'),
                );
                Event::new(Some("error"), &data)
            }
            Dialect::CohereChat => {
                // The only event in which Cohere's SDKs look for an error; all others they take for what they know.
                let data = format!(
                    r#"{{"type":"message-end","delta":{{"finish_reason":"ERROR","error":{}}}}}"#,
                    quote(&self.message),
                );
                Event::new(Some("message-end"), &data)
            }
            Dialect::BedrockConverse => {
                let exception = self.kind.bedrock_stream_exception();
                let data = format!(r#"{{"{exception}":{}}}"#, self.body(dialect));
                Event::new(Some(exception), &data)
            }
            _ => Event::new(None, &self.body(dialect)),
        }
    }

    fn openai_body(&self) -> String {
        // The one code that OpenAI has for a type too.
        let kind = match self.code {
            "insufficient_quota" => self.code,
            _ => self.kind.openai_type(),
        };
        format!(
            r#"{{"error":{{"message":{},"type":{},"param":{},"code":{}}}}}"#,
            quote(&self.message),
            quote(kind),
            self.quoted_param(),
            quote(self.code),
        )
    }

    fn anthropic_body(&self) -> String {
        format!(
            r#"{{"type":"error","error":{{"type":{},"message":{}}}}}"#,
            quote(self.kind.anthropic_type()),
            quote(&self.message),
        )
    }

    /// `google.rpc.Status`: code, field and wait stand in the details that Google has for them.
    fn gemini_body(&self, dialect: Dialect) -> String {
        let mut details = format!(
            r#"{{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":{},"domain":"bartizan"}}"#,
            quote(self.code),
        );
        if let Some(param) = &self.param {
            details.push_str(&format!(
                r#",{{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{{"field":{}}}]}}"#,
                quote(param),
            ));
        }
        if let Again::After(after) = self.again {
            details.push_str(&format!(
                r#",{{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"{}s"}}"#,
                whole_seconds(after),
            ));
        }
        format!(
            r#"{{"error":{{"code":{},"message":{},"status":"{}","details":[{details}]}}}}"#,
            self.status_in(dialect).as_u16(),
            quote(&self.message),
            self.kind.google_status(),
        )
    }

    fn quoted_param(&self) -> String {
        self.param
            .as_deref()
            .map_or_else(|| "null".to_owned(), quote)
    }
}
