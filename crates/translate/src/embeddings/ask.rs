//! What is asked for, whichever API asks.

use bartizan_core::json::Value;
use bartizan_core::{Refusal, RefusalKind};

use super::to_client::Client;
use crate::losses::Losses;
use crate::neutral::{Names, Str, told};
use crate::read::{Place, Unknown, unknown};

#[derive(Debug)]
pub(super) struct Ask<'a> {
    /// The caller's words for fields: ours are OpenAI's, and those of servers compatible with it.
    pub(super) names: Names,
    pub(super) model: Str<'a>,
    /// How the answer is written.
    pub(super) client: Client,
    pub(super) inputs: Vec<Input<'a>>,
    pub(super) cut: Option<Cut>,
    /// The most tokens of each input that count (Cohere).
    pub(super) max_tokens: Option<u64>,
    pub(super) user: Option<Str<'a>>,
    /// Members of OpenAI's dialect that only some of its servers have.
    pub(super) rest: Vec<(Str<'a>, Value<'a>)>,
}

/// What becomes one vector.
#[derive(Debug, Default)]
pub(super) struct Input<'a> {
    pub(super) what: What<'a>,
    pub(super) purpose: Option<Purpose>,
    pub(super) title: Option<Str<'a>>,
    pub(super) dimensions: Option<u64>,
}

#[derive(Debug)]
pub(super) enum What<'a> {
    /// At least one.
    Parts(Vec<Part<'a>>),
    /// A list of tokens of one model's, raw.
    Tokens(&'a str),
    /// An object that only a server of the caller's dialect can read.
    Own(Value<'a>),
}

impl Default for What<'_> {
    fn default() -> Self {
        Self::Parts(Vec::new())
    }
}

#[derive(Debug)]
pub(super) enum Part<'a> {
    Text(Str<'a>),
    Data {
        /// Lower case.
        media_type: Str<'a>,
        /// Of base64's characters alone.
        data: Str<'a>,
    },
    Url {
        url: Str<'a>,
        media_type: Option<Str<'a>>,
    },
}

/// What a vector is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Document,
    Query,
    Similarity,
    Classification,
    Clustering,
    Question,
    Fact,
    CodeQuery,
    Image,
}

/// What happens to an input that is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// It is an error.
    Never,
    Start,
    End,
}

impl<'a> Ask<'a> {
    /// The one value of all inputs; refused where they differ, for targets that have one for all.
    pub(super) fn one<T: PartialEq + Copy>(
        &self,
        field: &'static str,
        of: impl Fn(&Input<'a>) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let mut all = self.inputs.iter().map(of);
        let first = all.next().flatten();
        if all.all(|other| other == first) {
            Ok(first)
        } else {
            Err(self.unsupported(field, "the provider has one for the whole batch"))
        }
    }

    pub(super) fn dimensions(&self) -> Result<Option<u64>, Refusal> {
        self.one("dimensions", |input| input.dimensions)
    }

    pub(super) fn purpose(&self) -> Result<Option<Purpose>, Refusal> {
        self.one("input_type", |input| input.purpose)
    }

    /// Refuses a batch of more than `most` inputs.
    pub(super) fn at_most(&self, most: usize) -> Result<(), Refusal> {
        let count = self.inputs.len();
        if count <= most {
            return Ok(());
        }
        let says = format!(
            "the provider takes at most {most} in one request, and here are {count}: ask for the others in requests of their own"
        );
        Err(self.unsupported("input", &says))
    }

    /// Each input as one text, for targets that have nothing else.
    pub(super) fn texts(&self) -> Result<Vec<&str>, Refusal> {
        self.inputs.iter().map(|input| self.text(input)).collect()
    }

    pub(super) fn text<'s>(&self, input: &'s Input<'a>) -> Result<&'s str, Refusal> {
        let says = match &input.what {
            What::Parts(parts) => match parts.as_slice() {
                [Part::Text(text)] => return Ok(text),
                [_] => "the provider takes texts only",
                _ => "the provider takes one text for a vector, not several parts",
            },
            What::Tokens(_) => "tokens are one model's own: send the text",
            What::Own(_) => "the provider takes texts only",
        };
        Err(self.unsupported("input", says))
    }

    /// Reports what no provider but OpenAI's kind has a word for, and what this one has none for.
    pub(super) fn leave(&self, policy: Unknown, losses: &mut Losses) -> Result<(), Refusal> {
        if self.user.is_some() {
            losses.dropped("user");
        }
        for (name, value) in &self.rest {
            match name.as_ref() {
                // Decoded, and said in the target's words.
                "input_type" | "task"
                    if self.inputs.iter().all(|input| input.purpose.is_some()) => {}
                "input_type" | "task" => {
                    return Err(self.invalid(
                        "input_type",
                        "a word that is known here, such as query or document",
                    ));
                }
                "truncate" | "truncation" => {}
                "normalized" | "normalize" if value.as_bool() == Some(true) => {}
                "late_chunking" if value.as_bool() == Some(false) => {}
                "output_dtype" | "embedding_type" if value.is("float") => {}
                "output_dtype" => return Err(self.unsupported("output_dtype", "float only")),
                "embedding_type" => return Err(self.unsupported("embedding_type", "float only")),
                "metadata" => losses.dropped("metadata"),
                "provider" => losses.dropped("provider"),
                "normalized" | "normalize" => losses.dropped("normalized"),
                name => unknown(&Place::Root, policy, losses, name)?,
            }
        }
        Ok(())
    }

    pub(super) fn leave_max_tokens(&self) -> Result<(), Refusal> {
        match self.max_tokens {
            Some(_) => {
                Err(self.unsupported("max_tokens", "the provider can't be told where to cut"))
            }
            None => Ok(()),
        }
    }

    pub(super) fn leave_titles(&self, losses: &mut Losses) {
        if self.inputs.iter().any(|input| input.title.is_some()) {
            losses.dropped("title");
        }
    }

    pub(super) fn invalid(&self, field: &'static str, says: &str) -> Refusal {
        self.refusal("invalid_value", field, says)
    }

    pub(super) fn unsupported(&self, field: &'static str, says: &str) -> Refusal {
        self.refusal("unsupported_parameter", field, says)
    }

    fn refusal(&self, code: &'static str, field: &'static str, says: &str) -> Refusal {
        let field = told(self.names, field).to_owned();
        Refusal::new(RefusalKind::BadRequest, code, format!("{field}: {says}")).param(field)
    }
}

impl Purpose {
    /// Reads a word of Cohere's, Gemini's, Voyage's, NVIDIA's or Jina's.
    pub(super) fn named(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "search_document" | "document" | "passage" | "retrieval_document"
            | "retrieval.passage" => Self::Document,
            "search_query" | "query" | "retrieval_query" | "retrieval.query" => Self::Query,
            "semantic_similarity" | "text-matching" => Self::Similarity,
            "classification" => Self::Classification,
            "clustering" | "separation" => Self::Clustering,
            "question_answering" => Self::Question,
            "fact_verification" => Self::Fact,
            "code_retrieval_query" => Self::CodeQuery,
            "image" => Self::Image,
            _ => return None,
        })
    }

    pub(super) const fn gemini(self) -> Option<&'static str> {
        Some(match self {
            Self::Document => "RETRIEVAL_DOCUMENT",
            Self::Query => "RETRIEVAL_QUERY",
            Self::Similarity => "SEMANTIC_SIMILARITY",
            Self::Classification => "CLASSIFICATION",
            Self::Clustering => "CLUSTERING",
            Self::Question => "QUESTION_ANSWERING",
            Self::Fact => "FACT_VERIFICATION",
            Self::CodeQuery => "CODE_RETRIEVAL_QUERY",
            Self::Image => return None,
        })
    }

    /// Cohere's word, and whether it says the same.
    pub(super) const fn cohere(self) -> (&'static str, bool) {
        match self {
            Self::Document => ("search_document", true),
            Self::Query => ("search_query", true),
            Self::Classification => ("classification", true),
            Self::Clustering => ("clustering", true),
            Self::Image => ("image", true),
            Self::Question | Self::Fact | Self::CodeQuery => ("search_query", false),
            Self::Similarity => ("search_document", false),
        }
    }

    /// Nova's word, and whether it says the same.
    pub(super) const fn nova(self) -> (&'static str, bool) {
        match self {
            Self::Document => ("GENERIC_INDEX", true),
            Self::Query => ("GENERIC_RETRIEVAL", true),
            Self::Classification => ("CLASSIFICATION", true),
            Self::Clustering => ("CLUSTERING", true),
            Self::Question | Self::Fact | Self::CodeQuery => ("GENERIC_RETRIEVAL", false),
            Self::Similarity | Self::Image => ("GENERIC_INDEX", false),
        }
    }
}

impl Cut {
    /// Reads a word of Cohere's or NVIDIA's.
    pub(super) fn named(word: &str) -> Option<Self> {
        Some(match word.to_ascii_uppercase().as_str() {
            "NONE" => Self::Never,
            "START" | "LEFT" => Self::Start,
            "END" | "RIGHT" => Self::End,
            _ => return None,
        })
    }

    pub(super) const fn of(flag: bool) -> Self {
        if flag { Self::End } else { Self::Never }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "NONE",
            Self::Start => "START",
            Self::End => "END",
        }
    }
}
