//! Reading a provider's answer.

use bartizan_core::Document;
use bartizan_core::json::{Kind, Value};

use super::numbers::Numbers;
use super::to_client::FORMS;
use crate::losses::Losses;
use crate::neutral::Str;
use crate::read::member;

#[derive(Debug, Default)]
pub(super) struct Answer<'a> {
    pub(super) id: Option<Str<'a>>,
    pub(super) model: Option<Str<'a>>,
    /// The vectors in the order of the inputs, by the form that they have.
    pub(super) forms: Vec<(&'static str, Vec<Numbers<'a>>)>,
    /// Tokens of the input, where the provider counts them.
    pub(super) tokens: Option<u64>,
    pub(super) losses: Losses,
}

impl<'a> Answer<'a> {
    pub(super) fn form(&self, name: &str) -> Option<&[Numbers<'a>]> {
        let found = self.forms.iter().find(|(form, _)| *form == name);
        found.map(|(_, vectors)| vectors.as_slice())
    }

    /// How many there are, where all forms agree; else a number that nobody wanted.
    pub(super) fn vectors(&self) -> usize {
        let mut counts = self.forms.iter().map(|(_, vectors)| vectors.len());
        let first = counts.next().unwrap_or(0);
        if counts.all(|count| count == first) {
            first
        } else {
            0
        }
    }
}

/// Whose answer it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Provider {
    OpenAi {
        /// Whether its base64 is of signed bytes.
        int8: bool,
    },
    Gemini,
    Vertex,
    Cohere,
    Ollama,
    Titan,
    Nova,
}

impl Provider {
    /// `None` where there are no vectors in it.
    pub(super) fn read(self, reply: &Document) -> Option<Answer<'_>> {
        let root = reply.json().root();
        let mut answer = Answer {
            id: text(root, "id"),
            model: text(root, "model"),
            ..Answer::default()
        };
        match self {
            Self::OpenAi { int8 } => {
                let vectors = openai(root)?.into_iter().map(|vector| match vector {
                    Numbers::Base64(text) if int8 => Numbers::Int8(text),
                    vector => vector,
                });
                answer.floats(vectors.collect());
                answer.tokens = member(root, "usage").and_then(|usage| {
                    count(usage, "prompt_tokens").or_else(|| count(usage, "total_tokens"))
                });
            }
            Self::Gemini => {
                let one = member(root, "embedding").into_iter();
                let many = member(root, "embeddings")
                    .into_iter()
                    .flat_map(Value::items);
                answer.floats(
                    one.chain(many)
                        .map(|item| numbers(item, "values"))
                        .collect::<Option<_>>()?,
                );
                answer.tokens = member(root, "usageMetadata").and_then(|usage| {
                    count(usage, "promptTokenCount").or_else(|| count(usage, "totalTokenCount"))
                });
            }
            Self::Vertex => vertex(root, &mut answer)?,
            Self::Cohere => cohere(root, &mut answer)?,
            Self::Ollama => {
                answer.floats(list(member(root, "embeddings")?)?);
                answer.tokens = count(root, "prompt_eval_count");
            }
            Self::Titan => {
                let by_type = member(root, "embeddingsByType");
                let vector = numbers(root, "embedding").or_else(|| numbers(by_type?, "float"))?;
                answer.floats(vec![vector]);
                answer.tokens = count(root, "inputTextTokenCount");
            }
            Self::Nova => {
                let items = member(root, "embeddings")?.items();
                answer.floats(
                    items
                        .map(|item| numbers(item, "embedding"))
                        .collect::<Option<_>>()?,
                );
            }
        }
        Some(answer)
    }
}

impl<'a> Answer<'a> {
    fn floats(&mut self, vectors: Vec<Numbers<'a>>) {
        self.forms.push(("float", vectors));
    }
}

/// By their indices, which need not stand in order; without them as they stand.
fn openai(root: Value<'_>) -> Option<Vec<Numbers<'_>>> {
    let data: Vec<Value<'_>> = member(root, "data")?.items().collect();
    let mut placed: Vec<Option<Numbers<'_>>> = Vec::new();
    placed.resize_with(data.len(), || None);
    for (at, item) in data.into_iter().enumerate() {
        let index = match member(item, "index") {
            Some(index) => usize::try_from(index.as_u64()?).ok()?,
            None => at,
        };
        let place = placed.get_mut(index).filter(|place| place.is_none())?;
        *place = Some(numbers(item, "embedding")?);
    }
    placed.into_iter().collect()
}

fn vertex<'a>(root: Value<'a>, answer: &mut Answer<'a>) -> Option<()> {
    let mut vectors = Vec::new();
    for prediction in member(root, "predictions")?.items() {
        let embeddings = member(prediction, "embeddings")?;
        vectors.push(numbers(embeddings, "values")?);
        let Some(statistics) = member(embeddings, "statistics") else {
            continue;
        };
        if let Some(count) = count(statistics, "token_count") {
            answer.tokens = Some(answer.tokens.unwrap_or(0).saturating_add(count));
        }
        if member(statistics, "truncated").and_then(Value::as_bool) == Some(true) {
            answer.losses.dropped("statistics.truncated");
        }
    }
    answer.floats(vectors);
    Some(())
}

/// A list, or lists by their form.
fn cohere<'a>(root: Value<'a>, answer: &mut Answer<'a>) -> Option<()> {
    let embeddings = member(root, "embeddings")?;
    if embeddings.kind() == Kind::Array {
        answer.floats(list(embeddings)?);
    }
    for form in FORMS {
        // A form that was not asked for may be there, empty.
        if let Some(vectors) = member(embeddings, form).filter(|list| list.items().next().is_some())
        {
            answer.forms.push((form, list(vectors)?));
        }
    }
    if let Some(meta) = member(root, "meta") {
        let billed = member(meta, "billed_units");
        let counted = |name| billed.and_then(|billed| count(billed, name));
        answer.tokens = match (counted("input_tokens"), counted("image_tokens")) {
            (None, None) => None,
            (texts, images) => Some(texts.unwrap_or(0).saturating_add(images.unwrap_or(0))),
        };
        if member(meta, "warnings").is_some_and(|warnings| warnings.items().next().is_some()) {
            answer.losses.dropped("meta.warnings");
        }
    }
    (!answer.forms.is_empty()).then_some(())
}

fn list(value: Value<'_>) -> Option<Vec<Numbers<'_>>> {
    value.items().map(Numbers::read).collect()
}

fn numbers<'a>(from: Value<'a>, key: &str) -> Option<Numbers<'a>> {
    member(from, key).and_then(Numbers::read)
}

fn text<'a>(from: Value<'a>, key: &str) -> Option<Str<'a>> {
    member(from, key).and_then(Value::text)
}

fn count(from: Value<'_>, key: &str) -> Option<u64> {
    member(from, key).and_then(Value::as_u64)
}
