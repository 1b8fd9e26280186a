//! The ONNX runtime: one a process.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;

use crate::ConfigError;

/// The one that was loaded first, and from where.
static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

/// Names the library where the configuration doesn't.
const VARIABLE: &str = "ORT_DYLIB_PATH";

/// Loads the runtime from `asked`, else from where the variable says, else the system's; or gives the one that is loaded.
pub(super) fn environment(asked: Option<&Path>) -> Result<Environment, ConfigError> {
    let asked = asked.map(Path::to_owned).or_else(|| {
        let named = std::env::var_os(VARIABLE).filter(|path| !path.is_empty());
        named.map(PathBuf::from)
    });
    let path = match asked {
        Some(path) => path
            .canonicalize()
            .map_err(|error| fault(&path, &format!("{error}; {WHERE}")))?,
        None => PathBuf::from(format!(
            "{}onnxruntime{}",
            std::env::consts::DLL_PREFIX,
            std::env::consts::DLL_SUFFIX
        )),
    };
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    match &*loaded {
        Some((from, environment)) if *from == path => return Ok(environment.clone()),
        Some((from, _)) => {
            return Err(fault(
                &path,
                &format!(
                    "another ONNX runtime is loaded, from {}, and a process has one: name the same for all models",
                    from.display()
                ),
            ));
        }
        None => {}
    }
    let environment = ort::init_from(&path)
        .map_err(|error| fault(&path, &format!("{error}; {WHERE}")))?
        .with_name("bartizan")
        .with_telemetry(false)
        .build()
        .map_err(|error| fault(&path, &error.to_string()))?;
    // What it logs may tell of the texts.
    environment.set_log_level(LogLevel::Fatal);
    *loaded = Some((path, environment.clone()));
    Ok(environment)
}

const WHERE: &str = "name the file of the ONNX runtime 1.17 or later (libonnxruntime.so) with `runtime` or in the environment variable ORT_DYLIB_PATH";

fn fault(path: &Path, says: &str) -> ConfigError {
    ConfigError::Model {
        place: path.display().to_string(),
        says: says.to_owned(),
    }
}
