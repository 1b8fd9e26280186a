//! Thoughts and their signatures, by OpenRouter's names, which others have taken over: OpenAI's own API tells none.

use crate::neutral::{Block, Maker, Signature, Str};
use crate::write::Writer;

/// How `reasoning_details` names whose thought it carries.
const fn format(maker: Maker) -> &'static str {
    match maker {
        Maker::Anthropic => "anthropic-claude-v1",
        Maker::Google => "google-gemini-v1",
        Maker::OpenAi => "openai-responses-v1",
        Maker::Other => "unknown",
    }
}

/// What a provider wrote in this format. The format of a maker that no other dialect knows stays with the data, to go back with it.
pub(super) fn signature<'a>(format: Option<&str>, data: Str<'a>) -> Signature<'a> {
    let maker = maker(format);
    let data = match format {
        Some(format) if maker == Maker::Other && is_format(format) => {
            Str::Owned(format!("{format}:{data}"))
        }
        _ => data,
    };
    Signature { maker, data }
}

/// The format that stands in front of the data, and the data.
fn told<'s>(signature: &'s Signature<'_>) -> (&'s str, &'s str) {
    let with = signature
        .data
        .split_once(':')
        .filter(|(format, _)| signature.maker == Maker::Other && is_format(format));
    with.unwrap_or((format(signature.maker), &signature.data))
}

/// Such as `xai-responses-v1`.
fn is_format(word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let version = word.rsplit_once("-v").map(|(_, version)| version);
    word.len() <= 64
        && word.bytes().all(plain)
        && version.is_some_and(|version| version.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whose thought it is. Unsaid, it is Anthropic's: they were the first.
fn maker(format: Option<&str>) -> Maker {
    match format.map(|format| format.split('-').next()) {
        None | Some(Some("anthropic")) => Maker::Anthropic,
        Some(Some("google")) => Maker::Google,
        Some(Some("openai" | "azure")) => Maker::OpenAi,
        _ => Maker::Other,
    }
}

/// One item of `reasoning_details`.
pub(super) enum Detail<'a> {
    Text {
        id: Option<&'a str>,
        text: Option<&'a str>,
        signature: Option<&'a Signature<'a>>,
    },
    Encrypted {
        id: Option<&'a str>,
        data: &'a Signature<'a>,
    },
}

impl<'a> Detail<'a> {
    fn of(block: &'a Block<'_>) -> Option<Self> {
        Some(match block {
            Block::Thinking {
                id,
                text,
                signature,
            } => Self::Text {
                id: id.as_deref(),
                text: Some(text),
                signature: signature.as_ref(),
            },
            Block::Redacted { id, data } => Self::Encrypted {
                id: id.as_deref(),
                data,
            },
            _ => return None,
        })
    }

    pub(super) fn write(&self, index: u32, out: &mut Writer) {
        let mut form = format(Maker::Anthropic);
        out.open();
        let id = match self {
            Self::Text {
                id,
                text,
                signature,
            } => {
                out.plain_at("type", "reasoning.text");
                if let Some(text) = text {
                    out.text_at("text", text);
                }
                if let Some(signature) = signature {
                    let (of, data) = told(signature);
                    form = of;
                    out.text_at("signature", data);
                }
                id
            }
            Self::Encrypted { id, data } => {
                out.plain_at("type", "reasoning.encrypted");
                let (of, data) = told(data);
                form = of;
                out.text_at("data", data);
                id
            }
        };
        if let Some(id) = id {
            out.text_at("id", id);
        }
        out.plain_at("format", form);
        out.number_at("index", index.into());
        out.close();
    }
}

/// The member `reasoning_details`, where there are thoughts among the blocks.
pub(super) fn details<'b, 'a: 'b>(
    blocks: impl IntoIterator<Item = &'b Block<'a>>,
    out: &mut Writer,
) {
    let mut index = 0;
    for detail in blocks.into_iter().filter_map(Detail::of) {
        if index == 0 {
            out.key("reasoning_details");
            out.open_list();
        }
        detail.write(index, out);
        index += 1;
    }
    if index > 0 {
        out.close_list();
    }
}

/// The thought's signature on a call, as Google's own OpenAI-compatible API has it.
pub(super) fn extra_content(signature: &Signature<'_>, out: &mut Writer) {
    out.key("extra_content");
    out.open();
    out.key("google");
    out.open();
    out.text_at("thought_signature", &signature.data);
    out.close();
    out.close();
}
