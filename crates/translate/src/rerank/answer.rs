//! Reading a provider's answer, and writing Cohere's.

use bartizan_core::Document;
use bartizan_core::json::{Kind, Value};

use crate::losses::Losses;
use crate::neutral::Str;
use crate::read::member;
use crate::write::Writer;

#[derive(Debug, Default)]
pub(super) struct Answer<'a> {
    id: Option<Str<'a>>,
    /// Best first.
    pub(super) results: Vec<Rank<'a>>,
    searches: Option<&'a str>,
    tokens: Option<u64>,
    pub(super) losses: Losses,
}

#[derive(Debug)]
pub(super) struct Rank<'a> {
    pub(super) index: usize,
    /// As it was spelled.
    score: &'a str,
    value: f64,
}

impl<'a> Answer<'a> {
    /// `None` where there are no scores in it.
    pub(super) fn read(reply: &'a Document) -> Option<Self> {
        let root = reply.json().root();
        let list = if root.kind() == Kind::Array {
            root
        } else {
            member(root, "results").or_else(|| member(root, "data"))?
        };
        let mut answer = Self {
            id: member(root, "id").and_then(Value::text),
            results: list.items().map(rank).collect::<Option<_>>()?,
            ..Self::default()
        };
        // Stable, so that equals keep the provider's order.
        answer
            .results
            .sort_by(|one, other| other.value.total_cmp(&one.value));
        if let Some(meta) = member(root, "meta") {
            answer.searches = member(meta, "billed_units")
                .and_then(|units| member(units, "search_units"))
                .filter(|units| units.kind() == Kind::Number)
                .map(Value::raw);
            answer.tokens =
                member(meta, "tokens").and_then(|tokens| member(tokens, "input_tokens")?.as_u64());
            if member(meta, "warnings").is_some_and(|list| list.items().next().is_some()) {
                answer.losses.dropped("meta.warnings");
            }
        }
        if let Some(usage) = member(root, "usage") {
            let count = |key| member(usage, key).and_then(Value::as_u64);
            let tokens = count("total_tokens").or_else(|| count("prompt_tokens"));
            answer.tokens = answer.tokens.or(tokens);
            if member(usage, "cost").is_some() {
                answer.losses.dropped("usage.cost");
            }
        }
        Some(answer)
    }

    /// `documents`: those of the request, where they are to stand in the answer.
    pub(super) fn write(&self, documents: Option<&[String]>) -> Option<String> {
        let mut out = Writer::with_capacity(1_024);
        out.open();
        if let Some(id) = &self.id {
            out.text_at("id", id);
        }
        out.key("results");
        out.open_list();
        for rank in &self.results {
            out.open();
            out.number_at("index", u64::try_from(rank.index).ok()?);
            out.raw_at("relevance_score", rank.score);
            if let Some(documents) = documents {
                out.key("document");
                out.open();
                out.text_at("text", documents.get(rank.index)?);
                out.close();
            }
            out.close();
        }
        out.close_list();
        out.key("meta");
        out.open();
        out.raw_at("api_version", r#"{"version":"2"}"#);
        if let Some(searches) = self.searches {
            out.key("billed_units");
            out.open();
            out.raw_at("search_units", searches);
            out.close();
        }
        if let Some(tokens) = self.tokens {
            out.key("tokens");
            out.open();
            out.number_at("input_tokens", tokens);
            out.close();
        }
        out.close();
        self.losses.declare(&mut out);
        out.close();
        Some(out.finish())
    }
}

fn rank(item: Value<'_>) -> Option<Rank<'_>> {
    let index = member(item, "index")?.as_u64()?;
    let score = member(item, "relevance_score").or_else(|| member(item, "score"))?;
    let value: f64 = score.raw().parse().ok()?;
    (score.kind() == Kind::Number).then_some(())?;
    Some(Rank {
        index: usize::try_from(index).ok()?,
        score: score.raw(),
        value,
    })
}
