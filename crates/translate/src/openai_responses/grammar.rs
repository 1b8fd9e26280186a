//! The grammar of a custom tool, which the two dialects of OpenAI write in two forms.

use bartizan_core::json::Value;

use crate::read::member;
use crate::write::Writer;

/// As chat completions have it, from this API's form; `None` where something lacks.
pub(super) fn to_chat(format: Value<'_>) -> Option<String> {
    let mut made = Writer::with_capacity(format.raw().len() + 16);
    made.open();
    made.plain_at("type", "grammar");
    made.key("grammar");
    made.open();
    definition(format, &mut made)?;
    made.close();
    made.close();
    Some(made.finish())
}

/// As this API has it.
pub(super) fn from_chat(format: Value<'_>) -> Option<String> {
    let grammar = member(format, "grammar")?;
    let mut made = Writer::with_capacity(format.raw().len());
    made.open();
    made.plain_at("type", "grammar");
    definition(grammar, &mut made)?;
    made.close();
    Some(made.finish())
}

fn definition(grammar: Value<'_>, out: &mut Writer) -> Option<()> {
    for key in ["syntax", "definition"] {
        out.raw_at(key, member(grammar, key)?.raw());
    }
    Some(())
}
