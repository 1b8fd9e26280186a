//! A model's folder, as it is exported.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// What a folder holds.
#[derive(Debug)]
pub(super) struct Folder {
    /// The graph.
    pub(super) model: PathBuf,
    pub(super) tokenizer: PathBuf,
    pub(super) config: PathBuf,
    /// The labels, in the order of their numbers.
    pub(super) labels: Vec<String>,
    pub(super) padding: Option<i64>,
    /// The most tokens that the model takes in one piece.
    pub(super) most_tokens: Option<usize>,
}

/// What concerns us of `config.json`.
#[derive(Deserialize)]
struct Config {
    id2label: Option<BTreeMap<String, String>>,
    pad_token_id: Option<i64>,
    max_position_embeddings: Option<usize>,
}

/// Which file is at fault, and what is wrong with it.
pub(super) type Fault = (PathBuf, String);

const EXPORT: &str = "export the model with `optimum-cli export onnx --task token-classification`, which writes model.onnx, tokenizer.json and config.json";

/// Where graphs lie, the first that is there.
const MODELS: [&str; 2] = ["model.onnx", "onnx/model.onnx"];

impl Folder {
    /// `file` names the graph within it.
    pub(super) fn read(path: &Path, file: Option<&Path>) -> Result<Self, Fault> {
        if !path.is_dir() {
            let fault = format!("there is no such folder: {EXPORT}");
            return Err((path.to_owned(), fault));
        }
        let model = graph(path, file)?;
        let tokenizer = there(path.join("tokenizer.json"))?;
        let config = there(path.join("config.json"))?;
        let fault = |says: String| (config.clone(), says);
        let text = std::fs::read(&config).map_err(|error| fault(error.to_string()))?;
        let read: Config =
            serde_json::from_slice(&text).map_err(|error| fault(error.to_string()))?;
        let labels = labels(read.id2label).map_err(fault)?;
        Ok(Self {
            model,
            tokenizer,
            labels,
            padding: read.pad_token_id,
            most_tokens: read.max_position_embeddings,
            config,
        })
    }
}

fn there(path: PathBuf) -> Result<PathBuf, Fault> {
    if path.is_file() {
        Ok(path)
    } else {
        Err((path, format!("there is no such file: {EXPORT}")))
    }
}

fn graph(folder: &Path, file: Option<&Path>) -> Result<PathBuf, Fault> {
    let path = match file {
        Some(file) => folder.join(file),
        None => {
            let mut usual = MODELS.iter().map(|name| folder.join(name));
            usual
                .find(|path| path.is_file())
                .unwrap_or_else(|| folder.join("model.onnx"))
        }
    };
    if !path.is_file() {
        let others = graphs(folder);
        return Err(if others.is_empty() {
            (path, format!("there is no such file: {EXPORT}"))
        } else {
            let says = format!(
                "there is no such file, but {}: name one with `file`",
                others.join(", ")
            );
            (path, says)
        });
    }
    Ok(path)
}

/// The graphs that lie in `folder` under other names.
fn graphs(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for under in ["", "onnx"] {
        let entries = std::fs::read_dir(folder.join(under)).into_iter().flatten();
        found.extend(
            entries
                .flatten()
                .map(|entry| Path::new(under).join(entry.file_name()))
                .filter(|path| path.extension().is_some_and(|end| end == "onnx"))
                .map(|path| path.display().to_string()),
        );
    }
    found.sort();
    found
}

fn labels(named: Option<BTreeMap<String, String>>) -> Result<Vec<String>, String> {
    let named = named.unwrap_or_default();
    if named.is_empty() {
        return Err(format!(
            "it has no `id2label`, so the model is none that labels tokens: {EXPORT}"
        ));
    }
    let labels: Option<Vec<String>> = (0..named.len())
        .map(|number| named.get(&number.to_string()).cloned())
        .collect();
    labels.ok_or_else(|| {
        format!(
            "`id2label` must name each number from 0 to {}",
            named.len() - 1
        )
    })
}
