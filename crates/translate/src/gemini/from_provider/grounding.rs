//! Reading what an answer stands on.

use bartizan_core::json::Value;

use super::says;
use crate::losses::Losses;
use crate::neutral::Citation;
use crate::read::member;

/// The texts of an answer so far: the API counts places in bytes of a part, and others in characters of the whole.
#[derive(Debug, Default)]
pub(super) struct Told {
    text: String,
    /// Where each part begins.
    parts: Vec<usize>,
}

impl Told {
    /// A part of its own.
    pub(super) fn push(&mut self, text: &str) {
        self.parts.push(self.text.len());
        self.text.push_str(text);
    }

    /// A piece of the one part that a stream's texts make up.
    pub(super) fn go_on(&mut self, text: &str) {
        if self.parts.is_empty() {
            self.parts.push(0);
        }
        self.text.push_str(text);
    }

    /// Where in the whole, in characters, a stretch of bytes of a part lies.
    fn range(&self, part: u64, start: u64, end: u64) -> Option<(u64, u64)> {
        let begin = *self.parts.get(usize::try_from(part).ok()?)?;
        let place = |byte: u64| {
            let at = begin.checked_add(usize::try_from(byte).ok()?)?;
            let before = self.text.get(..at)?;
            u64::try_from(before.chars().count()).ok()
        };
        Some((place(start)?, place(end)?)).filter(|(start, end)| start <= end)
    }
}

/// The sources that have an address, once for each passage that stands on them. What else is told of a search is left out, and reported.
pub(super) fn read<'a>(
    candidate: Value<'a>,
    told: &Told,
    losses: &mut Losses,
) -> Vec<Citation<'a>> {
    let mut all = Vec::new();
    if let Some(grounding) = member(candidate, "groundingMetadata") {
        grounded(grounding, told, losses, &mut all);
    }
    let cited = member(candidate, "citationMetadata");
    let cited = cited
        .and_then(|cited| member(cited, "citations").or_else(|| member(cited, "citationSources")));
    for citation in cited.into_iter().flat_map(Value::items) {
        match says(citation, "uri") {
            Some(url) => all.push(Citation {
                url,
                title: says(citation, "title"),
                quote: None,
                range: range(citation, 0, told),
            }),
            None => losses.dropped("content.citations"),
        }
    }
    if member(candidate, "urlContextMetadata").is_some() {
        losses.dropped("content.url_context_metadata");
    }
    if member(candidate, "logprobsResult").is_some() {
        losses.dropped("logprobs");
    }
    all
}

fn grounded<'a>(
    grounding: Value<'a>,
    told: &Told,
    losses: &mut Losses,
    all: &mut Vec<Citation<'a>>,
) {
    let sources: Vec<_> = member(grounding, "groundingChunks")
        .into_iter()
        .flat_map(Value::items)
        .map(source)
        .collect();
    if sources.iter().any(Option::is_none) {
        losses.dropped("content.citations");
    }
    // Google wants it shown where it is told; no other API has a place for it.
    if member(grounding, "searchEntryPoint").is_some() {
        losses.dropped("content.search_entry_point");
    }
    let mut used = vec![false; sources.len()];
    let supports = member(grounding, "groundingSupports");
    for support in supports.into_iter().flat_map(Value::items) {
        let segment = member(support, "segment");
        let part = segment
            .and_then(|segment| member(segment, "partIndex")?.as_u64())
            .unwrap_or(0);
        let range = segment.and_then(|segment| range(segment, part, told));
        for index in indices(support) {
            let Some(Some(source)) = sources.get(index) else {
                continue;
            };
            if let Some(used) = used.get_mut(index) {
                *used = true;
            }
            all.push(Citation {
                range,
                ..source.clone()
            });
        }
    }
    let unused = sources.into_iter().zip(used).filter(|(_, used)| !used);
    all.extend(unused.filter_map(|(source, _)| source));
}

fn source(chunk: Value<'_>) -> Option<Citation<'_>> {
    let source = ["web", "maps", "retrievedContext", "image"]
        .iter()
        .find_map(|kind| member(chunk, kind))?;
    Some(Citation {
        url: says(source, "uri").or_else(|| says(source, "sourceUri"))?,
        title: says(source, "title"),
        quote: says(source, "text"),
        range: None,
    })
}

fn range(segment: Value<'_>, part: u64, told: &Told) -> Option<(u64, u64)> {
    let start = member(segment, "startIndex").map_or(Some(0), Value::as_u64)?;
    let end = member(segment, "endIndex")?.as_u64()?;
    told.range(part, start, end)
}

/// Numbers in a list, which the tree of a document does not note.
fn indices(support: Value<'_>) -> impl Iterator<Item = usize> {
    let list = member(support, "groundingChunkIndices").map_or("", Value::raw);
    list.split(|c: char| !c.is_ascii_digit())
        .filter_map(|number| number.parse().ok())
}
