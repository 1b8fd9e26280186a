//! Measures how well personal data is found: precision, recall and F2 of each entity, what was taken for what, and every
//! miss and false alarm, on data sets of others and on a [`corpus`] of our own.
//!
//! `cargo xtask eval-pii DATASET` runs it; `docs/pii-evaluation.md` tells how, and what came of it.
//!
//! ```
//! use bartizan_pii::Analyzer;
//! use bartizan_pii_eval::{Case, Dataset, Score, find};
//!
//! let text = "mail ravi@example.com";
//! let dataset = Dataset::new("mine", vec![Case::new(text).span("EMAIL_ADDRESS", 5..21)]);
//! let score = Score::of(&dataset, &find(&Analyzer::all(), &dataset));
//!
//! assert_eq!(score.tally("EMAIL_ADDRESS").recall(), 1.0);
//! ```

mod case;
mod clock;
pub mod corpus;
pub mod floors;
pub mod presidio;
pub mod prose;
mod score;
pub mod source;
pub mod speed;
pub mod table;
pub mod unit;

pub use case::{Case, Dataset, Found, Span, Trap};
pub use score::{Miss, OVERLAP, Score, Tally, find};

/// Why an evaluation could not be made, in words for whoever runs it.
pub type Failure = String;
