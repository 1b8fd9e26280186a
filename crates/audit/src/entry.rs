//! What a record says.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use bartizan_core::{Detail, Note, Principal, Usage};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::change::Change;

/// The longest text that a caller may put into one member: a model's name, a path, a request id.
const LONGEST_TEXT: usize = 256;

/// Room for the notes of one call, in bytes of their names and words. What is past it is counted and left out.
const NOTES_ROOM: usize = 16 * 1024;

/// One thing that the journal records.
///
/// Every member is metadata: who, when, which, how many. None can hold content or a credential.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Entry {
    /// A writer opened the journal.
    Open(Opened),
    /// A call is about to leave for a provider.
    Intent(Box<Intent>),
    /// A call is over.
    Call(Box<CallRecord>),
    /// An administrator changes something.
    Change(Box<Change>),
    /// Records were dropped (lossy mode only).
    Gap(Gap),
}

impl Entry {
    /// The word that stands in the record's `kind`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Open(_) => "open",
            Self::Intent(_) => "intent",
            Self::Call(_) => "call",
            Self::Change(_) => "change",
            Self::Gap(_) => "gap",
        }
    }
}

/// A writer opened the journal.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Opened {
    /// When, since 1970.
    #[serde(serialize_with = "rfc3339")]
    pub time: Duration,
    /// The version of this crate.
    pub version: &'static str,
    /// Whether a record may be dropped when the sink fails: `strict` or `lossy`.
    pub mode: &'static str,
    /// Bytes of an unfinished, never acknowledged line that a crash left behind and that were cut off.
    pub torn_bytes: u64,
}

/// A call is about to leave for a provider.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Intent {
    /// When, since 1970.
    #[serde(serialize_with = "rfc3339")]
    pub time: Duration,
    /// The call, by the id that its `call` record has too.
    pub call: String,
    /// The caller's or the gateway's `x-request-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Who calls; absent where nobody was identified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<Who>,
    /// Which API the request speaks.
    pub dialect: &'static str,
    /// The model asked for, where a layer read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

impl Intent {
    /// Creates the intent of the call with the id `call`, with nothing known of who asks for what.
    #[must_use]
    pub fn new(time: Duration, call: impl Into<String>, dialect: &'static str) -> Self {
        Self {
            time,
            call: call.into(),
            request_id: None,
            who: None,
            dialect,
            model: None,
        }
    }
}

/// A call is over.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CallRecord {
    /// When the request arrived, since 1970.
    #[serde(serialize_with = "rfc3339")]
    pub time: Duration,
    /// The call's own id, unique in this journal.
    pub call: String,
    /// The caller's or the gateway's `x-request-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Who called; absent where nobody was identified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<Who>,
    /// Which API the request spoke.
    pub dialect: &'static str,
    /// The model asked for, where a layer read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The request's method.
    pub method: String,
    /// The request's path or its route's pattern, never with a query string.
    pub path: String,
    /// Whether the answer was a stream of events.
    pub stream: bool,
    /// The answer's status; absent where none was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How it went.
    pub outcome: Outcome,
    /// The refusal's code, where the outcome is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// From the request's arrival to the answer's end, in milliseconds.
    pub latency_ms: u64,
    /// From the request's arrival to the answer's head, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttfb_ms: Option<u64>,
    /// What the call used; absent where no layer counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Tokens>,
    /// What each layer found and did.
    pub notes: Notes,
}

/// Records were dropped.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Gap {
    /// When it was noticed, since 1970.
    #[serde(serialize_with = "rfc3339")]
    pub time: Duration,
    /// How many records are missing here.
    pub records: u64,
}

impl Gap {
    pub(crate) const fn new(time: Duration, records: u64) -> Self {
        Self { time, records }
    }
}

/// How a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// Answered to the end.
    Ok,
    /// Refused by a layer before anything of an answer left.
    Refused,
    /// Begun, then stopped midway by a layer or by the provider's stream breaking.
    Cut,
    /// The caller left before the end of the answer.
    ClientLeft,
    /// The caller left, or the inner service failed, before there was an answer.
    Abandoned,
    /// The provider failed, or answered with an error.
    UpstreamError,
}

/// Who called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Who {
    /// The key's public name.
    pub key_id: String,
    /// The name that people gave the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_alias: Option<String>,
    /// The team that pays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// The person or service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The role.
    pub role: &'static str,
}

impl From<&Principal> for Who {
    fn from(principal: &Principal) -> Self {
        Self {
            key_id: bounded(principal.key_id()),
            key_alias: principal.key_alias().map(bounded),
            team_id: principal.team_id().map(bounded),
            user_id: principal.user_id().map(bounded),
            role: principal.role().as_str(),
        }
    }
}

/// What a call used, in classes that don't overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// The counts.
    pub usage: Usage,
    /// Whether they are a layer's estimate and not the provider's word.
    pub estimated: bool,
}

impl Serialize for Tokens {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Usage {
            input,
            cached_input,
            cache_write,
            output,
            reasoning,
            audio_input,
            audio_output,
        } = self.usage;
        let mut map = serializer.serialize_map(Some(8))?;
        map.serialize_entry("input", &input)?;
        map.serialize_entry("cached_input", &cached_input)?;
        map.serialize_entry("cache_write", &cache_write)?;
        map.serialize_entry("output", &output)?;
        map.serialize_entry("reasoning", &reasoning)?;
        map.serialize_entry("audio_input", &audio_input)?;
        map.serialize_entry("audio_output", &audio_output)?;
        map.serialize_entry("estimated", &self.estimated)?;
        map.end()
    }
}

/// The notes of one call, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notes(pub Vec<Note>);

impl Serialize for Notes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut room = NOTES_ROOM;
        let kept = self.0.iter().take_while(|note| {
            let size = size(note);
            room = room.saturating_sub(size);
            room > 0
        });
        let kept: Vec<_> = kept.collect();
        let left_out = self.0.len() - kept.len();
        let mut seq = serializer.serialize_seq(None)?;
        for note in kept {
            seq.serialize_element(&Line {
                layer: note.layer(),
                action: note.action(),
                details: details(note),
            })?;
        }
        if left_out > 0 {
            let name = [("notes", Value::Count(left_out as u64))].into();
            seq.serialize_element(&Line {
                layer: "audit",
                action: "left_out",
                details: name,
            })?;
        }
        seq.end()
    }
}

#[derive(Serialize)]
struct Line<'a> {
    layer: &'a str,
    action: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    details: BTreeMap<&'a str, Value<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value<'a> {
    Count(u64),
    Word(&'a str),
}

/// Sorted by name. Where a name comes twice, counts add up and the last word stays: JSON with a name twice has no one reading.
fn details(note: &Note) -> BTreeMap<&str, Value<'_>> {
    let mut map = BTreeMap::new();
    for (name, detail) in note.details() {
        let before = match (detail, map.get(name.as_ref())) {
            (Detail::Count(count), Some(Value::Count(before))) => {
                Value::Count(count.saturating_add(*before))
            }
            (Detail::Count(count), _) => Value::Count(*count),
            (Detail::Word(word), _) => Value::Word(word),
            _ => continue,
        };
        map.insert(name.as_ref(), before);
    }
    map
}

fn size(note: &Note) -> usize {
    let details = note.details().iter().map(|(name, detail)| match detail {
        Detail::Word(word) => name.len() + word.len() + 8,
        _ => name.len() + 24,
    });
    64 + details.sum::<usize>()
}

/// Cuts a text that came from outside to what a record has room for.
pub(crate) fn bounded(text: &str) -> String {
    text.chars()
        .scan(0, |length, c| {
            *length += c.len_utf8();
            (*length <= LONGEST_TEXT).then_some(c)
        })
        .collect()
}

pub(crate) fn rfc3339<S: Serializer>(unix: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    // The format ends with the year 9999; a clock that says more is wrong anyway, and its record must not be lost.
    let unix = (*unix).min(Duration::from_secs(253_402_300_799));
    serializer.collect_str(&humantime::format_rfc3339_millis(UNIX_EPOCH + unix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: impl Serialize) -> String {
        serde_json::to_string(&value).unwrap()
    }

    #[test]
    fn time_is_rfc_3339_in_utc() {
        let time = |ms| json(Entry::Gap(Gap::new(Duration::from_millis(ms), 1)));
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_001, "2000-02-29T00:00:00.001Z"),
            (1_795_500_766_999, "2026-11-24T06:12:46.999Z"),
        ] {
            assert_eq!(
                time(ms),
                format!(r#"{{"kind":"gap","time":"{text}","records":1}}"#)
            );
        }
    }

    #[test]
    fn a_note_has_each_detail_once_and_sorted() {
        let note = Note::new("pii", "masked")
            .count("b", 2)
            .word("a", "x")
            .count("b", 3)
            .word("a", "y");
        assert_eq!(
            json(Notes(vec![note])),
            r#"[{"layer":"pii","action":"masked","details":{"a":"y","b":5}}]"#
        );
    }

    #[test]
    fn notes_have_a_bound_and_say_how_many_are_left_out() {
        let notes = Notes(vec![
            Note::new("guard", "flagged")
                .word("rule", "r".repeat(1_000));
            100
        ]);
        let text = json(&notes);
        assert!(text.len() < NOTES_ROOM + 1_000, "{} bytes", text.len());
        assert!(
            text.ends_with(r#"{"layer":"audit","action":"left_out","details":{"notes":85}}]"#),
            "{}",
            &text[text.len() - 80..]
        );
    }

    #[test]
    fn text_from_outside_is_cut_between_characters() {
        assert_eq!(bounded("short"), "short");
        let cut = bounded(&"é".repeat(500));
        assert_eq!(cut.chars().count(), LONGEST_TEXT / 2);
    }
}
