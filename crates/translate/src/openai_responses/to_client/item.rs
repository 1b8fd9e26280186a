//! The items of an answer: thoughts, messages, calls.

use crate::neutral::{Citation, Maker, Signature};
use crate::pieces::Whole;
use crate::write::Writer;

/// How far an item came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    InProgress,
    Completed,
    Incomplete,
}

impl Status {
    const fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete => "incomplete",
        }
    }
}

#[derive(Debug)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Message(Vec<Part>),
    Reasoning {
        /// Parts of the summary. Where the provider tells thoughts themselves they stand here too: it is what clients show.
        summary: Vec<String>,
        encrypted: Option<String>,
    },
    Call(Call),
}

#[derive(Debug)]
pub(super) struct Part {
    pub(super) refusal: bool,
    pub(super) text: String,
    /// Each the text of one annotation.
    pub(super) annotations: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) namespace: Option<String>,
    pub(super) name: String,
    pub(super) input: String,
    pub(super) custom: bool,
    pub(super) whole: Whole,
}

impl Item {
    /// What its id begins with: OpenAI refuses an id that does not when the item comes back.
    pub(super) const fn prefix(kind: &Kind) -> &'static str {
        match kind {
            Kind::Message(_) => "msg",
            Kind::Reasoning { .. } => "rs",
            Kind::Call(call) if call.custom => "ctc",
            Kind::Call(_) => "fc",
        }
    }

    /// How far it came in an answer that was cut or not, and that ends with it or not.
    pub(super) fn status(&self, cut: bool, last: bool) -> Status {
        let complete = match &self.kind {
            Kind::Call(call) if !call.custom => call.whole.is_whole(),
            _ => !last,
        };
        if cut && !complete {
            Status::Incomplete
        } else {
            Status::Completed
        }
    }

    pub(super) fn write(&self, status: Status, out: &mut Writer) {
        out.open();
        out.text_at("id", &self.id);
        match &self.kind {
            Kind::Message(parts) => {
                out.plain_at("type", "message");
                out.plain_at("status", status.as_str());
                out.plain_at("role", "assistant");
                out.key("content");
                out.open_list();
                parts.iter().for_each(|part| part.write(out));
                out.close_list();
            }
            Kind::Reasoning { summary, encrypted } => {
                out.plain_at("type", "reasoning");
                out.key("summary");
                out.open_list();
                for text in summary {
                    summary_part(text, out);
                }
                out.close_list();
                if let Some(encrypted) = encrypted {
                    out.text_at("encrypted_content", encrypted);
                }
            }
            Kind::Call(call) => {
                let (kind, body) = if call.custom {
                    ("custom_tool_call", "input")
                } else {
                    ("function_call", "arguments")
                };
                out.plain_at("type", kind);
                out.plain_at("status", status.as_str());
                out.text_at("call_id", &call.id);
                out.text_at("name", &call.name);
                if let Some(namespace) = &call.namespace {
                    out.text_at("namespace", namespace);
                }
                out.text_at(body, &call.input);
            }
        }
        out.close();
    }
}

impl Part {
    pub(super) const fn new(refusal: bool) -> Self {
        Self {
            refusal,
            text: String::new(),
            annotations: Vec::new(),
        }
    }

    pub(super) fn write(&self, out: &mut Writer) {
        out.open();
        if self.refusal {
            out.plain_at("type", "refusal");
            out.text_at("refusal", &self.text);
        } else {
            out.plain_at("type", "output_text");
            out.text_at("text", &self.text);
            out.key("annotations");
            out.open_list();
            for annotation in &self.annotations {
                out.raw(annotation);
            }
            out.close_list();
            out.raw_at("logprobs", "[]");
        }
        out.close();
    }
}

impl Call {
    /// `named`: the namespace, and the name in it.
    pub(super) fn new(id: &str, named: (Option<&str>, &str), custom: bool) -> Self {
        let (namespace, name) = named;
        Self {
            id: id.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
            input: String::new(),
            custom,
            whole: Whole::default(),
        }
    }

    pub(super) fn push(&mut self, piece: &str) {
        self.input.push_str(piece);
        if !self.custom {
            self.whole.push(piece);
        }
    }
}

pub(super) fn summary_part(text: &str, out: &mut Writer) {
    out.open();
    out.plain_at("type", "summary_text");
    out.text_at("text", text);
    out.close();
}

/// A thought that only its provider can read.
pub(super) fn sealed(signature: &Signature<'_>) -> Kind {
    Kind::Reasoning {
        summary: Vec::new(),
        encrypted: Some(signature.tagged(Maker::OpenAi).into_owned()),
    }
}

pub(super) fn annotation(citation: &Citation<'_>) -> String {
    let (start, end) = citation.range.unwrap_or_default();
    let mut out = Writer::with_capacity(128);
    out.open();
    out.plain_at("type", "url_citation");
    out.number_at("start_index", start);
    out.number_at("end_index", end);
    out.text_at("url", &citation.url);
    out.text_at("title", citation.title.as_deref().unwrap_or_default());
    out.close();
    out.finish()
}

/// Makes ids of items: of the answer's id and the item's place, so that equal answers give equal ids.
#[derive(Debug, Default)]
pub(super) struct Ids {
    stem: String,
}

impl Ids {
    /// `id` is the answer's. OpenAI takes 64 letters, digits, `_` and `-` at most.
    pub(super) fn of(id: &str) -> Self {
        let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let fitting = || id.chars().filter(fits);
        let most = 40;
        let stem = fitting().skip(fitting().count().saturating_sub(most));
        Self {
            stem: stem.collect(),
        }
    }

    /// `said` is the provider's own, which stays where it fits.
    pub(super) fn item(&self, kind: &Kind, at: usize, said: Option<&str>) -> String {
        let prefix = Item::prefix(kind);
        let fits = |id: &&str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
            id.len() <= 64 && id.starts_with(prefix) && id.bytes().all(plain)
        };
        match said.filter(fits) {
            Some(said) => said.to_owned(),
            None => format!("{prefix}_{}_{at}", self.stem),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_items_id_is_one_that_openai_takes_back() {
        let kind = Kind::Message(Vec::new());
        for (answer, id) in [
            ("resp_1", "msg_resp_1_7"),
            ("", "msg__7"),
            ("chatcmpl-a:\"b/c", "msg_chatcmpl-abc_7"),
        ] {
            assert_eq!(Ids::of(answer).item(&kind, 7, None), id);
        }
        let long = Ids::of(&"x".repeat(200)).item(&kind, usize::MAX, None);
        assert!(long.len() <= 65, "{long}");
        let ids = Ids::of("resp_1");
        let thought = sealed(&Signature {
            maker: Maker::OpenAi,
            data: "x".into(),
        });
        for (said, id) in [
            ("rs_0a1b", "rs_0a1b"),
            ("msg_0a1b", "rs_resp_1_7"),
            ("rs_\"", "rs_resp_1_7"),
        ] {
            assert_eq!(ids.item(&thought, 7, Some(said)), id);
        }
    }
}
