//! What the fuzz targets share: where texts are cut, and how JSON is changed so that it stays JSON.
//!
//! A target is a property of arbitrary bytes. All inputs are the bytes as they would come from outside, so that any file can be a seed;
//! what else is left to chance (cuts, edits) is drawn from a hash of the input, and a found input gives the same run again.

mod draw;
mod pieces;
mod tree;

pub use draw::Draw;
pub use pieces::{cut, in_pieces, ways};
pub use tree::mutate;
