//! The hash chain: how a record is sealed, and how a sealed line is checked.

use std::fmt;
use std::ops::Range;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::entry::Entry;
use crate::error::{Defect, Error};

/// Labels keep the three uses of hash and key apart, and this format apart from any later one.
const RECORD: &[u8] = b"bartizan-audit/1 record\0";
const ANCHOR: &[u8] = b"bartizan-audit/1 anchor\0";
const KEY: &[u8] = b"bartizan-audit/1 key\0";

/// What the first record names as the hash before it.
pub(crate) const NO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Notes have a bound of 16 KiB and texts one of 256 bytes, so no honest line comes near this.
pub(crate) const LONGEST_LINE: usize = 256 * 1024;

const LEAST_KEY: usize = 32;

/// The key that authenticates a journal.
///
/// With it, someone who can rewrite the whole file still can't make it verify. Keep it where the journal's files
/// aren't. It is stretched from the secret with a label, so that one secret may serve other purposes too.
#[derive(Clone)]
pub struct ChainKey(Hmac<Sha256>);

impl ChainKey {
    /// Creates a key from at least 32 bytes of randomness.
    ///
    /// # Errors
    /// [`Error::ShortKey`] for less.
    pub fn new(secret: &SecretString) -> Result<Self, Error> {
        let secret = secret.expose_secret().as_bytes();
        let short = || Error::ShortKey {
            length: secret.len(),
            least: LEAST_KEY,
        };
        if secret.len() < LEAST_KEY {
            return Err(short());
        }
        let keyed =
            |key: &[u8]| <Hmac<Sha256> as KeyInit>::new_from_slice(key).map_err(|_| short());
        let own = keyed(secret)?.chain_update(KEY).finalize().into_bytes();
        keyed(&own).map(Self)
    }

    fn mac(&self, label: &[u8], text: &[u8]) -> String {
        hex(&self
            .0
            .clone()
            .chain_update(label)
            .chain_update(text)
            .finalize()
            .into_bytes())
    }
}

impl fmt::Debug for ChainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChainKey")
    }
}

/// One place in a chain: proof that the journal up to there is what it was.
///
/// An anchor kept away from the journal's machine (printed at start-up, sent to a log service once an hour) shows even the
/// one thing that the journal's own files can't: that journal and head were both set back to an older copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// The record's number; 0 before the first.
    pub seq: u64,
    /// Its hash, in hexadecimal.
    pub hash: String,
}

impl Anchor {
    /// The place before the first record.
    #[must_use]
    pub fn start() -> Self {
        Self {
            seq: 0,
            hash: NO_HASH.to_owned(),
        }
    }

    /// The anchor's authentication code under `key`.
    pub(crate) fn mac(&self, key: &ChainKey) -> String {
        key.mac(ANCHOR, format!("{} {}", self.seq, self.hash).as_bytes())
    }
}

/// A chain at one place, ready to go on from there.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    at: Anchor,
    key: Option<ChainKey>,
}

#[derive(Serialize)]
struct Unsealed<'a> {
    v: u8,
    seq: u64,
    prev: &'a str,
    #[serde(flatten)]
    entry: &'a Entry,
}

#[derive(Deserialize)]
struct Sealed {
    v: u8,
    seq: u64,
    prev: String,
    mac: Option<String>,
}

impl Chain {
    pub(crate) fn new(at: Anchor, key: Option<ChainKey>) -> Self {
        Self { at, key }
    }

    pub(crate) fn at(&self) -> &Anchor {
        &self.at
    }

    /// The authentication code of where the chain is.
    pub(crate) fn anchor_mac(&self) -> Option<String> {
        self.key.as_ref().map(|key| self.at.mac(key))
    }

    /// Appends the next record's line, newline included, to `out`, and tells where in `out` it lies.
    pub(crate) fn seal(
        &mut self,
        entry: &Entry,
        out: &mut Vec<u8>,
    ) -> Result<Range<usize>, serde_json::Error> {
        let start = out.len();
        let seq = self.at.seq + 1;
        let sealed = serde_json::to_writer(
            &mut *out,
            &Unsealed {
                v: 1,
                seq,
                prev: &self.at.hash,
                entry,
            },
        );
        if let Err(error) = sealed {
            out.truncate(start);
            return Err(error);
        }
        // The object is still open where the hash begins: the hashed text is the line up to `,"hash"`.
        out.pop();
        let body = out.get(start..).unwrap_or_default();
        let hash = record_hash(body);
        let mac = self.key.as_ref().map(|key| key.mac(RECORD, body));
        out.extend_from_slice(seal_text(&hash, mac.as_deref()).as_bytes());
        self.at = Anchor { seq, hash };
        Ok(start..out.len())
    }

    /// Checks that `line`, newline included, is the next record, and goes on behind it.
    pub(crate) fn check(&mut self, line: &[u8]) -> Result<(), Defect> {
        let (at, prev) = self.unseal(line)?;
        if at.seq != self.at.seq + 1 {
            return Err(Defect::Sequence);
        }
        if prev != self.at.hash {
            return Err(Defect::Link);
        }
        self.at = at;
        Ok(())
    }

    /// Checks that `line` is some record of this journal, and tells which and the hash before it.
    pub(crate) fn unseal(&self, line: &[u8]) -> Result<(Anchor, String), Defect> {
        if line.len() > LONGEST_LINE {
            return Err(Defect::TooLong);
        }
        let Sealed {
            v: 1,
            seq,
            prev,
            mac,
        } = serde_json::from_slice(line).map_err(|_| Defect::NotARecord)?
        else {
            return Err(Defect::NotARecord);
        };
        let length = seal_text(NO_HASH, mac.as_ref().map(|_| NO_HASH)).len();
        let (body, seal) = line
            .len()
            .checked_sub(length)
            .and_then(|at| line.split_at_checked(at))
            .ok_or(Defect::NotARecord)?;
        let hash = record_hash(body);
        // Comparing the seal's text, not its values, leaves no byte of the line free to change.
        if !seal.starts_with(hash_text(&hash).as_bytes()) {
            return Err(Defect::Hash);
        }
        let mac = match &self.key {
            Some(key) => Some(key.mac(RECORD, body)),
            None => mac,
        };
        if seal != seal_text(&hash, mac.as_deref()).as_bytes() {
            return Err(Defect::Mac);
        }
        Ok((Anchor { seq, hash }, prev))
    }
}

fn hash_text(hash: &str) -> String {
    format!(r#","hash":"{hash}""#)
}

/// What closes a line behind the hashed text.
fn seal_text(hash: &str, mac: Option<&str>) -> String {
    let mut text = hash_text(hash);
    if let Some(mac) = mac {
        text.extend([r#","mac":""#, mac, r#"""#]);
    }
    text.push_str("}\n");
    text
}

fn record_hash(body: &[u8]) -> String {
    hex(&Sha256::new()
        .chain_update(RECORD)
        .chain_update(body)
        .finalize())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::entry::{Gap, Intent};

    fn key(secret: &str) -> ChainKey {
        ChainKey::new(&secret.repeat(32).into()).unwrap()
    }

    fn lines(key: Option<ChainKey>, count: u64) -> Vec<Vec<u8>> {
        let mut chain = Chain::new(Anchor::start(), key);
        (0..count)
            .map(|n| {
                let mut line = Vec::new();
                chain
                    .seal(&Entry::Gap(Gap::new(Duration::from_secs(n), n)), &mut line)
                    .unwrap();
                line
            })
            .collect()
    }

    fn check(key: Option<ChainKey>, lines: &[Vec<u8>]) -> Result<(), Defect> {
        let mut chain = Chain::new(Anchor::start(), key);
        lines.iter().try_for_each(|line| chain.check(line))
    }

    /// The documented recipe, done by hand: what an auditor with other tools computes.
    #[test]
    fn a_line_hashes_as_documented() {
        let line = String::from_utf8(lines(None, 1).remove(0)).unwrap();
        let body = r#"{"v":1,"seq":1,"prev":"0000000000000000000000000000000000000000000000000000000000000000","kind":"gap","time":"1970-01-01T00:00:00.000Z","records":0"#;
        let hash = hex(&Sha256::digest(format!("bartizan-audit/1 record\0{body}")));
        assert_eq!(line, format!("{body},\"hash\":\"{hash}\"}}\n"));
    }

    #[test]
    fn a_short_key_is_refused() {
        assert!(matches!(
            ChainKey::new(&"k".repeat(31).into()),
            Err(Error::ShortKey {
                length: 31,
                least: 32
            })
        ));
        assert_eq!(format!("{:?}", key("s")), "ChainKey");
    }

    #[test]
    fn a_keyed_chain_needs_its_key() {
        let keyed = lines(Some(key("a")), 3);
        assert_eq!(check(Some(key("a")), &keyed), Ok(()));
        assert_eq!(
            check(None, &keyed),
            Ok(()),
            "an auditor without the key still checks hashes"
        );
        assert_eq!(check(Some(key("b")), &keyed), Err(Defect::Mac));
        assert_eq!(
            check(Some(key("a")), &lines(None, 3)),
            Err(Defect::Mac),
            "re-chained without codes"
        );
    }

    #[test]
    fn dropped_swapped_and_repeated_records_are_seen() {
        let sound = lines(Some(key("a")), 5);
        for at in 0..4 {
            let mut dropped = sound.clone();
            dropped.remove(at);
            assert_eq!(
                check(Some(key("a")), &dropped),
                Err(Defect::Sequence),
                "without {at}"
            );
            let mut swapped = sound.clone();
            swapped.swap(at, at + 1);
            assert_eq!(
                check(Some(key("a")), &swapped),
                Err(Defect::Sequence),
                "{at} swapped"
            );
            let mut repeated = sound.clone();
            repeated.insert(at, sound[at].clone());
            assert_eq!(
                check(Some(key("a")), &repeated),
                Err(Defect::Sequence),
                "{at} repeated"
            );
        }
    }

    #[test]
    fn a_record_of_another_chain_is_seen() {
        let mut other = Chain::new(
            Anchor {
                seq: 0,
                hash: hex(&Sha256::digest("other")),
            },
            None,
        );
        let mut line = Vec::new();
        other
            .seal(&Entry::Gap(Gap::new(Duration::ZERO, 9)), &mut line)
            .unwrap();
        assert_eq!(check(None, &[line]), Err(Defect::Link));
    }

    #[test]
    fn a_line_with_more_behind_its_seal_is_seen() {
        let line = lines(None, 1).remove(0);
        for extra in [&b" \n"[..], b"\n\n", b"x\n"] {
            let mut longer = line.clone();
            longer.pop();
            longer.extend_from_slice(extra);
            assert!(check(None, &[longer]).is_err(), "{extra:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_an_entry_says_its_line_verifies_and_is_one_line(call in any::<String>(), model in any::<String>()) {
            let mut intent = Intent::new(Duration::ZERO, call.clone(), "json");
            intent.model = Some(model.clone());
            let mut line = Vec::new();
            Chain::new(Anchor::start(), Some(key("a"))).seal(&Entry::Intent(Box::new(intent)), &mut line).unwrap();
            prop_assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(line.len() - 1));
            let read: serde_json::Value = serde_json::from_slice(&line).unwrap();
            prop_assert_eq!((read["call"].as_str(), read["model"].as_str()), (Some(call.as_str()), Some(model.as_str())));
            prop_assert_eq!(check(Some(key("a")), &[line]), Ok(()));
        }

        #[test]
        fn no_edit_of_a_line_verifies(at in any::<prop::sample::Index>(), remove in 0_usize..4, insert in proptest::collection::vec(any::<u8>(), 0..4)) {
            for key in [None, Some(key("a"))] {
                let sound = lines(key.clone(), 1).remove(0);
                let at = at.index(sound.len());
                let mut edited = sound.clone();
                edited.splice(at..(at + remove).min(sound.len()), insert.iter().copied());
                prop_assert!(edited == sound || check(key, &[edited]).is_err());
            }
        }

        #[test]
        fn any_bytes_are_judged_without_a_panic(line in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(check(None, &[line]).is_err());
        }
    }
}
