//! `onnx`: a model in a folder, which finds personal data in this process.
//!
//! It is loaded when the configuration is read, so that `check` tells what `serve` would, with the line.

use std::fmt;
use std::sync::Arc;

#[cfg(feature = "onnx")]
use bartizan::pii::{Aggregation, Onnx, OnnxBuilder};
use bartizan::pii::{Entity, Model};

#[cfg(feature = "onnx")]
use super::detection;
use super::field::Field;

/// A model that is loaded.
#[derive(Clone)]
pub(crate) struct Loaded(Arc<dyn Model>);

impl Loaded {
    pub(super) fn entities(&self) -> &[Entity] {
        self.0.entities()
    }

    pub(crate) fn model(&self) -> Arc<dyn Model> {
        Arc::clone(&self.0)
    }
}

/// Whether it is the same one.
impl PartialEq for Loaded {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(not(feature = "onnx"))]
pub(super) fn read(field: &Field<'_>) -> Option<Loaded> {
    field.fail("this gateway was built without models: build it with `--features onnx`, or set `presidio_analyzer_api_base`");
    None
}

#[cfg(feature = "onnx")]
pub(super) fn read(field: &Field<'_>) -> Option<Loaded> {
    let mut section = field.section()?;
    let path = section.need("path").and_then(|field| field.text());
    let runtime = section.take("runtime").and_then(|field| field.text());
    let file = section.take("file").and_then(|field| field.text());
    let labels = section.take("labels").map(|field| labels(&field));
    let aggregation = section.take("aggregation").and_then(|field| {
        field.one_of(&[
            ("first", Aggregation::First),
            ("simple", Aggregation::Simple),
        ])
    });
    let score = section
        .take("score_threshold")
        .and_then(|field| field.fraction());
    let mut number = |name, most| {
        let field = section.take(name)?;
        field.number(1..=most)
    };
    let (window, overlap) = (number("window", 100_000), number("overlap", 50_000));
    let (batch, threads, sessions) = (
        number("batch", 1_000),
        number("threads", 1_000),
        number("sessions", 1_000),
    );
    section.finish(&[]);
    let path = path?;
    let mut builder = Onnx::at(&path);
    for (label, entity) in labels.unwrap_or_default() {
        builder = match entity {
            Some(entity) => builder.label(label, entity),
            None => builder.ignore_label(label),
        };
    }
    let with = |builder, value: Option<usize>, set: fn(OnnxBuilder, usize) -> OnnxBuilder| {
        value.into_iter().fold(builder, set)
    };
    builder = with(builder, window, OnnxBuilder::window);
    builder = with(builder, overlap, OnnxBuilder::overlap);
    builder = with(builder, batch, OnnxBuilder::batch);
    builder = with(builder, threads, OnnxBuilder::threads);
    builder = with(builder, sessions, OnnxBuilder::sessions);
    if let Some(file) = file {
        builder = builder.file(file);
    }
    if let Some(runtime) = &runtime {
        builder = builder.runtime(runtime);
    }
    if let Some(aggregation) = aggregation {
        builder = builder.aggregation(aggregation);
    }
    if let Some(score) = score {
        builder = builder.score_threshold(score);
    }
    match builder.load() {
        Ok(model) => Some(Loaded(Arc::new(model))),
        Err(error) => {
            // No value of the file's is told, as any might be a secret that stands in the wrong place.
            let mut says = error.to_string().replace(&path, "<path>");
            if let Some(runtime) = runtime {
                says = says.replace(&runtime, "<runtime>");
            }
            field.fail(says);
            None
        }
    }
}

/// What labels stand for, by the user's own word.
#[cfg(feature = "onnx")]
fn labels(field: &Field<'_>) -> Vec<(String, Option<Entity>)> {
    let all = field.section().map(|mut section| section.rest());
    let read = |(label, field): (String, Field<'_>)| {
        let name = field.text()?;
        if name.eq_ignore_ascii_case("none") {
            return Some((label, None));
        }
        Some((label, Some(detection::known(&field, &name)?)))
    };
    all.unwrap_or_default()
        .into_iter()
        .filter_map(read)
        .collect()
}
