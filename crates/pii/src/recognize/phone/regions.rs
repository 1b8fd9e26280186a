//! The regions whose numbers are known without a calling code.

use std::sync::{Arc, LazyLock};

use super::plan::Plan;
use crate::ConfigError;

/// Those of Presidio's.
const USUAL: [&str; 8] = ["IN", "US", "GB", "DE", "FR", "IL", "CA", "BR"];

/// Chosen regions.
#[derive(Clone, Debug)]
pub(crate) struct Regions {
    plans: Arc<[&'static Plan]>,
    /// Whether India is among them, and whether one of those of the calling code 1.
    pub(super) india: bool,
    pub(super) america: bool,
}

impl Default for Regions {
    fn default() -> Self {
        static REGIONS: LazyLock<Regions> = LazyLock::new(|| {
            let plans = Plan::all().iter();
            Regions::of(plans.filter(|plan| USUAL.contains(&plan.region)).collect())
        });
        REGIONS.clone()
    }
}

impl Regions {
    pub(crate) fn new(names: &[String]) -> Result<Self, ConfigError> {
        let plan = |name: &String| {
            named(name.trim()).ok_or_else(|| ConfigError::PhoneRegion {
                given: name.clone(),
                nearest: nearest(name.trim()),
            })
        };
        Ok(Self::of(names.iter().map(plan).collect::<Result<_, _>>()?))
    }

    fn of(mut plans: Vec<&'static Plan>) -> Self {
        plans.sort_unstable_by_key(|plan| plan.region);
        plans.dedup_by_key(|plan| plan.region);
        Self {
            india: plans.iter().any(|plan| plan.region == "IN"),
            america: plans.iter().any(|plan| plan.code == "1"),
            plans: plans.into(),
        }
    }

    /// Whether one of them gives out a number that is dialled so, with the national prefix.
    pub(super) fn give_at_home(&self, dialled: &[u8]) -> bool {
        self.plans.iter().any(|plan| plan.gives_at_home(dialled))
    }

    /// The same of a number without it.
    pub(super) fn give(&self, national: &[u8]) -> bool {
        self.plans.iter().any(|plan| plan.gives(national))
    }
}

fn named(name: &str) -> Option<&'static Plan> {
    let real = |plan: &&Plan| plan.region.bytes().all(|byte| byte.is_ascii_alphabetic());
    let mut plans = Plan::all().iter().filter(real);
    plans.find(|plan| plan.region.eq_ignore_ascii_case(name))
}

/// What was probably meant: a region by another name or by its calling code, or one that is spelt nearly so.
fn nearest(given: &str) -> &'static str {
    let given = given.to_ascii_uppercase();
    let by_code = || {
        let code = given.trim_start_matches(['+', '0']);
        Plan::all().iter().find(|plan| plan.code == code)
    };
    let known = match given.as_str() {
        "UK" | "ENGLAND" | "SCOTLAND" => named("GB"),
        "EL" => named("GR"),
        "GERMANY" => named("DE"),
        "SPAIN" => named("ES"),
        _ => by_code().or_else(|| given.get(..2).and_then(named)),
    };
    let alike = |plan: &&Plan| {
        // A wrong second letter is likelier than a wrong first one.
        let pairs = plan.region.bytes().zip(given.bytes());
        pairs.fold(0, |wrong, (own, given)| wrong * 2 + u8::from(own != given))
    };
    let known = known.or_else(|| Plan::all().iter().min_by_key(alike));
    known.map_or("IN", |plan| plan.region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_region_is_named_with_the_one_that_was_meant() {
        for (given, meant) in [
            ("UK", "GB"),
            ("USA", "US"),
            ("india", "IN"),
            ("+44", "GB"),
            ("1", "US"),
            ("IX", "IT"),
            ("", "US"),
        ] {
            let error = Regions::new(&["IN".to_owned(), given.to_owned()]).unwrap_err();
            let said = error.to_string();
            assert!(said.contains(&format!("`{given}`")), "{said}");
            assert!(said.contains(&format!("`{meant}`")), "{said}");
        }
    }

    #[test]
    fn a_region_is_chosen_in_any_case_and_all_usual_ones_are_known() {
        let regions = Regions::new(&["in".to_owned(), " Gb".to_owned()]).unwrap();
        assert!(regions.india && !regions.america);
        assert!(regions.give_at_home(b"02079460123") && regions.give(b"9876543210"));
        assert!(!regions.give_at_home(b"0153204199"));
        assert_eq!(Regions::default().plans.len(), USUAL.len());
        assert!(Regions::default().america);
    }
}
