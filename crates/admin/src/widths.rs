//! Whole numbers in the document, as wide as they are.
//!
//! A `u32` is told as `int32`, whose greatest is half of what is taken and shown.

use utoipa::openapi::schema::{AdditionalProperties, ArrayItems, Schema};
use utoipa::openapi::{KnownFormat, RefOr, SchemaFormat};

/// Tells the greatest number in the place of a format that stands for a lesser one.
pub(crate) fn widen(schema: &mut RefOr<Schema>) {
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object) => {
            if object.format == Some(SchemaFormat::KnownFormat(KnownFormat::Int32)) {
                object.format = None;
                object.maximum = object.maximum.take().or(Some(u32::MAX.into()));
            }
            object.properties.values_mut().for_each(widen);
            if let Some(rest) = &mut object.additional_properties
                && let AdditionalProperties::RefOr(rest) = &mut **rest
            {
                widen(rest);
            }
        }
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                widen(items);
            }
        }
        Schema::OneOf(several) => several.items.iter_mut().for_each(widen),
        Schema::AllOf(several) => several.items.iter_mut().for_each(widen),
        Schema::AnyOf(several) => several.items.iter_mut().for_each(widen),
        _ => {}
    }
}
