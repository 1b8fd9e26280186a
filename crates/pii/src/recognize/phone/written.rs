//! The ways in which phone numbers are written at home.

use super::super::run::{Group, Run, Separator, separator_of, shaped};
use super::regions::Regions;

/// Some groups of a run, taken as a phone number.
pub(super) struct Number<'n> {
    pub(super) groups: &'n [Group],
    pub(super) digits: &'n [u8],
    pub(super) plus: bool,
    pub(super) run: &'n Run,
    pub(super) whole: (usize, usize),
    /// No further group follows.
    pub(super) open: bool,
}

pub(super) fn indian_mobile(digits: &[u8]) -> bool {
    digits.len() == 10 && matches!(digits.first(), Some(b'6'..=b'9'))
}

/// `00919876543210`
pub(super) fn dials_india(digits: &[u8]) -> bool {
    digits.strip_prefix(b"0091").is_some_and(indian_mobile)
}

/// An Indian mobile in one of the ways in which it is written: with 91 or 0 before, or in groups.
pub(super) fn indian_as_written(number: &Number<'_>) -> bool {
    let (groups, digits) = (number.groups, number.digits);
    let lone = groups.len() == 1;
    let (groups, national) = match digits {
        [b'0', rest @ ..] if indian_mobile(rest) => match groups {
            // The zero by itself, or before the first group.
            [zero, first, ..] if zero.len() == 1 && first.separator == Separator::Dot => {
                return false;
            }
            [zero, rest_of @ ..] if zero.len() == 1 => (rest_of, rest),
            _ if lone => return number.open,
            [first, ..] => return matches!(first.len(), 4..=6) && number.open && groups.len() <= 3,
            [] => return false,
        },
        [b'9', b'1', rest @ ..] if indian_mobile(rest) => match groups {
            [code, rest_of @ ..] if code.len() == 2 => {
                return matches!(rest_of.len(), 1..=3)
                    && rest_of.iter().all(|group| group.len() >= 2);
            }
            _ => return false,
        },
        _ => (groups, digits),
    };
    if !indian_mobile(national) {
        return false;
    }
    if groups.len() == 1 && !lone {
        return true;
    }
    let halves = shaped(groups, &[5, 5]);
    let shapes: &[&[usize]] = &[&[3, 3, 4], &[4, 3, 3], &[4, 6], &[2, 4, 4]];
    let written = halves || number.open && shapes.iter().any(|shape| shaped(groups, shape));
    match separator_of(groups) {
        Some(Separator::Space | Separator::Dash) => written,
        // With one dot it is a decimal.
        Some(Separator::Dot) => written && groups.len() > 2,
        _ => false,
    }
}

/// An Indian landline as it is written: a zero and the town's code set apart, eight to six digits that start with 2 to 7.
pub(super) fn indian_landline(number: &Number<'_>) -> bool {
    let [town, rest @ ..] = number.groups else {
        return false;
    };
    let digits = number.digits.get(town.len()..).unwrap_or_default();
    let city = matches!(
        number.digits,
        [b'0', b'1', b'1', ..]
            | [b'0', b'2', b'0' | b'2', ..]
            | [b'0', b'3', b'3', ..]
            | [b'0', b'4', b'0' | b'4', ..]
            | [b'0', b'7', b'9', ..]
            | [b'0', b'8', b'0', ..]
    );
    let coded = match town.len() {
        3 => city && digits.len() == 8,
        4 => number.digits.starts_with(b"0") && digits.len() == 7,
        5 => number.digits.starts_with(b"0") && digits.len() == 6,
        _ => false,
    };
    let printed = rest.len() == 1 || town.len() == 3 && rest.iter().all(|group| group.len() == 4);
    let separator = rest.first().map(|group| group.separator);
    coded
        && printed
        && number.open
        && matches!(digits.first(), Some(b'2'..=b'7'))
        && (town.bracketed || matches!(separator, Some(Separator::Dash | Separator::Space)))
}

/// A North American number as it is written: `(212) 555-0147`, `212-555-0147`, `1-212-555-0147`.
pub(super) fn american(number: &Number<'_>) -> bool {
    let (groups, digits) = match (number.groups, number.digits) {
        ([one, rest @ ..], [b'1', digits @ ..]) if one.len() == 1 => (rest, digits),
        all => all,
    };
    let [b'2'..=b'9', _, _, b'2'..=b'9', ..] = digits else {
        return false;
    };
    let punctuated = groups.first().is_some_and(|group| group.bracketed)
        || groups
            .iter()
            .skip(1)
            .all(|group| matches!(group.separator, Separator::Dash | Separator::Dot));
    digits.len() == 10 && shaped(groups, &[3, 3, 4]) && punctuated && number.open
}

/// Whether groups may be a local number, and not a date or an amount.
pub(super) fn plausible(number: &Number<'_>) -> bool {
    let groups = number.groups;
    let digits = number.digits.len();
    let sound = match groups {
        // No country's ten digits start with a 1, and seconds since 1970 do.
        [_] => (7..=12).contains(&digits) && !(digits == 10 && number.digits.starts_with(b"1")),
        // With one dot it is a decimal.
        [_, last] if last.separator == Separator::Dot => {
            indian_mobile(number.digits) && shaped(groups, &[5, 5])
        }
        // A card's or another id's.
        [_, _, _, ..] if groups.iter().all(|group| group.len() == 4) => false,
        // Many single digits are the number of a section or an object.
        _ => {
            (7..=13).contains(&digits)
                && digits + 1 >= 2 * groups.len()
                && groups.iter().all(|group| group.len() <= 8)
        }
    };
    let colons = groups
        .iter()
        .any(|group| group.separator == Separator::Colon);
    sound && !number.run.overlong() && !colons && !date(number) && !address(groups)
}

/// `2024-01-15`, `15.01.2024`, `2023-2024`, with or without a time behind.
fn date(number: &Number<'_>) -> bool {
    let mut rest = number.digits;
    let mut values = number.groups.iter().map(|group| {
        let (digits, behind) = rest.split_at_checked(group.len()).unwrap_or_default();
        rest = behind;
        let digits = digits.iter();
        let value = digits.fold(0_u32, |value, digit| {
            value.wrapping_mul(10) + u32::from(digit - b'0')
        });
        (group.len(), value)
    });
    let year = |of: (usize, u32)| of.0 == 4 && (1900..2100).contains(&of.1);
    let day = |of: (usize, u32)| of.0 <= 2 && (1..=31).contains(&of.1);
    match (values.next(), values.next(), values.next()) {
        (Some(a), Some(b), None) => year(a) && year(b),
        (Some(a), Some(b), Some(c)) => day(b) && (year(a) && day(c) || day(a) && year(c)),
        _ => false,
    }
}

/// Four short numbers that dots part.
fn address(groups: &[Group]) -> bool {
    groups.len() == 4
        && separator_of(groups) == Some(Separator::Dot)
        && groups.iter().all(|group| group.len() <= 3)
}

/// A number as it is written in one of `regions`, which gives it out: the area's code set apart, behind the national prefix or in
/// parentheses.
pub(super) fn at_home(number: &Number<'_>, regions: &Regions) -> bool {
    let [area, rest @ ..] = number.groups else {
        return false;
    };
    let digits = number.digits;
    let zero = digits.starts_with(b"0");
    let parted = area.bracketed || zero && (2..=5).contains(&area.len());
    if !parted || !number.open {
        return false;
    }
    // A postal code and the number of a house have nine digits at most.
    let spaced = rest.len() == 1 && rest.iter().all(|group| group.separator == Separator::Space);
    (if spaced && !area.bracketed { 10 } else { 9 }..=12).contains(&digits.len())
        && (1..=4).contains(&rest.len())
        && rest.iter().all(|group| group.len() >= 2)
        && plausible(number)
        && (regions.give_at_home(digits) || area.bracketed && !zero && regions.give(digits))
}
