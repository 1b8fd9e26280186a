//! Secrets on their way out, or in.

use bartizan_forms::{Forms, Found, Scan};

use crate::{Check, Finding, Progress, Risk, Sample, StreamCheck, Watcher};

/// Finds secrets by their form: keys of clouds, model providers, code hosts, chat, mail and payment services, private key
/// blocks, JSON web tokens, and connection strings with passwords.
///
/// The forms are those of [`bartizan_forms`] that tell a secret by themselves or by a vendor's name: a `password = …` alone
/// is no finding, since a model that writes code writes many. The check reads byte by byte and remembers where a candidate
/// began, so it follows an answer that arrives in pieces and never lets the head of a secret leave before the rest is seen.
/// Only characters that may begin one are held back.
///
/// ```
/// use bartizan_guard::{Check, Risk, Sample, Secrets};
///
/// let check = Secrets::new();
/// let text = format!("use ghp_{} for the clone", "16C7e42F292c6912E7710c838347Ae178B4a");
/// let finding = check.find(&Sample::new(&text)).expect("a token");
/// assert_eq!((finding.rule(), finding.risk()), ("github_token", Risk::SensitiveInformation));
/// assert!(check.find(&Sample::new("aws_access_key_id = AKIAIOSFODNN7EXAMPLE")).is_none());
/// ```
///
/// # What passes
///
/// Documentation is full of keys that are none. A match passes when it says so (`EXAMPLE`, `your`, `xxxx`, `redacted`,
/// `test_key` and the like), counts up (`12345678`, `abcdefgh`), repeats few characters, or is all small letters; a connection string passes when its password is such a word or a variable (`${DB_PASSWORD}`), and a
/// JSON web token when it is the published sample. Public halves (publishable keys, account ids, certificates), hashes and
/// UUIDs have no rule. A secret that is spelled out, encoded or split by other text is not found, and neither is one of
/// over 8 KiB, but for a private key.
/// # What the user wrote
///
/// A secret in one of the request's messages of the user is no secret to its caller, so it may come back: whether the model saw it, or a layer inside
/// masked and restored it. That holds where the answer has it word for word, in what the model says or thinks, and not behind an address in
/// the same paragraph, which might carry it elsewhere. What stands in system texts, documents and results of tools, or in
/// calls of tools, is stopped as ever. [`even_own`](Self::even_own) stops it all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Secrets {
    even_own: bool,
}

impl Secrets {
    /// Creates the check.
    #[must_use]
    pub fn new() -> Self {
        // Here, where a service starts, and not in its first request.
        let _ = Forms::keys();
        Self::default()
    }

    /// Finds in answers even what the user wrote in the same request.
    #[must_use]
    pub const fn even_own(mut self) -> Self {
        self.even_own = true;
        self
    }
}

impl Check for Secrets {
    fn name(&self) -> &'static str {
        "secrets"
    }

    fn find(&self, sample: &Sample<'_>) -> Option<Finding> {
        let mut scan = Forms::keys().scan();
        match Watcher::push(&mut scan, sample.text()) {
            Progress::Found(finding) => Some(finding),
            Progress::Clear(_) => Watcher::finish(&mut scan),
        }
    }
}

impl StreamCheck for Secrets {
    fn watch(&self) -> Box<dyn Watcher> {
        Box::new(Forms::keys().scan())
    }

    fn spares_own(&self) -> bool {
        !self.even_own
    }
}

impl Watcher for Scan<'static> {
    fn push(&mut self, piece: &str) -> Progress {
        match self.push(piece.as_bytes()) {
            bartizan_forms::Progress::Clear(upto) => Progress::Clear(upto),
            bartizan_forms::Progress::Found(begin, found) => {
                Progress::Found(finding(begin, &found))
            }
        }
    }

    fn finish(&mut self) -> Option<Finding> {
        self.finish().map(|(begin, found)| finding(begin, &found))
    }
}

fn finding(begin: usize, found: &Found) -> Finding {
    Finding::new(Risk::SensitiveInformation, found.id, begin..found.end)
}

#[cfg(test)]
mod tests;
