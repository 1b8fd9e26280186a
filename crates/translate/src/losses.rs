//! What a translation dropped or changed, so that nothing is lost in silence.

use std::borrow::Cow;

use bartizan_core::{Note, Trail};
use http::{HeaderName, HeaderValue};

use crate::neutral::Names;
use crate::write::Writer;

/// The response header that names what of a request was dropped or changed.
///
/// A list of fields; `;changed` and `;moved` stand behind those that went out in another form or place. Absent where nothing was.
pub const DROPPED: HeaderName = HeaderName::from_static("x-bartizan-dropped");

/// The member of an answer, or of a stream's finishing chunk, that names what of the provider's answer was dropped.
pub(crate) const DROPPED_MEMBER: &str = "bartizan_dropped";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Dropped,
    Changed,
    Moved,
}

impl How {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::Changed => "changed",
            Self::Moved => "moved",
        }
    }
}

/// Each field once, in the order in which they were met. Fields come from a fixed vocabulary, so their number is bounded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses(Vec<(Cow<'static, str>, How)>);

impl Losses {
    pub(crate) fn dropped(&mut self, field: &'static str) {
        self.add(field.into(), How::Dropped);
    }

    pub(crate) fn changed(&mut self, field: &'static str) {
        self.add(field.into(), How::Changed);
    }

    pub(crate) fn moved(&mut self, field: &'static str) {
        self.add(field.into(), How::Moved);
    }

    /// A member that nobody knows. The list ends at 64 fields: a caller may send thousands.
    pub(crate) fn unknown(&mut self, name: &str) {
        if self.0.len() < 64 {
            self.add(Cow::Owned(shown(name).to_owned()), How::Dropped);
        }
    }

    /// A member that a server does not take, by the caller's word for it.
    pub(crate) fn named(&mut self, name: &str) {
        self.add(Cow::Owned(shown(name).to_owned()), How::Dropped);
    }

    /// A member that a server calls otherwise, by the caller's word for it.
    pub(crate) fn renamed(&mut self, name: &str) {
        self.add(Cow::Owned(shown(name).to_owned()), How::Changed);
    }

    /// Adds all of `others`.
    pub(crate) fn extend(&mut self, others: &Self) {
        for (field, how) in &others.0 {
            self.add(field.clone(), *how);
        }
    }

    fn add(&mut self, field: Cow<'static, str>, how: How) {
        if !self.0.iter().any(|(known, _)| *known == field) {
            self.0.push((field, how));
        }
    }

    /// Names fields as the caller does.
    pub(crate) fn retell(&mut self, names: Names) {
        for (field, _) in &mut self.0 {
            if let Some((_, theirs)) = names.iter().find(|(ours, _)| *ours == field.as_ref()) {
                *field = Cow::Borrowed(theirs);
            }
        }
        // Two fields of ours may be one of theirs.
        for (field, how) in std::mem::take(&mut self.0) {
            self.add(field, how);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(field, _)| field.as_ref())
    }

    /// Declares, in an answer, what of it is left out.
    pub(crate) fn declare(&self, out: &mut Writer) {
        if self.is_empty() {
            return;
        }
        out.key(DROPPED_MEMBER);
        out.open_list();
        for field in self.fields() {
            out.plain(field);
        }
        out.close_list();
    }

    pub(crate) fn header(&self) -> Option<HeaderValue> {
        if self.is_empty() {
            return None;
        }
        let mut list = String::new();
        for (field, how) in &self.0 {
            if !list.is_empty() {
                list.push_str(", ");
            }
            list.push_str(field);
            if *how != How::Dropped {
                list.push(';');
                list.push_str(how.as_str());
            }
        }
        HeaderValue::try_from(list).ok()
    }

    /// A field that is not ours to know shows as `other` in the record: its name is the caller's.
    pub(crate) fn note(&self, trail: &Trail, side: &'static str) {
        if self.is_empty() {
            return;
        }
        let mut note = Note::new("translate", "dropped").word("of", side);
        for (field, how) in &self.0 {
            let name = match field {
                Cow::Borrowed(field) => *field,
                Cow::Owned(_) => "other",
            };
            note = note.word(name, how.as_str());
        }
        trail.note(note);
    }
}

/// A caller's own word for a field, fit for a header and a message; `*` where it is none.
pub(crate) fn shown(name: &str) -> &str {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if !name.is_empty() && name.len() <= 64 && name.bytes().all(fits) {
        name
    } else {
        "*"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_named_once_and_no_name_breaks_the_header() {
        let mut losses = Losses::default();
        assert_eq!(losses.header(), None);
        losses.dropped("seed");
        losses.changed("temperature");
        losses.dropped("seed");
        losses.unknown("top_a");
        losses.unknown("x\r\nset-cookie: a=b");
        losses.unknown("seed, logprobs");
        assert_eq!(
            losses.header().unwrap(),
            "seed, temperature;changed, top_a, *"
        );
    }

    #[test]
    fn the_record_holds_no_name_that_a_caller_chose() {
        let trail = Trail::new();
        let mut losses = Losses::default();
        losses.dropped("seed");
        losses.unknown("canary");
        losses.note(&trail, "request");
        let said = trail.notes().first().map(ToString::to_string).unwrap();
        assert_eq!(
            said,
            "translate dropped of=request seed=dropped other=dropped"
        );
    }
}
