//! Payment cards: 12 to 19 digits of a known issuer, Luhn over all.

use std::sync::LazyLock;

use super::run::{Group, Run, Separator, separator_of, shaped};
use super::{Match, Scene, rows};
use crate::Entity;
use crate::checks::luhn;
use crate::context::Kind;

const CARD: Kind = Kind::of(Entity::Card);
const ACCOUNT: Kind = Kind::of(Entity::InBankAccount);

/// How far before a number a word ends, in bytes, that speaks of it.
const NEXT: u8 = 12;

pub(super) fn find(scene: &Scene<'_>) -> Option<Match> {
    let run = scene.run()?;
    // Before all that is counted and compared.
    if run.digits().len() < 12 || !scene.window.may_start(scene.anchor) {
        return None;
    }
    run.prefixes_of(12..=19)
        .rev()
        .find_map(|(groups, digits)| judge(scene, run, groups, digits))
}

fn judge(scene: &Scene<'_>, run: &Run, groups: &[Group], digits: &[u8]) -> Option<Match> {
    let window = scene.window;
    let (first, last) = (groups.first()?, groups.last()?);
    if !may_be_issued(digits) || !luhn(digits) || !issued(digits) {
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
        () => 0.3,
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

pub(super) fn issued(digits: &[u8]) -> bool {
    ISSUERS.iter().any(|issuer| {
        let prefix = digits
            .iter()
            .take(issuer.prefix)
            .fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
        (issuer.from..=issuer.to).contains(&prefix) && issuer.lengths.contains(&digits.len())
    })
}

/// How long a number may be that begins with two digits, a bit each.
static LENGTHS: LazyLock<[u32; 100]> = LazyLock::new(|| {
    let mut lengths = [0; 100];
    for (two, lengths) in (0..).zip(&mut lengths) {
        for issuer in ISSUERS.iter() {
            // The first two of the issuer's digits, from and to.
            let [from, to] =
                [(issuer.from, 0), (issuer.to, 9)].map(|(digits, next)| match issuer.prefix {
                    1 => digits * 10 + next,
                    more => (2..more).fold(digits, |digits, _| digits / 10),
                });
            if (from..=to).contains(&two) {
                *lengths |= issuer
                    .lengths
                    .clone()
                    .fold(0, |all, length| all | 1 << length);
            }
        }
    }
    lengths
});

/// Whether the first two digits and the length are some issuer's: most numbers are seen through here.
fn may_be_issued(digits: &[u8]) -> bool {
    let [tens, ones, ..] = digits else {
        return false;
    };
    let two = usize::from(tens.wrapping_sub(b'0')) * 10 + usize::from(ones.wrapping_sub(b'0'));
    LENGTHS
        .get(two)
        .is_some_and(|lengths| lengths >> digits.len() & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn the_first_two_digits_rule_out_no_card() {
        for first in 0..1_000_000 {
            for length in 12..=19 {
                let mut digits = format!("{first:06}").into_bytes();
                digits.resize(length, b'0');
                assert!(
                    may_be_issued(&digits) || !issued(&digits),
                    "{first:06} {length}"
                );
            }
        }
    }
}
