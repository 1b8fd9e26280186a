//! Writing what an answer stands on.

use crate::neutral::Citation;
use crate::write::Writer;

/// The texts of an answer and their sources. Places are counted in characters of the whole elsewhere, and here in bytes of a part.
#[derive(Debug, Default)]
pub(super) struct Sources {
    text: String,
    /// Where each text begins, and which part of the answer it is; none in a stream, whose texts make up one.
    parts: Vec<(usize, usize)>,
    cited: Vec<Cited>,
}

#[derive(Debug)]
struct Cited {
    url: String,
    title: Option<String>,
    quote: Option<String>,
    range: Option<(u64, u64)>,
}

impl Sources {
    pub(super) fn say(&mut self, text: &str, part: Option<usize>) {
        if let Some(part) = part {
            self.parts.push((self.text.len(), part));
        }
        self.text.push_str(text);
    }

    pub(super) fn cite(&mut self, citation: &Citation<'_>) {
        let owned = |text: &Option<crate::neutral::Str<'_>>| {
            text.as_ref().map(|text| text.clone().into_owned())
        };
        self.cited.push(Cited {
            url: citation.url.clone().into_owned(),
            title: owned(&citation.title),
            quote: owned(&citation.quote),
            range: citation.range,
        });
    }

    /// Each source once, and the passages that stand on it.
    pub(super) fn write(&self, out: &mut Writer) {
        if self.cited.is_empty() {
            return;
        }
        let mut sources: Vec<&Cited> = Vec::new();
        for cited in &self.cited {
            if !sources.iter().any(|known| known.is_of(cited)) {
                sources.push(cited);
            }
        }
        out.key("groundingMetadata");
        out.open();
        out.key("groundingChunks");
        out.open_list();
        sources.iter().for_each(|source| source.write(out));
        out.close_list();
        let mut begun = false;
        for cited in &self.cited {
            let place = sources.iter().position(|source| source.is_of(cited));
            let (Some(place), Some(segment)) = (place, self.segment(cited.range)) else {
                continue;
            };
            if !std::mem::replace(&mut begun, true) {
                out.key("groundingSupports");
                out.open_list();
            }
            out.open();
            out.key("segment");
            segment.write(out);
            out.raw_at("groundingChunkIndices", &format!("[{place}]"));
            out.close();
        }
        if begun {
            out.close_list();
        }
        out.close();
    }

    /// `None` where the place is not known, or not within one part.
    fn segment(&self, range: Option<(u64, u64)>) -> Option<Segment<'_>> {
        let (start, end) = range.filter(|(start, end)| start < end)?;
        let byte = |character: u64| {
            let nth = usize::try_from(character).ok()?;
            let mut places = self.text.char_indices().map(|(at, _)| at);
            places
                .nth(nth)
                .or_else(|| (self.text.chars().count() == nth).then_some(self.text.len()))
        };
        let (start, end) = (byte(start)?, byte(end)?);
        let text = self.text.get(start..end)?;
        let before = self.parts.iter().rev();
        let (begin, part) = before
            .copied()
            .find(|(begin, _)| *begin <= start)
            .unwrap_or_default();
        let next = self.parts.iter().find(|(other, _)| *other > start);
        if next.is_some_and(|(next, _)| *next < end) {
            return None;
        }
        Some(Segment {
            part,
            start: start - begin,
            end: end - begin,
            text,
        })
    }
}

impl Cited {
    fn is_of(&self, other: &Self) -> bool {
        self.url == other.url && self.title == other.title && self.quote == other.quote
    }

    fn write(&self, out: &mut Writer) {
        out.open();
        out.key(if self.quote.is_some() {
            "retrievedContext"
        } else {
            "web"
        });
        out.open();
        out.text_at("uri", &self.url);
        if let Some(title) = &self.title {
            out.text_at("title", title);
        }
        if let Some(quote) = &self.quote {
            out.text_at("text", quote);
        }
        out.close();
        out.close();
    }
}

struct Segment<'a> {
    part: usize,
    start: usize,
    end: usize,
    text: &'a str,
}

impl Segment<'_> {
    fn write(&self, out: &mut Writer) {
        out.open();
        for (name, number) in [
            ("partIndex", self.part),
            ("startIndex", self.start),
            ("endIndex", self.end),
        ] {
            // Protobuf's JSON leaves a zero out.
            if number > 0 {
                out.raw_at(name, &number.to_string());
            }
        }
        out.text_at("text", self.text);
        out.close();
    }
}
