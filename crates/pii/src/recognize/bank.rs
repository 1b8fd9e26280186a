//! Banks of India: the codes of their branches, and accounts.

use std::sync::LazyLock;

use super::run::{Separator, separator_of, shaped};
use super::table::lines;
use super::{Match, Scene};
use crate::Entity;
use crate::context::Kind;
use crate::window::Window;

const ACCOUNT: Kind = Kind::of(Entity::InBankAccount);
const PHONE: Kind = Kind::of(Entity::Phone);

/// How far from an account number the code of its branch may stand.
const NEAR_BEFORE: usize = 40;
const NEAR_AFTER: usize = 30;

const IFSC: usize = 11;

/// A word that ends so many bytes before a number or more may speak of another one.
const FAR: u8 = 30;
/// A word that ends so many bytes before a number or fewer speaks of it.
const NEXT: u8 = 12;

/// 9 to 18 digits beside a word that says they are an account, or beside the code of a branch.
pub(super) fn find_account(scene: &Scene<'_>) -> Option<Match> {
    let (window, run) = (scene.window, scene.run()?);
    // In a row that slashes part, too: `Ravi/SBIN0001234/30123456789`.
    let row = window.before(scene.anchor) == Some(b'/')
        && window
            .slice(scene.anchor.saturating_sub(1 + IFSC), scene.anchor - 1)
            .windows(IFSC)
            .any(is_branch);
    if run.overlong() || !row && !window.may_start(scene.anchor) {
        return None;
    }
    run.prefixes_of(9..=18).rev().find_map(|(groups, _)| {
        let last = groups.last()?;
        let separator = separator_of(groups)?;
        let sound = groups.len() <= 6
            && (groups.len() == 1 || groups.iter().all(|group| group.len() >= 2))
            && matches!(
                separator,
                Separator::None | Separator::Space | Separator::Dash
            );
        let ends = match run.next(groups.len()) {
            Some(next) => {
                matches!(next.separator, Separator::Space | Separator::Mixed)
                    && next.separator != separator
            }
            None => window.may_end(last.end),
        };
        if !sound || !ends {
            return None;
        }
        let (start, end) = (scene.anchor, last.end);
        let before = scene.before();
        // The nearest word names the number.
        let nearest = |kind| before.distance(kind).unwrap_or(u8::MAX);
        let account = nearest(ACCOUNT);
        let others = nearest(PHONE).min(nearest(Kind::OTHER));
        let shaped = [&[5, 5][..], &[3, 3, 4], &[4, 3, 3]]
            .iter()
            .any(|lengths| shaped(groups, lengths));
        let score = match () {
            () if shaped => 0.05,
            () if account < u8::MAX && account <= others => 0.85,
            () if others > FAR && scene.after(end).says(ACCOUNT) => 0.8,
            () if others > NEXT && groups.len() == 1 && branch_near(window, start, end) => 0.7,
            () => 0.05,
        };
        Some(Match::new(start, end, score))
    })
}

/// Whether the code of a known bank's branch stands near `start..end`.
fn branch_near(window: &Window<'_>, start: usize, end: usize) -> bool {
    let mut last = end;
    while last < end + NEAR_AFTER && window.at(last).is_some() {
        last += 1;
    }
    let coded = |text: &[u8]| text.windows(IFSC).any(is_branch);
    coded(window.slice(start.saturating_sub(NEAR_BEFORE), start)) || coded(window.slice(end, last))
}

/// Whether an upper-case code is that of a branch of a known bank.
pub(crate) fn is_branch(code: &[u8]) -> bool {
    let Some((bank, [b'0', branch @ ..])) = code.split_at_checked(4) else {
        return false;
    };
    branch.len() == 6
        && bank.iter().all(u8::is_ascii_uppercase)
        && branch.iter().all(u8::is_ascii_alphanumeric)
        && BANKS
            .binary_search_by(|known| known.as_bytes().cmp(bank))
            .is_ok()
}

static BANKS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    lines(include_str!("../../data/ifsc_banks.txt"))
        .flat_map(str::split_whitespace)
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banks_stand_in_order_and_make_codes() {
        assert!(BANKS.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(
            BANKS
                .iter()
                .all(|bank| bank.len() == 4 && bank.bytes().all(|byte| byte.is_ascii_uppercase()))
        );
        assert!(is_branch(b"SBIN0001234") && is_branch(b"HDFC0ABC12D"));
        assert!(
            !is_branch(b"SBIN1001234") && !is_branch(b"QQQQ0001234") && !is_branch(b"SBIN000123")
        );
    }
}
