//! Numbering plans: which numbers each region of the world gives out.
//!
//! `data/phones.txt` has them, as libphonenumber knows them: of each length of number the leading digits in use. A number is looked up in a
//! sorted table of ranges, without any expression.

use std::ops::{Range, RangeInclusive};
use std::sync::LazyLock;

/// So many leading digits tell whether a number is in use.
const LEADING: usize = 8;

/// The numbers of one region.
#[derive(Debug)]
pub(crate) struct Plan {
    /// ISO 3166's two letters; `001` for numbers of no region.
    pub(crate) region: &'static str,
    /// The calling code.
    pub(crate) code: &'static str,
    /// What is dialled before a number at home; empty where nothing is.
    trunk: &'static str,
    lengths: Vec<Length>,
}

/// The numbers of one length.
#[derive(Debug)]
struct Length {
    digits: usize,
    /// Their first eight digits, in order; shorter ones end in zeros, or in nines for the end of a range.
    leading: Vec<RangeInclusive<u32>>,
}

static PLANS: LazyLock<Vec<Plan>> =
    LazyLock::new(|| read(include_str!("../../../data/phones.txt")));

/// The most digits that a calling code has.
const CODE: usize = 3;

/// Where the plans of a calling code are, by all first three digits that its numbers may have.
static CODES: LazyLock<Vec<Range<usize>>> = LazyLock::new(|| {
    let mut codes = vec![0..0; 1_000];
    for (index, plan) in PLANS.iter().enumerate() {
        let first = format!("{:0<CODE$}", plan.code).parse().unwrap_or(0);
        let last = format!("{:9<CODE$}", plan.code).parse().unwrap_or(0);
        let places: RangeInclusive<usize> = first..=last;
        for plans in codes.get_mut(places).into_iter().flatten() {
            let start = if plans.end == 0 { index } else { plans.start };
            *plans = start..index + 1;
        }
    }
    codes
});

impl Plan {
    /// All plans, those of one calling code together and its main region first.
    pub(crate) fn all() -> &'static [Plan] {
        &PLANS
    }

    /// Whether the region gives out this number, written without calling code and national prefix.
    pub(crate) fn gives(&self, national: &[u8]) -> bool {
        self.lengths
            .iter()
            .find(|length| length.digits == national.len())
            .is_some_and(|length| length.has(leading(national)))
    }

    /// The same of what is dialled within the region, with its national prefix.
    pub(crate) fn gives_at_home(&self, dialled: &[u8]) -> bool {
        // Where there is no prefix, as in Italy, a zero belongs to the number.
        dialled
            .strip_prefix(self.trunk.as_bytes())
            .is_some_and(|national| self.gives(national))
    }

    fn has_length(&self, digits: usize) -> bool {
        self.lengths.iter().any(|length| length.digits == digits)
    }
}

impl Length {
    fn has(&self, leading: u32) -> bool {
        let behind = self.leading.partition_point(|range| *range.end() < leading);
        self.leading
            .get(behind)
            .is_some_and(|range| range.contains(&leading))
    }
}

/// What is known of digits that a calling code opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// No region has numbers of this length.
    Impossible,
    /// A region has numbers of this length, and none that begins so.
    Possible,
    /// A region gives it out.
    Valid,
}

/// Judges digits that are a calling code and a national number, a national prefix between them or none.
pub(crate) fn standing(digits: &[u8]) -> Standing {
    let Some(first) = digits.first_chunk::<CODE>() else {
        return Standing::Impossible;
    };
    let place = first.iter().fold(0, |place, digit| {
        place * 10 + usize::from(digit.wrapping_sub(b'0'))
    });
    let plans = CODES.get(place).and_then(|plans| PLANS.get(plans.clone()));
    let [main, ..] = plans.unwrap_or_default() else {
        return Standing::Impossible;
    };
    let plans = plans.unwrap_or_default();
    let national = digits.get(main.code.len()..).unwrap_or_default();
    // Whoever writes a zero needlessly may mean the number behind it.
    let shorter = national.strip_prefix(b"0").unwrap_or(national);
    let of = |plan: &Plan| {
        if plan.gives(national) || plan.gives_at_home(national) {
            Standing::Valid
        } else if plan.has_length(national.len()) || plan.has_length(shorter.len()) {
            Standing::Possible
        } else {
            Standing::Impossible
        }
    };
    plans.iter().map(of).max().unwrap_or(Standing::Impossible)
}

/// The first eight digits as a number, zeros in the place of those that are missing.
fn leading(digits: &[u8]) -> u32 {
    let digits = digits.iter().chain(std::iter::repeat(&b'0'));
    digits
        .take(LEADING)
        .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'))
}

fn read(table: &'static str) -> Vec<Plan> {
    let mut plans: Vec<Plan> = Vec::new();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            [region, code, trunk] => plans.push(Plan {
                region,
                code,
                trunk: if *trunk == "-" { "" } else { trunk },
                lengths: Vec::new(),
            }),
            [digits, ranges] => {
                let length = digits.parse().ok().map(|digits| Length {
                    digits,
                    leading: ranges.split(',').filter_map(range).collect(),
                });
                if let Some(plan) = plans.last_mut() {
                    plan.lengths.extend(length);
                }
            }
            _ => {}
        }
    }
    plans
}

/// `120461-4`, as the first and the last eight digits that it stands for.
fn range(text: &str) -> Option<RangeInclusive<u32>> {
    let (first, end) = text.split_once('-').unwrap_or((text, ""));
    let missing = u32::try_from(LEADING.checked_sub(first.len())?).ok()?;
    let ends = 10_u32.pow(u32::try_from(end.len()).ok()?);
    let filler = 10_u32.pow(missing);
    let first: u32 = first.parse().ok()?;
    let last = match end {
        "" => first,
        end => first - first % ends + end.parse::<u32>().ok()?,
    };
    Some(first * filler..=last * filler + (filler - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = include_str!("../../../data/phones.txt");

    #[test]
    fn every_line_of_the_shipped_plans_is_read() {
        let lines = || TABLE.lines().filter(|line| !line.starts_with('#'));
        let heads = lines().filter(|line| line.split(' ').count() == 3).count();
        assert_eq!(PLANS.len(), heads);
        let lengths: usize = PLANS.iter().map(|plan| plan.lengths.len()).sum();
        assert_eq!(lengths + heads, lines().count());
        for plan in Plan::all() {
            assert!((1..=3).contains(&plan.code.len()), "{plan:?}");
            assert!(!plan.lengths.is_empty(), "{}", plan.region);
        }
        let ranges = lines().filter(|line| line.split(' ').count() == 2);
        let written: usize = ranges.map(|line| line.split(',').count()).sum();
        let all = || PLANS.iter().flat_map(|plan| &plan.lengths);
        let kept: usize = all().map(|length| length.leading.len()).sum();
        assert_eq!(kept, written);
        for length in all() {
            let sorted = length.leading.is_sorted_by(|a, b| a.end() < b.start());
            assert!(sorted, "{length:?}");
        }
        // No code is the start of another, and the plans of one stand together: which are meant can't hang on the order.
        for (place, plans) in CODES.iter().enumerate() {
            let of = |plan: &&Plan| format!("{place:03}").starts_with(plan.code);
            let own: Vec<_> = PLANS.iter().filter(of).map(|plan| plan.code).collect();
            assert!(own.windows(2).all(|pair| pair[0] == pair[1]), "{own:?}");
            assert_eq!(own.len(), plans.len(), "{place}");
        }
    }

    #[test]
    fn a_number_is_valid_where_a_region_of_its_code_gives_it_out() {
        for (digits, standing_of) in [
            ("919876543210", Standing::Valid),
            ("9109876543210", Standing::Valid),
            ("911034567890", Standing::Possible),
            ("9198765", Standing::Impossible),
            ("442079460123", Standing::Valid),
            ("4402079460123", Standing::Valid),
            ("390255567890", Standing::Valid),
            ("12125550147", Standing::Valid),
            ("11234567890", Standing::Possible),
            ("999123456789", Standing::Impossible),
            ("80012345678", Standing::Valid),
            ("4", Standing::Impossible),
            ("", Standing::Impossible),
        ] {
            assert_eq!(standing(digits.as_bytes()), standing_of, "{digits}");
        }
    }

    /// `cargo xtask phones check` asks the package `phonenumbers` about numbers that it draws, and tells where the answers are.
    #[test]
    fn plans_agree_with_libphonenumber() {
        let Some(path) = std::env::var_os("BARTIZAN_PHONES") else {
            return;
        };
        let cases = std::fs::read_to_string(path).unwrap();
        let mut by_region = std::collections::BTreeMap::<_, [u32; 2]>::new();
        for line in cases.lines() {
            let [region, number, verdict, of] = line.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{line}");
            };
            let valid = match number.strip_prefix('+') {
                Some(digits) => standing(digits.as_bytes()) == Standing::Valid,
                None => {
                    let plan = PLANS.iter().find(|plan| plan.region == region).unwrap();
                    plan.gives_at_home(number.as_bytes())
                }
            };
            let counts = by_region.entry(of).or_default();
            counts[usize::from(valid == (verdict == "yes"))] += 1;
        }
        let all = |place: usize| by_region.values().map(|counts| counts[place]).sum::<u32>();
        let (differ, agree) = (all(0), all(1));
        let worst = by_region
            .iter()
            .max_by_key(|(_, counts)| counts[0])
            .unwrap();
        println!(
            "{agree} of {} agree, of {} regions; most differ of {worst:?}",
            agree + differ,
            by_region.len()
        );
        assert!(f64::from(agree) / f64::from(agree + differ) >= 0.99);
    }
}
