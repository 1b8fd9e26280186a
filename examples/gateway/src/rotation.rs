//! Gives keys another text when their time has come, and writes it where its holder finds it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bartizan::auth::{Deliver, KeyQuery, KeyRecord, Keys};
use bartizan::core::BoxError;
use secrecy::{ExposeSecret as _, SecretString};

use crate::administrators::looks;
use crate::config::RotationSettings;
use crate::state::{self, StateError};

/// How long after its time a key is rotated, at most.
const LOOK: Duration = Duration::from_secs(5);

/// The last moment that every store can compare with.
const EVER: Duration = Duration::from_secs(u32::MAX as u64);

/// What whoever asks for a schedule is told where none is kept.
pub(crate) const NOBODY_DELIVERS: &str = "no key rotates by itself here, since nobody delivers its next text: set `bartizan.key_rotation.deliver` in the gateway's configuration, or leave \
     `auto_rotate` and `rotation_interval` away and use `/key/regenerate`";

/// A folder in which each key has a file, named by its `key_id`: an alias may be anybody's tomorrow, and is no name for a file.
#[derive(Clone, Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Makes the folder, where it is not there.
    ///
    /// # Errors
    /// It can't be used, or others can look into it.
    pub(crate) fn open(settings: &RotationSettings) -> Result<Self, StateError> {
        state::folder(&settings.directory)?;
        Ok(Self(settings.directory.clone()))
    }
}

impl Deliver for Folder {
    async fn deliver(&self, record: &KeyRecord, key: SecretString) -> Result<(), BoxError> {
        let folder = self.0.clone();
        let name = record.key_id.as_str().to_owned();
        tokio::task::spawn_blocking(move || write(&folder, &name, &key)).await??;
        Ok(())
    }
}

/// Whoever reads the file sees all of the one text or all of the other, also after the machine has lost its power.
fn write(folder: &Path, name: &str, key: &SecretString) -> io::Result<()> {
    let new = folder.join(format!(".{name}.new"));
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        // What a process left that died here: its text opens nothing.
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)?;
    let written = file
        .write_all(key.expose_secret().as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&new, folder.join(name)));
    if written.is_err() {
        // Best gone; it opens nothing either way.
        let _ = fs::remove_file(&new);
    }
    written?;
    fs::File::open(folder)?.sync_all()
}

/// Rotates keys whose time has come. Never ends.
pub(crate) async fn keep(keys: Keys, folder: Folder) {
    loop {
        match keys.rotate_due(&folder).await {
            Ok(0) => {}
            Ok(rotated) => tracing::info!(rotated, "keys were given another text"),
            Err(error) => tracing::warn!(%error, "keys can't be rotated for now"),
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Says so where keys have a schedule that nobody keeps.
pub(crate) async fn warn_of_idle(keys: &Keys) {
    let mut query = KeyQuery::default();
    query.rotates_by = Some(EVER);
    query.limit = 1;
    match keys.list(&looks(), query).await {
        Ok(scheduled) if scheduled.is_empty() => {}
        Ok(_) => tracing::warn!(
            "some keys are to rotate by themselves, and stay as they are: bartizan.key_rotation.deliver says nothing"
        ),
        Err(error) => tracing::warn!(%error, "whether keys are to rotate can't be told"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("keys");
        let settings = RotationSettings {
            directory: path.clone(),
            grace: Duration::from_secs(1),
        };
        Folder::open(&settings).unwrap();
        (root, path)
    }

    fn texts(path: &Path) -> Vec<(String, String)> {
        let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
        let mut texts: Vec<_> = entries
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                (name, fs::read_to_string(entry.path()).unwrap())
            })
            .collect();
        texts.sort();
        texts
    }

    #[test]
    fn a_text_takes_the_place_of_the_one_of_before_and_is_its_owners_alone() {
        let (_root, path) = folder();
        for text in ["one", "two"] {
            write(&path, "key_a", &text.into()).unwrap();
            assert_eq!(texts(&path), [("key_a".to_owned(), text.to_owned())]);
        }
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&path.join("key_a"))), (0o700, 0o600));
    }

    #[test]
    fn what_lies_there_already_is_not_written_through() {
        let (root, path) = folder();
        let elsewhere = root.path().join("elsewhere");
        fs::write(&elsewhere, "kept").unwrap();
        for name in ["key_a", ".key_a.new"] {
            std::os::unix::fs::symlink(&elsewhere, path.join(name)).unwrap();
        }
        write(&path, "key_a", &"one".into()).unwrap();
        assert_eq!(texts(&path), [("key_a".to_owned(), "one".to_owned())]);
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "kept");
    }

    #[test]
    fn a_folder_that_others_can_look_into_is_refused() {
        let (_root, path) = folder();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).unwrap();
        let settings = RotationSettings {
            directory: path,
            grace: Duration::from_secs(1),
        };
        assert!(matches!(
            Folder::open(&settings),
            Err(StateError::Open { .. })
        ));
    }
}
