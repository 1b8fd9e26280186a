//! Calling codes, and how long the numbers behind them are.

use std::sync::LazyLock;

use super::rows;
use super::run::Group;

/// Whether digits after a plus name a country and have a length that it gives out. A trunk zero in parentheses is left
/// out: `+46 (0)8 …`.
pub(super) fn international(groups: &[Group], digits: &[u8]) -> bool {
    let mut dialled_digits = [0; 24];
    let mut count = 0;
    let mut from = 0;
    for group in groups {
        let own = digits.get(from..group.digits).unwrap_or_default();
        from = group.digits;
        if group.bracketed && own == b"0" {
            continue;
        }
        for digit in own {
            let Some(slot) = dialled_digits.get_mut(count) else {
                return false;
            };
            *slot = *digit;
            count += 1;
        }
    }
    dialled_digits.get(..count).is_some_and(dialled)
}

/// Whether digits are a calling code and a national number of a length that it gives out, a trunk zero before it or not.
pub(super) fn dialled(digits: &[u8]) -> bool {
    let Some(first) = digits.first_chunk::<HEAD>() else {
        return false;
    };
    let Some(country) = COUNTRIES.get(place(first)).and_then(Option::as_ref) else {
        return false;
    };
    let fits = |national: &[u8]| (country.shortest..=country.longest).contains(&national.len());
    let national = digits.get(country.code.len()..).unwrap_or_default();
    fits(national) || national.strip_prefix(b"0").is_some_and(fits)
}

/// The most digits that a code has. A number has more.
const HEAD: usize = 3;

/// The number that the first digits make.
fn place(digits: &[u8; HEAD]) -> usize {
    let digit = |digit: &u8| usize::from(digit.wrapping_sub(b'0'));
    digits
        .iter()
        .fold(0, |place, next| place * 10 + digit(next))
}

/// A calling code and how long the numbers behind it are.
#[derive(Clone, Copy)]
struct Country {
    code: &'static str,
    shortest: usize,
    longest: usize,
}

/// By all first three digits that a number of theirs may have.
static COUNTRIES: LazyLock<Vec<Option<Country>>> = LazyLock::new(|| {
    let mut places = vec![None; 1_000];
    for country in countries() {
        let code = country.code.as_bytes();
        for (number, place) in (0_u16..).zip(&mut places) {
            if format!("{number:03}").as_bytes().starts_with(code) {
                *place = Some(country);
            }
        }
    }
    places
});

fn countries() -> impl Iterator<Item = Country> {
    rows(include_str!("../../data/calling_codes.csv")).filter_map(|row| match row.as_slice() {
        [code, shortest, longest] => Some(Country {
            code,
            shortest: shortest.parse().ok()?,
            longest: longest.parse().ok()?,
        }),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_shipped_calling_codes_is_read() {
        let all: Vec<Country> = countries().collect();
        assert_eq!(
            all.len(),
            rows(include_str!("../../data/calling_codes.csv")).count()
        );
        assert!(all.iter().all(|country| {
            country.shortest <= country.longest
                && country.longest <= 14
                && country.code.len() <= HEAD
                && country.code.len() + country.shortest >= HEAD
        }));
        // No code is the start of another, so that which country is meant can't hang on the order.
        for (place, a) in all.iter().enumerate() {
            for b in all.iter().skip(place + 1) {
                let apart = !b.code.starts_with(a.code) && !a.code.starts_with(b.code);
                assert!(apart, "{} {}", a.code, b.code);
            }
        }
    }

    #[test]
    fn a_number_is_of_a_country_that_gives_out_its_length() {
        for (digits, is) in [
            ("919876543210", true),
            ("9109876543210", true),
            ("91987654321", false),
            ("12125550147", true),
            ("35312345678", true),
            ("0012345678", false),
            ("1", false),
            ("", false),
        ] {
            assert_eq!(dialled(digits.as_bytes()), is, "{digits}");
        }
    }
}
