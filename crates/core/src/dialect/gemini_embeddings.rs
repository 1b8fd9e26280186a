//! Gemini `embedContent` and `batchEmbedContents`.

use super::gemini::{ERROR, PART, usage};
use super::openai::{error, model};
use super::shape::Rule::{Any, By, Each, Fact, FactIn, In, Skip};
use super::shape::{Object, Shape};
use super::text::TextRole::{Input, Metadata};

/// One content, or requests for many.
pub(super) static REQUEST: Shape = Shape::Object(Object::new(&[
    ("model", Fact(model)),
    ("content", In(&CONTENT)),
    ("requests", Each(&REQUEST)),
    ("title", By(Input)),
    ("taskType", Skip),
    ("task_type", Skip),
    ("outputDimensionality", Skip),
    ("output_dimensionality", Skip),
    ("autoTruncate", Skip),
    ("auto_truncate", Skip),
    ("embedContentConfig", In(&REQUEST)),
    ("embed_content_config", In(&REQUEST)),
    ("documentOcr", Skip),
    ("document_ocr", Skip),
    ("audioTrackExtraction", Skip),
    ("audio_track_extraction", Skip),
    ("labels", Any(Metadata)),
]));
static CONTENT: Shape =
    Shape::Object(Object::new(&[("role", Skip), ("parts", Each(&PART))]).by(Input));

pub(super) static REPLY: Shape = Shape::Object(Object::new(&[
    ("embedding", Skip),
    ("embeddings", Skip),
    ("usageMetadata", Fact(usage)),
    ("truncated", Skip),
    ("error", FactIn(&ERROR, error)),
]));
