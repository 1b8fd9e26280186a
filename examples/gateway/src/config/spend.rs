//! `bartizan.spend`: how the ledger of spending is kept.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bartizan::core::Period;
use bartizan::limit::spend::{SpendBuilder, Zone};

use super::field::Field;
use super::read::Section;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const LONGEST: Duration = Duration::from_secs(100 * 366 * 86_400);

/// How the ledger is kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpendSettings {
    /// The folder of the journal; in the folder of data where none is named.
    journal: Option<PathBuf>,
    pub(crate) builder: SpendBuilder,
}

impl SpendSettings {
    /// The folder of the journal.
    pub(crate) fn journal(&self, data_dir: &Path) -> PathBuf {
        let default = || data_dir.join("spend");
        self.journal.clone().unwrap_or_else(default)
    }
}

pub(super) fn read(mut section: Section<'_>) -> SpendSettings {
    let mut settings = SpendSettings {
        journal: section
            .take("journal")
            .and_then(|field| field.text())
            .map(PathBuf::from),
        ..SpendSettings::default()
    };
    let mut builder = settings.builder;
    let mib = 1024 * 1024;
    if let Some(bound) = section
        .take("journal_bound")
        .and_then(|field| field.number(4 * mib..=1024 * 1024 * mib))
    {
        builder = builder.bound(bound);
    }
    if let Some(age) = age(&mut section, "fold_after", HOUR..=LONGEST) {
        builder = builder.fold_after(age);
    }
    if let Some(age) = age(&mut section, "days_after", 2 * DAY..=LONGEST) {
        builder = builder.days_after(age);
    }
    if let Some(age) = age(&mut section, "retention", 2 * DAY..=LONGEST) {
        builder = builder.retention(age);
    }
    if let Some(zone) = section
        .take("timezone")
        .and_then(|field| self::zone(&field))
    {
        builder = builder.zone(zone);
    }
    section.finish(&[]);
    settings.builder = builder;
    settings
}

fn zone(field: &Field<'_>) -> Option<Zone> {
    let zone = Zone::get(&field.text()?);
    zone.map_err(|error| field.fail(error.to_string())).ok()
}

fn age(
    section: &mut Section<'_>,
    name: &'static str,
    range: RangeInclusive<Duration>,
) -> Option<Duration> {
    let field = section.take(name)?;
    let period = field.text()?.parse::<Period>().ok();
    // A month is one of 31 days here.
    let age = period.map(|period| period.after(Duration::ZERO));
    let age = age.filter(|age| range.contains(age));
    if age.is_none() {
        field.fail(format!(
            "an age belongs here, such as 7d or 12mo, of {} hours at least",
            range.start().as_secs() / 3_600
        ));
    }
    age
}
