//! Names and ids that a provider does not take as they are: written so that it does, and read back.
//!
//! What is written hangs on the name alone, so that equal requests give equal bytes, and two names never become one.

use std::borrow::Cow;

use crate::neutral::{Ask, Block};

/// The tool by which a model without schemas of its own is made to answer in JSON. The caller never sees it.
pub(crate) const HIDDEN_TOOL: &str = "bartizan_json_answer";

/// What a provider takes for a name or an id. Lengths in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) fits: fn(u8) -> bool,
    pub(crate) least: usize,
    pub(crate) most: usize,
}

/// The names of one request's tools that go out otherwise.
#[derive(Debug, Default)]
pub(crate) struct ToolNames(Vec<(String, String)>);

impl ToolNames {
    /// All names of `ask`'s tools and calls that `rule` has no room for.
    pub(crate) fn of(ask: &Ask<'_>, rule: Rule) -> Self {
        let offered = ask.tools.iter().map(|tool| tool.name.as_ref());
        let blocks = ask.turns.iter().flat_map(|turn| &turn.blocks);
        let called = blocks.filter_map(|block| match block {
            Block::ToolUse { name, .. } => Some(name.as_ref()),
            _ => None,
        });
        let mut names = Vec::new();
        for name in offered.chain(called) {
            if !fits(name, rule) && !names.iter().any(|(told, _)| told == name) {
                names.push((name.to_owned(), written(name, rule)));
            }
        }
        Self(names)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What `name` is called at the provider.
    pub(crate) fn there<'n>(&'n self, name: &'n str) -> &'n str {
        let found = self.0.iter().find(|(here, _)| here == name);
        found.map_or(name, |(_, there)| there)
    }

    /// What the provider's `name` is called by the caller.
    pub(crate) fn here<'n>(&self, name: Cow<'n, str>) -> Cow<'n, str> {
        match self.0.iter().find(|(_, there)| *there == name) {
            Some((here, _)) => Cow::Owned(here.clone()),
            None => name,
        }
    }
}

fn fits(name: &str, rule: Rule) -> bool {
    (rule.least..=rule.most).contains(&name.len()) && name.bytes().all(rule.fits)
}

/// As much of the name as fits, and a mark of the whole.
fn written(name: &str, rule: Rule) -> String {
    let mark = mark(&[name], 9);
    let room = rule.most.saturating_sub(mark.len() + 1);
    let kept = name.chars().map(|c| match u8::try_from(c) {
        Ok(byte) if (rule.fits)(byte) => c,
        _ => '_',
    });
    let mut written: String = kept.take(room).collect();
    written.push('_');
    written.push_str(&mark);
    written
}

/// An id that is as it is where it fits, and a mark of itself where it doesn't.
pub(crate) fn short_id(id: &str, rule: Rule) -> Cow<'_, str> {
    if fits(id, rule) {
        Cow::Borrowed(id)
    } else {
        Cow::Owned(mark(&[id], rule.most.min(22)))
    }
}

/// An id for a call to which its provider gave none: of the answer's id and the call's place in it.
pub(crate) fn minted_id(answer: &str, call: u32) -> String {
    format!("call_{}", mark(&[answer, &call.to_string()], 20))
}

/// An id for an answer to which its provider gave none: of what it says of itself.
pub(crate) fn minted_answer_id(words: &[&str]) -> String {
    format!("answer_{}", mark(words, 20))
}

/// Whether it may be one of those.
pub(crate) fn is_minted(id: &str) -> bool {
    let mark = id.strip_prefix("call_").unwrap_or_default();
    mark.len() == 20 && mark.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// So many letters and digits that stand for these words.
fn mark(words: &[&str], letters: usize) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    // FNV-1a, 128 bits: the same on every machine and in every version.
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for byte in words.join("\n").bytes() {
        hash ^= u128::from(byte);
        hash = hash.wrapping_mul(0x0100_0000_0000_0000_0000_013b);
    }
    hash ^= hash >> 64;
    let digit = |hash: u128| {
        usize::try_from(hash % 62)
            .ok()
            .and_then(|at| DIGITS.get(at))
    };
    let mut mark = String::with_capacity(letters);
    for _ in 0..letters {
        mark.extend(digit(hash).map(|digit| char::from(*digit)));
        hash /= 62;
    }
    mark
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::neutral::{Tool, ToolKind};

    const RULE: Rule = Rule {
        fits: |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
        least: 1,
        most: 64,
    };

    const NINE: Rule = Rule {
        fits: |byte| byte.is_ascii_alphanumeric(),
        least: 9,
        most: 9,
    };

    fn ask(names: &[&str]) -> Ask<'static> {
        let tool = |name: &&str| Tool {
            name: (*name).to_owned().into(),
            description: None,
            kind: ToolKind::Function {
                schema: None,
                strict: false,
            },
            cache: None,
        };
        Ask {
            tools: names.iter().map(tool).collect(),
            ..Ask::default()
        }
    }

    #[test]
    fn a_name_that_fits_stays_and_every_other_comes_back() {
        let long = "mcp__server__".repeat(8);
        let names = ["weather", "a.b", "a_b", "a:b", "größe", &long];
        let told = ToolNames::of(&ask(&names), RULE);
        let mut there: Vec<&str> = names.iter().map(|name| told.there(name)).collect();
        assert_eq!(there[0], "weather");
        assert_eq!(there[2], "a_b");
        for (name, there) in names.iter().zip(&there) {
            assert!(super::fits(there, RULE), "{there}");
            assert_eq!(told.here((*there).into()), *name);
        }
        there.sort_unstable();
        there.dedup();
        assert_eq!(there.len(), names.len());
    }

    #[test]
    fn the_marks_never_change() {
        // They stand in conversations that go on after an update.
        assert_eq!(mark(&["a"], 9).len(), 9);
        let id = short_id("toolu_01ADw53o3uvrGvccVaVYUX4G", NINE);
        assert_eq!(id, "vaDs1631b");
    }

    proptest! {
        #[test]
        fn an_id_fits_and_two_are_never_one(one in "\\PC{0,60}", two in "\\PC{0,60}") {
            let (first, second) = (short_id(&one, NINE), short_id(&two, NINE));
            prop_assert!(super::fits(&first, NINE));
            prop_assert_eq!(first == second, one == two);
            prop_assert_eq!(&short_id(&first, NINE), &first);
        }
    }
}
