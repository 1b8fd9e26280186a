//! What a gateway keeps on disk: a folder that is its owner's alone.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

/// Why the folder can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    #[error("{path} can't be used: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("{path} can be read by others: take their rights away with `chmod go= {path}`")]
    Open { path: PathBuf },
    #[error("no randomness can be had")]
    Randomness,
}

/// Makes the folder, readable by its owner only.
pub(crate) fn folder(path: &Path) -> Result<(), StateError> {
    let failed = |source| StateError::Io {
        path: path.to_owned(),
        source,
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(failed)?;
    private(path)
}

/// The pepper that lies in the folder, made anew where there is none. It lies beside the database, not in it: a copy of the database
/// alone gives nobody a key to guess at.
pub(crate) fn pepper(folder: &Path) -> Result<SecretString, StateError> {
    let path = folder.join("pepper");
    let failed = |source| StateError::Io {
        path: path.clone(),
        source,
    };
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path);
    match made {
        Ok(mut file) => {
            let pepper = random()?;
            file.write_all(pepper.expose_secret().as_bytes())
                .and_then(|()| file.sync_all())
                .map_err(failed)?;
            Ok(pepper)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            private(&path)?;
            let mut text = String::new();
            OpenOptions::new()
                .read(true)
                .open(&path)
                .and_then(|mut file| file.read_to_string(&mut text))
                .map_err(failed)?;
            Ok(SecretString::from(text.trim()))
        }
        Err(error) => Err(failed(error)),
    }
}

fn private(path: &Path) -> Result<(), StateError> {
    let mode = std::fs::metadata(path).map(|metadata| metadata.permissions().mode());
    let mode = mode.map_err(|source| StateError::Io {
        path: path.to_owned(),
        source,
    })?;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(StateError::Open {
            path: path.to_owned(),
        })
    }
}

/// 256 random bits in hexadecimal.
pub(crate) fn random() -> Result<SecretString, StateError> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|_| StateError::Randomness)?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(SecretString::from(text))
}

/// A new master key.
pub(crate) fn master_key() -> Result<SecretString, StateError> {
    Ok(SecretString::from(format!(
        "sk-{}",
        random()?.expose_secret()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pepper_is_made_once_and_is_its_owners() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/data");
        folder(&path).unwrap();
        let first = pepper(&path).unwrap();
        assert_eq!(
            first.expose_secret(),
            pepper(&path).unwrap().expose_secret()
        );
        assert!(bartizan::auth::Pepper::new(&first).is_ok());
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&path.join("pepper"))), (0o700, 0o600));

        std::fs::set_permissions(path.join("pepper"), std::fs::Permissions::from_mode(0o644))
            .unwrap();
        assert!(matches!(pepper(&path), Err(StateError::Open { .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(folder(&path), Err(StateError::Open { .. })));
    }

    #[test]
    fn a_new_master_key_is_strong() {
        assert!(bartizan::auth::MasterKey::new(master_key().unwrap()).is_ok());
    }
}
