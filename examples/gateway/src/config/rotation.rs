//! `bartizan.key_rotation`: whether keys get another text by themselves, and where it goes.

use std::path::PathBuf;
use std::time::Duration;

use super::read::Section;

/// How keys rotate. Without it none does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RotationSettings {
    /// The folder into which new texts are written.
    pub(crate) directory: PathBuf,
    /// How long the text of before goes on.
    pub(crate) grace: Duration,
}

pub(super) fn read(mut section: Section<'_>) -> Option<RotationSettings> {
    let deliver = section.need("deliver").and_then(|field| field.section());
    let directory = deliver.and_then(|mut section| {
        let field = section.need("directory");
        section.finish(&[]);
        let field = field?;
        let path = PathBuf::from(field.text()?);
        if path.is_absolute() {
            return Some(path);
        }
        field.fail("the whole path of a folder belongs here, such as /run/bartizan-keys");
        None
    });
    let times = Duration::from_secs(1)..=Duration::from_secs(30 * 86_400);
    let grace = section
        .take("grace")
        .and_then(|field| field.duration(times));
    section.finish(&[]);
    Some(RotationSettings {
        directory: directory?,
        grace: grace.unwrap_or(Duration::from_secs(86_400)),
    })
}
