//! `/analyze`: what a text holds.

use std::collections::HashSet;

use regex::Regex;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Deadline;
use super::adhoc::{self, AdHoc};
use super::analyzers::Analyzers;
use super::fault::Fault;
use super::fields::{Fields, kind_of};
use super::hit::{Hit, Told, exact};
use super::pattern;
use crate::characters::Characters;
use crate::overlap::settle;
use crate::{Analyzer, Entity, Finding};

/// Words of `context`, and of `allow_list`, that one request may bring.
const MOST_CONTEXT: usize = 32;
const MOST_ALLOWED: usize = 10_000;

/// Under this score nothing counts that a context word could raise.
const LEAST: f32 = 0.01;

/// What a service looks for where a request doesn't say, and by what.
#[derive(Debug)]
pub(super) struct Defaults {
    /// What it looks for where a request names no kinds.
    pub(super) usual: Vec<Entity>,
    /// What it can look for: the built-in kinds, and those of its models.
    pub(super) supported: Vec<Entity>,
    pub(super) threshold: f32,
    pub(super) most_texts: usize,
    pub(super) analyzers: Analyzers,
}

/// A request for analysis that makes sense.
pub(super) struct Question<'v> {
    pub(super) texts: Vec<&'v str>,
    /// Whether the texts came as a list, and so does the answer.
    batch: bool,
    entities: Vec<Entity>,
    analyzer: Option<Analyzer>,
    plain: Option<Analyzer>,
    /// Finds what a context word of the request may raise.
    faint: Option<Analyzer>,
    threshold: f32,
    /// For patterns of the request: all of their scores count unless it says otherwise.
    ad_hoc_threshold: f64,
    ad_hoc: Vec<AdHoc<'v>>,
    context: Vec<String>,
    allowed: Allowed<'v>,
    explained: bool,
}

enum Allowed<'v> {
    Words(HashSet<&'v str>),
    Pattern(Regex),
}

/// One list of findings, or one for each text of a list.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Answer<'v> {
    One(Vec<Told<'v>>),
    Many(Vec<Vec<Told<'v>>>),
}

const NO_MATCHING: &str = "No matching recognizers were found to serve the request.";

impl<'v> Question<'v> {
    /// # Errors
    ///
    /// As Presidio's: 500 for no text, no language and unknown kinds, 400 for another shape.
    pub(super) fn read(
        request: &'v Map<String, Value>,
        defaults: &Defaults,
    ) -> Result<Self, Fault> {
        let fields = Fields::over(request);
        let (texts, batch) = match fields.get("text") {
            Some(Value::String(text)) if !text.is_empty() => (vec![text.as_str()], false),
            Some(Value::Array(list)) if !list.is_empty() => {
                (fields.texts("text", defaults.most_texts)?, true)
            }
            None | Some(Value::String(_) | Value::Array(_)) => {
                return Err(Fault::new(500, "No text provided"));
            }
            Some(other) => {
                return Err(Fault::bad(format!(
                    "text must be a string or a list of strings, not {}",
                    kind_of(other)
                )));
            }
        };
        let language = fields.optional_text("language")?.unwrap_or_default();
        if language.is_empty() {
            return Err(Fault::new(500, "No language provided"));
        }
        if !is_language(language) {
            return Err(Fault::new(500, NO_MATCHING));
        }
        let mut ad_hoc = adhoc::read(fields.get("ad_hoc_recognizers"), language)?;
        if !ad_hoc.is_empty()
            && texts.iter().map(|text| text.len()).sum::<usize>() > adhoc::MOST_TEXT
        {
            return Err(Fault::new(
                413,
                format!(
                    "with ad_hoc_recognizers, text may have {} bytes at most",
                    adhoc::MOST_TEXT
                ),
            ));
        }
        let names = fields.texts("entities", 1_000)?;
        let entities: Vec<Entity> = if names.is_empty() {
            defaults.usual.clone()
        } else {
            ad_hoc.retain(|recognizer| names.contains(&recognizer.entity()));
            let known = names.iter().filter_map(|name| name.parse().ok());
            known
                .filter(|entity| defaults.supported.contains(entity))
                .collect()
        };
        if entities.is_empty() && ad_hoc.is_empty() {
            return Err(Fault::new(500, NO_MATCHING));
        }
        let given = match fields.get("score_threshold") {
            None => None,
            Some(value) => Some(value.as_f64().ok_or_else(|| {
                Fault::bad(format!(
                    "score_threshold must be a number, not {}",
                    kind_of(value)
                ))
            })?),
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a score needs no more digits"
        )]
        let threshold = given.map_or(defaults.threshold, |given| given.clamp(0.0, 1.0) as f32);
        let context: Vec<String> = fields
            .texts("context", MOST_CONTEXT)?
            .into_iter()
            .map(|word| word.chars().take(64).collect::<String>().to_lowercase())
            .collect();
        Ok(Self {
            texts,
            batch,
            analyzer: defaults.analyzers.get(&entities, threshold)?,
            plain: defaults.analyzers.plain(&entities, threshold)?,
            faint: if context.is_empty() || threshold <= LEAST {
                None
            } else {
                defaults.analyzers.get(&entities, LEAST)?
            },
            entities,
            threshold,
            ad_hoc_threshold: given.unwrap_or(0.0),
            ad_hoc,
            context,
            allowed: Allowed::read(fields)?,
            explained: fields.flag("return_decision_process")?,
        })
    }

    /// Whether one of `entities` is looked for.
    pub(super) fn wants(&self, entities: &[Entity]) -> bool {
        self.entities.iter().any(|entity| entities.contains(entity))
    }

    /// Finds what the texts hold. `of_models`: what models found in each.
    ///
    /// # Errors
    ///
    /// 503 past the deadline.
    pub(super) fn answer(
        self,
        of_models: Vec<Vec<Finding>>,
        deadline: Deadline,
    ) -> Result<Answer<'v>, Fault> {
        let mut of_models = of_models.into_iter();
        let mut lists = Vec::with_capacity(self.texts.len());
        for text in &self.texts {
            deadline.check()?;
            lists.push(self.one(text, of_models.next().unwrap_or_default(), deadline)?);
        }
        Ok(if self.batch {
            Answer::Many(lists)
        } else {
            Answer::One(lists.pop().unwrap_or_default())
        })
    }

    fn one(
        &self,
        text: &'v str,
        of_models: Vec<Finding>,
        deadline: Deadline,
    ) -> Result<Vec<Told<'v>>, Fault> {
        let found = self
            .analyzer
            .as_ref()
            .map(|analyzer| analyzer.analyze(text));
        let mut found = found.unwrap_or_default();
        let wanted = |finding: &Finding| self.entities.contains(&finding.entity);
        if let Some(plain) = &self.plain
            && !found.iter().all(wanted)
        {
            // What was not asked for may stand where something was that is.
            let others: Vec<Finding> = found
                .iter()
                .filter(|found| !wanted(found))
                .cloned()
                .collect();
            let hidden = |finding: &Finding| {
                let next = others.partition_point(|other| other.range.end <= finding.range.start);
                others
                    .get(next)
                    .is_some_and(|other| other.range.start < finding.range.end)
            };
            found.extend(plain.analyze(text).into_iter().filter(hidden));
        }
        found.retain(wanted);
        let mut hits: Vec<Hit<'v>> = Vec::new();
        if let Some(faint) = &self.faint {
            let known: HashSet<_> = found.iter().map(|known| known.range.clone()).collect();
            for finding in faint.analyze(text) {
                deadline.check()?;
                let covered = known.contains(&finding.range);
                hits.extend((!covered).then(|| self.raised(text, finding)).flatten());
            }
        }
        hits.extend(found.into_iter().map(Hit::from));
        let modelled = of_models.into_iter().filter(|finding| {
            self.entities.contains(&finding.entity) && finding.score >= self.threshold
        });
        hits.extend(modelled.map(Hit::from));
        let own = hits.len();
        for recognizer in &self.ad_hoc {
            recognizer.find(text, &self.context, deadline, &mut hits)?;
        }
        let mut at = 0;
        hits.retain(|hit| {
            let brought = at >= own;
            at += 1;
            !brought || hit.score >= self.ad_hoc_threshold
        });
        hits.retain(|hit| {
            !self
                .allowed
                .takes(text.get(hit.range.clone()).unwrap_or_default())
        });
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a score needs no more digits"
        )]
        let told = |hit: &Hit<'v>| {
            // A kind that only the request knows stands behind all others.
            let rank = hit
                .entity
                .parse::<Entity>()
                .map_or((1, None), |entity| (0, Some(entity)));
            (hit.range.clone(), hit.score as f32, rank)
        };
        let mut hits = settle(hits, told);
        hits.sort_by(|one, other| {
            other
                .score
                .total_cmp(&one.score)
                .then(one.range.start.cmp(&other.range.start))
        });
        let characters = Characters::new(text);
        Ok(hits
            .into_iter()
            .map(|hit| hit.tell(&characters, self.explained))
            .collect())
    }

    /// A finding too faint to count, where a word of the request's context says what it is.
    fn raised(&self, text: &str, finding: Finding) -> Option<Hit<'v>> {
        let analyzer = self.analyzer.as_ref()?;
        let found = text.get(finding.range.clone())?;
        for word in &self.context {
            // Read as if the word stood before it.
            let said = format!("{word} {found}");
            let start = word.len() + 1;
            let better = analyzer.analyze(&said).into_iter().find(|better| {
                better.entity == finding.entity && better.range == (start..said.len())
            });
            if let Some(better) = better {
                let (original, score) = (exact(finding.score), exact(better.score));
                let mut hit = Hit::from(Finding {
                    score: better.score,
                    validated: better.validated,
                    ..finding
                });
                hit.explanation.original_score = original;
                hit.explanation.score_context_improvement = score - original;
                hit.explanation.supportive_context_word = word.clone().into();
                return Some(hit);
            }
        }
        None
    }
}

/// Two or three letters, perhaps with a region.
pub(super) fn is_language(text: &str) -> bool {
    let letters = text.split(['-', '_']).next().unwrap_or_default();
    (2..=3).contains(&letters.len())
        && text.len() <= 16
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

impl<'v> Allowed<'v> {
    fn read(fields: Fields<'v>) -> Result<Self, Fault> {
        let words = fields.texts("allow_list", MOST_ALLOWED)?;
        let flags = pattern::flags(fields, "regex_flags")?;
        match fields.optional_text("allow_list_match")?.unwrap_or("exact") {
            "exact" => Ok(Self::Words(words.into_iter().collect())),
            "regex" => {
                let terms: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
                if terms.is_empty() {
                    return Ok(Self::Words(HashSet::new()));
                }
                pattern::compile(&terms.join("|"), flags, 1024 * 1024).map(Self::Pattern)
            }
            _ => Err(Fault::new(
                500,
                "allow_list_match must either be set to 'exact' or 'regex'.",
            )),
        }
    }

    fn takes(&self, word: &str) -> bool {
        match self {
            Self::Words(words) => words.contains(word),
            Self::Pattern(pattern) => pattern.is_match(word),
        }
    }
}
