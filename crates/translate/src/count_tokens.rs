//! Counts of a request's tokens, before it is sent.
//!
//! A provider that counts is asked in its own words. For one that does not, the answer is an estimate, and says so: in its member
//! `bartizan_estimated` and in the header [`ESTIMATED`].

use bartizan_core::{Body, Dialect, Document, Refusal, RefusalKind, RequestEstimate};
use http::{HeaderName, HeaderValue, Response, header};

use crate::dialects::{To, unsupported};
use crate::losses::Losses;
use crate::neutral::Ask;
use crate::read::{Unknown, member};
use crate::whole::{Question, Retell, Retold};
use crate::write::Writer;
use crate::{anthropic, gemini};

/// The response header that names what of an answer nobody counted.
pub const ESTIMATED: HeaderName = HeaderName::from_static("x-bartizan-estimated");

/// Whether `dialect` asks for a count.
pub(crate) const fn counts(dialect: Dialect) -> bool {
    matches!(
        dialect,
        Dialect::AnthropicCountTokens | Dialect::GeminiCountTokens
    )
}

/// How a provider that serves `dialect` is asked for a count.
pub(crate) const fn counting(dialect: Dialect) -> Option<Dialect> {
    match dialect {
        Dialect::AnthropicMessages | Dialect::AnthropicCountTokens => {
            Some(Dialect::AnthropicCountTokens)
        }
        Dialect::Gemini | Dialect::GeminiCountTokens => Some(Dialect::GeminiCountTokens),
        _ => None,
    }
}

fn decode<'a>(
    document: &'a Document,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Ask<'a>, Refusal> {
    match document.dialect() {
        Dialect::AnthropicCountTokens => anthropic::decode_ask(document, policy, losses),
        Dialect::GeminiCountTokens => gemini::decode_count(document, policy, losses),
        from => Err(unsupported(from)),
    }
}

/// Asks a provider of another dialect for a count.
pub(crate) fn question(
    document: &Document,
    policy: Unknown,
    to: To<'_>,
    losses: &mut Losses,
) -> Result<Question, Refusal> {
    let ask = decode(document, policy, losses)?;
    let text = match to.dialect {
        Dialect::AnthropicCountTokens => anthropic::encode_count(&ask, to, losses)?,
        Dialect::GeminiCountTokens => gemini::encode_count(&ask, to, losses)?,
        to => return Err(unsupported(to)),
    };
    Ok(Question {
        text,
        names: ask.names,
        retell: Box::new(Count {
            outer: document.dialect(),
        }),
    })
}

#[derive(Debug)]
struct Count {
    outer: Dialect,
}

impl Retell for Count {
    fn retell(&self, reply: &Document) -> Option<Retold> {
        let root = reply.json().root();
        let count = member(root, "input_tokens")
            .or_else(|| member(root, "totalTokens"))?
            .as_u64()?;
        let text = tell(self.outer, count, false);
        let losses = Losses::default();
        Some(Retold { text, losses })
    }
}

/// `tokens` in a client's dialect.
fn tell(dialect: Dialect, tokens: u64, estimated: bool) -> String {
    let mut out = Writer::default();
    out.open();
    match dialect {
        Dialect::GeminiCountTokens => out.number_at("totalTokens", tokens),
        _ => out.number_at("input_tokens", tokens),
    }
    if estimated {
        out.raw_at("bartizan_estimated", "true");
    }
    out.close();
    out.finish()
}

/// Answers a count that nobody can be asked for.
pub(crate) fn estimate(document: &Document) -> Result<Response<Body>, Refusal> {
    let tokens = RequestEstimate::of(document).tokens();
    let text = tell(document.dialect(), tokens, true);
    let length = HeaderValue::from(text.len());
    Response::builder()
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONTENT_LENGTH, length)
        .header(ESTIMATED, "tokens")
        .body(Body::from(text))
        .map_err(|_| {
            Refusal::new(
                RefusalKind::Internal,
                "internal",
                "the answer can't be made",
            )
        })
}
