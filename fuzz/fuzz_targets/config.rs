//! The example gateway's YAML: any text is settings or a list of what is wrong with it.

#![no_main]

#[allow(
    dead_code,
    unused_imports,
    reason = "the gateway's own module: it uses the rest of it"
)]
#[path = "../../examples/gateway/src/config/mod.rs"]
mod config;

use config::Settings;
use libfuzzer_sys::fuzz_target;
use secrecy::SecretString;

fuzz_target!(|bytes: &[u8]| {
    let text = &*String::from_utf8_lossy(bytes);
    let lines = text.split(['\n', '\r']).count();
    let env = |name: &str| match name {
        "EMPTY" => Some(String::new()),
        "NUMBER" => Some("8080".to_owned()),
        "MASTER" => Some("sk-5a0d83f7c2164be99e7b20f1d86c4a3e".to_owned()),
        "HALF" => text
            .get(..text.floor_char_boundary(text.len() / 2))
            .map(str::to_owned),
        _ => None,
    };
    if let Err(problems) = Settings::read(&SecretString::from(text), &env) {
        assert!(!problems.is_empty());
        for problem in &problems {
            assert!(
                problem.line <= lines + 1,
                "line {} of {lines}",
                problem.line
            );
            assert!(!problem.to_string().is_empty());
        }
    }
});
