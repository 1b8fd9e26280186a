//! Payment cards: 12 to 19 digits of a known issuer, Luhn over all.

use std::sync::LazyLock;

use super::run::{Group, Run, Separator, separator_of, shaped};
use super::{Match, Scene, look, rows};
use crate::Entity;
use crate::context::Kind;

const CARD: Kind = Kind::of(Entity::Card);
const ACCOUNT: Kind = Kind::of(Entity::InBankAccount);

/// How far before a number a word ends, in bytes, that speaks of it.
const NEXT: u8 = 12;

/// The score of one that nothing speaks for.
const UNSAID: f32 = 0.3;

pub(super) fn find(scene: &Scene<'_>) -> Option<Match> {
    let run = scene.run()?;
    // Before all that is counted and compared.
    if run.digits().len() < 12 || !scene.window.may_start(scene.anchor) {
        return None;
    }
    let lengths = run.lengths() & lengths(run.digits());
    if lengths == 0 {
        return None;
    }
    // What is printed otherwise than a card wants a word beside it; if none stands behind the longest, none does behind a shorter one.
    let longest = run.prefixes_of(12..=19).next_back()?.0;
    let printed = matches!(longest.first()?.len(), 4 | 6 | 12..);
    let said = || {
        let behind = || longest.last().map(|last| scene.after(last.end));
        scene.before().has(CARD) || behind().is_some_and(|behind| behind.has(CARD))
    };
    if !printed && UNSAID < scene.settings.least && !look::is_off() && !said() {
        return None;
    }
    let lengths = sound_lengths(run.digits(), lengths);
    if lengths == 0 {
        return None;
    }
    run.prefixes_of(12..=19)
        .rev()
        .filter(|(_, digits)| lengths >> digits.len() & 1 == 1)
        .find_map(|(groups, digits)| judge(scene, run, groups, digits))
}

/// Those of `lengths`, a bit each, of which so many first digits pass Luhn's check. One look tells of all of them.
fn sound_lengths(digits: &[u8], lengths: u32) -> u32 {
    // The sum if the last digit so far isn't doubled, as the check wants it, and if it is.
    let (mut plain, mut doubled) = (0_u32, 0_u32);
    let mut sound = 0;
    let longest = 31_usize.saturating_sub(lengths.leading_zeros() as usize);
    for (digit, length) in digits.iter().take(longest).zip(1_u32..) {
        let digit = u32::from(digit.wrapping_sub(b'0'));
        let twice = 2 * digit - if digit > 4 { 9 } else { 0 };
        (plain, doubled) = (doubled + digit, plain + twice);
        if lengths >> length & 1 == 1 && plain.is_multiple_of(10) {
            sound |= 1 << length;
        }
    }
    sound
}

fn judge(scene: &Scene<'_>, run: &Run, groups: &[Group], digits: &[u8]) -> Option<Match> {
    let window = scene.window;
    let (first, last) = (groups.first()?, groups.last()?);
    if !issued(digits) {
        return None;
    }
    if run.next(groups.len()).is_none() && !window.may_end(last.end) {
        return None;
    }
    let separator = separator_of(groups).filter(|separator| {
        matches!(
            separator,
            Separator::None | Separator::Space | Separator::Dash | Separator::Dot
        )
    });
    let printed = separator.is_some()
        && (shaped(groups, &[digits.len()])
            || groups.split_last().is_some_and(|(last, rest)| {
                rest.iter().all(|group| group.len() == 4) && last.len() <= 4
            })
            || shaped(groups, &[4, 6, 5])
            || shaped(groups, &[4, 6, 4])
            || shaped(groups, &[4, 3, 3, 3])
            || shaped(groups, &[6, 13]));
    // A fourth or fifth group of four may belong to it; then only a word near by can tell.
    let longer = match run.next(groups.len()) {
        Some(next) => {
            groups.len() > 1 && Some(next.separator) == separator && next.len() == 4
                || next.separator == Separator::Dot
        }
        None => run.overlong(),
    };
    let said = || scene.before().has(CARD) || scene.after(last.end).has(CARD);
    // A word right before it says that it is an account, or a number of another sort.
    let another = || {
        let kinds = [ACCOUNT, Kind::OTHER, Kind::ID].map(|kind| scene.before().distance(kind));
        kinds.into_iter().flatten().any(|distance| distance <= NEXT)
    };
    // Lengths that few cards have and many other numbers do.
    let rare =
        digits.len() < 14 || digits.len() > 16 && groups.len() == 1 || digits.starts_with(b"0");
    let score = match () {
        () if longer && !said() => return None,
        () if printed && !rare => match said() {
            true => 1.0,
            false if another() => 0.45,
            false => 0.9,
        },
        () if said() => 0.95,
        () if printed && window.is_whole(first.start, last.end) => 0.6,
        () => UNSAID,
    };
    Some(Match::new(first.start, last.end, score).checked("luhn"))
}

/// First digits from and to, shortest and longest number.
struct Issuer {
    from: u32,
    to: u32,
    prefix: usize,
    lengths: std::ops::RangeInclusive<usize>,
}

static ISSUERS: LazyLock<Vec<Issuer>> = LazyLock::new(|| {
    rows(include_str!("../../data/card_issuers.csv"))
        .filter_map(|row| match row.as_slice() {
            [from, to, shortest, longest, _] => Some(Issuer {
                from: from.parse().ok()?,
                to: to.parse().ok()?,
                prefix: from.len(),
                lengths: shortest.parse().ok()?..=longest.parse().ok()?,
            }),
            _ => None,
        })
        .collect()
});

impl Issuer {
    /// The first two digits of its numbers.
    fn first_two(&self) -> std::ops::RangeInclusive<usize> {
        let [from, to] = [(self.from, 0), (self.to, 9)].map(|(digits, next)| match self.prefix {
            1 => digits * 10 + next,
            more => (2..more).fold(digits, |digits, _| digits / 10),
        });
        from as usize..=to as usize
    }

    fn has(&self, digits: &[u8]) -> bool {
        let prefix = digits
            .iter()
            .take(self.prefix)
            .fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
        (self.from..=self.to).contains(&prefix) && self.lengths.contains(&digits.len())
    }
}

/// The issuers by the first two digits of their numbers.
static BY_FIRST_TWO: LazyLock<Vec<Vec<&Issuer>>> = LazyLock::new(|| {
    let own = |two| {
        ISSUERS
            .iter()
            .filter(move |issuer| issuer.first_two().contains(&two))
    };
    (0..100).map(|two| own(two).collect()).collect()
});

pub(super) fn issued(digits: &[u8]) -> bool {
    let issuers = first_two(digits).and_then(|two| BY_FIRST_TWO.get(two));
    issuers.is_some_and(|issuers| issuers.iter().any(|issuer| issuer.has(digits)))
}

/// How long a number may be that begins with two digits, a bit each.
static LENGTHS: LazyLock<[u32; 100]> = LazyLock::new(|| {
    let mut lengths = [0; 100];
    for issuer in ISSUERS.iter() {
        for two in issuer.first_two() {
            if let Some(lengths) = lengths.get_mut(two) {
                let own = issuer.lengths.clone();
                *lengths |= own.fold(0, |all, length| all | 1 << length);
            }
        }
    }
    lengths
});

/// How long a card's number may be that begins with the first two of `digits`, a bit each: most numbers are seen through here.
pub(super) fn lengths(digits: &[u8]) -> u32 {
    let lengths = first_two(digits).and_then(|two| LENGTHS.get(two));
    lengths.copied().unwrap_or(0)
}

fn first_two(digits: &[u8]) -> Option<usize> {
    let [tens, ones, ..] = digits else {
        return None;
    };
    let value = |digit: &u8| usize::from(digit.wrapping_sub(b'0'));
    Some(value(tens) * 10 + value(ones))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::luhn;

    #[test]
    fn every_row_of_the_shipped_issuers_is_read() {
        let rows = rows(include_str!("../../data/card_issuers.csv")).count();
        assert_eq!(ISSUERS.len(), rows);
        assert!(
            ISSUERS
                .iter()
                .all(|issuer| issuer.from <= issuer.to && *issuer.lengths.start() >= 12)
        );
    }

    #[test]
    fn all_lengths_that_pass_the_check_are_counted_at_once() {
        for seed in 0..1_000_u64 {
            let digits = (seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_string();
            let lengths = sound_lengths(digits.as_bytes(), u32::MAX);
            for length in 1..=digits.len() {
                let sound = luhn(&digits.as_bytes()[..length]);
                assert_eq!(lengths >> length & 1 == 1, sound, "{digits} {length}");
            }
        }
    }

    #[test]
    fn the_first_two_digits_rule_out_no_card() {
        for first in 0..1_000_000 {
            for length in 12..=19 {
                let mut digits = format!("{first:06}").into_bytes();
                digits.resize(length, b'0');
                assert!(
                    lengths(&digits) >> length & 1 == 1
                        || !ISSUERS.iter().any(|issuer| issuer.has(&digits)),
                    "{first:06} {length}"
                );
            }
        }
    }
}
