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
    COUNTRIES.iter().any(|country| {
        let fits = |national: &[u8]| (country.shortest..=country.longest).contains(&national.len());
        let national = digits.strip_prefix(country.code.as_bytes());
        national
            .is_some_and(|national| fits(national) || national.strip_prefix(b"0").is_some_and(fits))
    })
}

/// A calling code and how long the numbers behind it are.
struct Country {
    code: &'static str,
    shortest: usize,
    longest: usize,
}

static COUNTRIES: LazyLock<Vec<Country>> = LazyLock::new(|| {
    rows(include_str!("../../data/calling_codes.csv"))
        .filter_map(|row| match row.as_slice() {
            [code, shortest, longest] => Some(Country {
                code,
                shortest: shortest.parse().ok()?,
                longest: longest.parse().ok()?,
            }),
            _ => None,
        })
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_shipped_calling_codes_is_read() {
        assert_eq!(
            COUNTRIES.len(),
            rows(include_str!("../../data/calling_codes.csv")).count()
        );
        assert!(
            COUNTRIES
                .iter()
                .all(|country| country.shortest <= country.longest && country.longest <= 14)
        );
        // No code is the start of another, so that which country is meant can't hang on the order.
        for a in COUNTRIES.iter() {
            assert!(
                COUNTRIES
                    .iter()
                    .all(|b| a.code == b.code || !b.code.starts_with(a.code)),
                "{}",
                a.code
            );
        }
    }
}
