//! What a handler that changes something gives back: its answer, and what the record is to say.

use bartizan_audit::Fields;
use bartizan_core::{Refusal, RefusalKind, json::Json};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// A change that was made.
#[derive(Debug)]
pub struct Done<O> {
    pub(crate) answer: O,
    pub(crate) touched: Vec<Touched>,
}

/// One object that was changed.
#[derive(Debug)]
pub(crate) struct Touched {
    pub(crate) id: String,
    pub(crate) before: Option<Fields>,
    pub(crate) after: Option<Fields>,
}

impl<O> Done<O> {
    /// Begins with the answer, and no object.
    pub fn new(answer: O) -> Self {
        Self {
            answer,
            touched: Vec::new(),
        }
    }

    /// Adds an object: its public name, and how it was before and is after, as an administrator is shown it. `None` where it was not there.
    ///
    /// What is shown must hold no secret. Of `metadata` and `user_email` the record tells a hash instead: a journal is kept for years and
    /// can't be cut, so free text and personal data don't belong there. The hash is bound to the object's name, and shows whether a value
    /// was changed, and whether it was some value that one knows.
    ///
    /// # Errors
    /// 500 where it can't be told as JSON.
    pub fn touch<S: Serialize>(
        mut self,
        id: &str,
        before: Option<&S>,
        after: Option<&S>,
    ) -> Result<Self, Refusal> {
        let told = |shown: Option<&S>| shown.map(|shown| fields(id, shown)).transpose();
        let (before, after) = (told(before)?, told(after)?);
        self.touched.push(Touched {
            id: id.to_owned(),
            before,
            after,
        });
        Ok(self)
    }
}

/// What the record tells as a hash.
const HASHED: [&str; 2] = ["metadata", "user_email"];

fn fields(id: &str, shown: &impl Serialize) -> Result<Fields, Refusal> {
    let text = serde_json::to_string(shown).map_err(|_| unsayable())?;
    let json = Json::read(text).map_err(|_| unsayable())?;
    let mut fields = Fields::default();
    for (name, value) in json.root().members() {
        let Some(name) = name.text() else { continue };
        if !HASHED.contains(&&*name) {
            fields
                .set_json(&name, value.raw())
                .map_err(|_| unsayable())?;
        } else if value.members().next().is_some() {
            let pairs: std::collections::BTreeMap<String, String> = value
                .members()
                .filter_map(|(key, value)| {
                    let key = key.text()?.into_owned();
                    let hash = hash(&[id, &name, &key, value.raw()]);
                    Some((key, hash))
                })
                .collect();
            fields.set(&name, &pairs).map_err(|_| unsayable())?;
        } else if let Some(text) = value.text() {
            let hash = hash(&[id, &name, &text]);
            fields.set(&name, &hash).map_err(|_| unsayable())?;
        }
    }
    Ok(fields)
}

/// 64 bits: enough to see a change, too few to be an oracle for anything long.
fn hash(parts: &[&str]) -> String {
    let mut hash = Sha256::new_with_prefix("bartizan-admin/1 value\0");
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let hash = hash.finalize();
    let short: String = hash
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256:{short}")
}

pub(crate) fn unsayable() -> Refusal {
    Refusal::new(
        RefusalKind::Internal,
        "unsayable",
        "the answer can't be told as JSON",
    )
}
