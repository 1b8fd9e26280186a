//! Any JSON: for services that are no LLM API.

use super::shape::Shape;

pub(super) static ANY: Shape = Shape::Anything;
