//! How an entry lies in a journal.
//!
//! A journal begins with [`MAGIC`] and its own name of 16 bytes. An entry is the length of what follows (four bytes), its CRC-32 (four bytes), and
//! that: a byte for the version, the id, the cost, seven counts of tokens, a byte of flags, one for the outcome; then texts, each behind its length
//! in two bytes, of which `0xffff` says that there is none. Numbers stand with their last byte first.

use bartizan_core::{Cost, Usage};

use super::entry::{SpendEntry, SpendId, SpendOutcome};

/// What every journal begins with.
pub(crate) const MAGIC: [u8; 16] = *b"bartizan-spend-1";
/// Where the first entry lies.
pub(crate) const HEADER: u64 = 32;

const VERSION: u8 = 1;
const HEAD: usize = 8;
/// No entry is longer: names are cut, and tags counted.
pub(crate) const LONGEST: usize = 16 * 1024;
const NONE: u16 = u16::MAX;

/// Writes the entry behind what is there.
pub(crate) fn write(entry: &SpendEntry, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; HEAD]);
    out.push(VERSION);
    out.extend_from_slice(entry.id.as_bytes());
    out.extend_from_slice(&entry.cost.femto_dollars().to_le_bytes());
    for count in counts(&entry.usage) {
        out.extend_from_slice(&count.to_le_bytes());
    }
    out.push(u8::from(entry.estimated) | u8::from(entry.priced) << 1);
    out.push(match entry.outcome {
        SpendOutcome::Complete => 0,
        SpendOutcome::Aborted => 1,
        SpendOutcome::Failed => 2,
    });
    text(Some(&entry.key_id), out);
    text(Some(&entry.model), out);
    for told in [
        &entry.user_id,
        &entry.team_id,
        &entry.organization_id,
        &entry.provider,
        &entry.served_model,
        &entry.end_user,
    ] {
        text(told.as_deref(), out);
    }
    for tag in &entry.tags {
        text(Some(tag), out);
    }
    let Some((head, rest)) = out
        .get_mut(start..)
        .and_then(|all| all.split_at_mut_checked(HEAD))
    else {
        return;
    };
    let length = u32::try_from(rest.len()).unwrap_or(u32::MAX);
    let (of_length, of_sum) = head.split_at_mut(4);
    of_length.copy_from_slice(&length.to_le_bytes());
    of_sum.copy_from_slice(&crc32fast::hash(rest).to_le_bytes());
}

fn text(text: Option<&str>, out: &mut Vec<u8>) {
    match text {
        None => out.extend_from_slice(&NONE.to_le_bytes()),
        Some(text) => {
            // Names were cut before.
            let length = u16::try_from(text.len()).unwrap_or(0);
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(
                text.as_bytes()
                    .get(..usize::from(length))
                    .unwrap_or_default(),
            );
        }
    }
}

fn counts(usage: &Usage) -> [u64; 7] {
    [
        usage.input,
        usage.cached_input,
        usage.cache_write,
        usage.output,
        usage.reasoning,
        usage.audio_input,
        usage.audio_output,
    ]
}

/// What lies at the front of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// An entry, of so many bytes.
    Entry(Box<SpendEntry>, usize),
    /// The beginning of one: more may come.
    Part,
    /// What no program of ours has written so: its sum is wrong, or its version is a newer one's.
    Damaged,
}

/// Reads what lies at the front.
pub(crate) fn read(bytes: &[u8]) -> Next {
    let Some((head, rest)) = bytes.split_first_chunk::<HEAD>() else {
        return Next::Part;
    };
    let [a, b, c, d, e, f, g, h] = *head;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    if length > LONGEST {
        return Next::Damaged;
    }
    let Some(body) = rest.get(..length) else {
        return Next::Part;
    };
    if crc32fast::hash(body) != u32::from_le_bytes([e, f, g, h]) {
        return Next::Damaged;
    }
    match entry(body) {
        Some(entry) => Next::Entry(Box::new(entry), HEAD + length),
        None => Next::Damaged,
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn text(&mut self) -> Option<Option<String>> {
        let length = u16::from_le_bytes(self.take()?);
        if length == NONE {
            return Some(None);
        }
        let (text, rest): (&'a [u8], _) = self.0.split_at_checked(usize::from(length))?;
        self.0 = rest;
        Some(Some(std::str::from_utf8(text).ok()?.to_owned()))
    }
}

fn entry(body: &[u8]) -> Option<SpendEntry> {
    let mut reader = Reader(body);
    let [version] = reader.take()?;
    if version != VERSION {
        return None;
    }
    let id = SpendId::from_bytes(reader.take()?);
    let cost = Cost::from_femto_dollars(u128::from_le_bytes(reader.take()?));
    let mut count = || reader.take().map(u64::from_le_bytes);
    let usage = Usage {
        input: count()?,
        cached_input: count()?,
        cache_write: count()?,
        output: count()?,
        reasoning: count()?,
        audio_input: count()?,
        audio_output: count()?,
    };
    let [flags, outcome] = reader.take()?;
    let outcome = match outcome {
        0 => SpendOutcome::Complete,
        1 => SpendOutcome::Aborted,
        2 => SpendOutcome::Failed,
        _ => return None,
    };
    let (key_id, model) = (reader.text()??, reader.text()??);
    let mut told = || reader.text();
    let (user_id, team_id, organization_id) = (told()?, told()?, told()?);
    let (provider, served_model, end_user) = (told()?, told()?, told()?);
    let mut tags = Vec::new();
    while !reader.0.is_empty() {
        tags.push(reader.text()??);
    }
    Some(SpendEntry {
        id,
        key_id,
        user_id,
        team_id,
        organization_id,
        model,
        provider,
        served_model,
        tags,
        end_user,
        usage,
        cost,
        estimated: flags & 1 != 0,
        priced: flags & 2 != 0,
        outcome,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn any_entry() -> impl Strategy<Value = SpendEntry> {
        let told = || proptest::option::of(".{0,20}");
        let names = (
            ".{0,20}",
            ".{0,20}",
            told(),
            told(),
            told(),
            told(),
            told(),
            told(),
        );
        let tags = proptest::collection::vec(".{0,12}", 0..5);
        let counts = proptest::array::uniform7(any::<u64>());
        let rest = (
            any::<u64>(),
            any::<u128>(),
            any::<bool>(),
            any::<bool>(),
            0_usize..3,
        );
        (names, tags, counts, rest).prop_map(|(names, tags, counts, rest)| {
            let (
                key_id,
                model,
                user_id,
                team_id,
                organization_id,
                provider,
                served_model,
                end_user,
            ) = names;
            let [
                input,
                cached_input,
                cache_write,
                output,
                reasoning,
                audio_input,
                audio_output,
            ] = counts;
            let (time, cost, estimated, priced, outcome) = rest;
            SpendEntry {
                user_id,
                team_id,
                organization_id,
                provider,
                served_model,
                tags,
                end_user,
                usage: Usage {
                    input,
                    cached_input,
                    cache_write,
                    output,
                    reasoning,
                    audio_input,
                    audio_output,
                },
                cost: Cost::from_femto_dollars(cost),
                estimated,
                priced,
                outcome: SpendOutcome::ALL[outcome],
                ..SpendEntry::new(Duration::from_millis(time >> 16), key_id, model)
            }
        })
    }

    #[test]
    fn the_longest_entry_that_is_kept_is_no_longer_than_what_is_read() {
        let longest = || Some("x".repeat(500));
        let mut entry = SpendEntry {
            user_id: longest(),
            team_id: longest(),
            organization_id: longest(),
            provider: longest(),
            served_model: longest(),
            end_user: longest(),
            tags: (0..99).map(|n| format!("{n}{}", "x".repeat(500))).collect(),
            ..SpendEntry::new(Duration::ZERO, "x".repeat(500), "x".repeat(500))
        };
        entry.tidy();
        let mut out = Vec::new();
        write(&entry, &mut out);
        assert_eq!(read(&out), Next::Entry(Box::new(entry), out.len()));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_a_part_of_it_is_a_part(entry in any_entry(), cut in any::<prop::sample::Index>(), flip in any::<prop::sample::Index>()) {
            let mut out = vec![7];
            write(&entry, &mut out);
            let written = &out[1..];
            prop_assert_eq!(read(written), Next::Entry(Box::new(entry), written.len()));
            prop_assert_eq!(read(&written[..cut.index(written.len())]), Next::Part);
            let mut altered = written.to_vec();
            let at = flip.index(altered.len());
            altered[at] ^= 1 << (at % 8);
            prop_assert!(!matches!(read(&altered), Next::Entry(..)), "byte {}", at);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
            let _ = entry(&bytes);
        }
    }
}
