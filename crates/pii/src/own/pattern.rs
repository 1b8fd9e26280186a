//! Regular expressions of a configuration.

use std::fmt;

use regex_automata::dfa::dense::{self, DFA};
use regex_automata::dfa::{Automaton, StartKind};
use regex_automata::util::{start, syntax};
use regex_automata::{Anchored, MatchKind};

use super::{Ahead, Hit, Recognizer};
use crate::checks::{self, Check};
use crate::{ConfigError, Entity};

/// A recognizer made of a regular expression, with a check and a score.
///
/// The expression is one of the `regex` crate without look-around and without an open end: each match has a longest length, of 256 characters
/// at most. It runs over text whose digits, letters, dashes and blanks are ASCII already, in any case unless it says `(?-i)`, and matches whole
/// words: `\b` at its ends is understood. Other scripts' letters can't be named in it; a [deny list](crate::AnalyzerBuilder::deny_list) can.
///
/// ```
/// use bartizan_pii::{Analyzer, Entity, Pattern};
///
/// let staff = Entity::custom("STAFF_NUMBER")?;
/// let analyzer = Analyzer::builder()
///     .pattern(Pattern::new(staff, r"EMP-\d{6}").score(0.4).score_with_context(0.9))
///     .context_word(staff, "employee")
///     .build()?;
/// assert!(analyzer.analyze("part EMP-100200").is_empty());
/// assert_eq!(analyzer.analyze("employee EMP–१००२००")[0].entity, staff);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Pattern {
    entity: Entity,
    regex: String,
    score: f32,
    said: Option<f32>,
    check: Option<String>,
}

/// The longest match, in characters.
const LONGEST: usize = 256;
/// The largest automaton of all patterns, in bytes.
const LARGEST: usize = 8 << 20;

impl Pattern {
    /// A recognizer of `entity` by `regex`, with a score of 0.6.
    pub fn new(entity: Entity, regex: impl Into<String>) -> Self {
        Self {
            entity,
            regex: regex.into(),
            score: 0.6,
            said: None,
            check: None,
        }
    }

    /// The score of a match, from 0 to 1.
    pub fn score(mut self, score: f32) -> Self {
        self.score = score;
        self
    }

    /// The score of a match near a context word of its kind. By default 0.35 more, as Presidio has it.
    pub fn score_with_context(mut self, score: f32) -> Self {
        self.said = Some(score);
        self
    }

    /// A check over the letters and digits of a match, in upper case: `luhn`, `verhoeff`, `mod_97` or another that
    /// [`checks`](Self::checks) names.
    pub fn check(mut self, name: impl Into<String>) -> Self {
        self.check = Some(name.into());
        self
    }

    /// The names of all checks.
    pub fn checks() -> impl Iterator<Item = &'static str> {
        checks::names()
    }

    /// What it finds.
    #[must_use]
    pub fn entity(&self) -> Entity {
        self.entity
    }
}

/// All patterns of an analyzer, as one automaton.
pub(crate) struct Patterns {
    automaton: DFA<Vec<u32>>,
    rows: Vec<Row>,
    firsts: [bool; 256],
}

struct Row {
    pattern: Pattern,
    said: f32,
    check: Option<(&'static str, Check)>,
}

impl Patterns {
    pub(crate) fn new(patterns: Vec<Pattern>) -> Result<Self, ConfigError> {
        let wrong = |pattern: &Pattern, says: String| ConfigError::Pattern {
            entity: pattern.entity.as_str(),
            says,
        };
        let mut rows = Vec::new();
        let mut expressions = Vec::new();
        for pattern in patterns {
            let expression = sound(&pattern.regex).map_err(|says| wrong(&pattern, says))?;
            let check = match &pattern.check {
                Some(name) => Some(checks::named(name).ok_or_else(|| {
                    let known: Vec<&str> = checks::names().collect();
                    wrong(
                        &pattern,
                        format!(
                            "no check is called `{name}`: use one of {}",
                            known.join(", ")
                        ),
                    )
                })?),
                None => None,
            };
            let said = pattern.said.unwrap_or((pattern.score + 0.35).min(1.0));
            if ![pattern.score, said]
                .iter()
                .all(|score| (0.0..=1.0).contains(score))
            {
                return Err(wrong(&pattern, "a score is from 0 to 1".to_owned()));
            }
            expressions.push(format!("(?i:{expression})"));
            rows.push(Row {
                pattern,
                said,
                check,
            });
        }
        let automaton = automaton(&expressions).map_err(|_| ConfigError::PatternsTooLarge)?;
        let mut firsts = [false; 256];
        let begin = automaton.start_state(&start::Config::new().anchored(Anchored::Yes));
        for (byte, first) in (0..=u8::MAX).zip(&mut firsts) {
            *first = begin
                .as_ref()
                .is_ok_and(|state| !automaton.is_dead_state(automaton.next_state(*state, byte)));
        }
        Ok(Self {
            automaton,
            rows,
            firsts,
        })
    }
}

/// The expression without the word boundaries at its ends, if it may be used.
fn sound(regex: &str) -> Result<&str, String> {
    let expression = regex.strip_prefix(r"\b").unwrap_or(regex);
    let expression = expression.strip_suffix(r"\b").unwrap_or(expression);
    let parsed = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .nest_limit(50)
        .build()
        .parse(expression)
        .map_err(|error| {
            let kind = match error {
                regex_syntax::Error::Parse(error) => error.kind().to_string(),
                regex_syntax::Error::Translate(error) => error.kind().to_string(),
                _ => "it can't be read".to_owned(),
            };
            format!("the expression is wrong: {kind}")
        })?;
    let properties = parsed.properties();
    if !properties.look_set().is_empty() {
        return Err(
            "it looks around (`^`, `$`, `\\b` inside): leave that out, since it matches whole words anyway"
                .to_owned(),
        );
    }
    match (properties.minimum_len(), properties.maximum_len()) {
        (Some(1..), Some(most)) if most <= LONGEST => Ok(expression),
        (Some(1..), _) => Err(format!(
            "a match may be longer than {LONGEST} characters: put bounds such as `{{1,20}}` in the place of `*` and `+`"
        )),
        _ => Err(
            "it matches nothing at all, or the empty text: let it match one character at least"
                .to_owned(),
        ),
    }
}

fn automaton(expressions: &[String]) -> Result<DFA<Vec<u32>>, Box<dense::BuildError>> {
    Ok(DFA::builder()
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .thompson(
            regex_automata::nfa::thompson::Config::new()
                .utf8(false)
                .nfa_size_limit(Some(LARGEST)),
        )
        .configure(
            DFA::config()
                .start_kind(StartKind::Anchored)
                .match_kind(MatchKind::All)
                .dfa_size_limit(Some(LARGEST))
                .determinize_size_limit(Some(4 * LARGEST)),
        )
        .build_many(expressions)?)
}

impl Recognizer for Patterns {
    fn name(&self) -> &'static str {
        "PatternRecognizer"
    }

    fn entities(&self) -> Vec<Entity> {
        self.rows.iter().map(|row| row.pattern.entity).collect()
    }

    fn may_start(&self, first: u8) -> bool {
        self.firsts.get(usize::from(first)) == Some(&true)
    }

    fn find(&self, text: &Ahead<'_>) -> Option<Hit> {
        let anchored = start::Config::new().anchored(Anchored::Yes);
        let mut state = self.automaton.start_state(&anchored).ok()?;
        let mut best: Option<Hit> = None;
        // The automaton tells of a match one byte late.
        for end in 0..=LONGEST {
            let byte = text.at(end);
            state = match byte {
                Some(byte) => self.automaton.next_state(state, byte),
                None => self.automaton.next_eoi_state(state),
            };
            let cut =
                text.goes_on(end) && end.checked_sub(1).is_some_and(|last| text.goes_on(last));
            if self.automaton.is_match_state(state) && !cut {
                let patterns = 0..self.automaton.match_len(state);
                let hits = patterns
                    .map(|index| self.automaton.match_pattern(state, index))
                    .filter_map(|pattern| self.rows.get(pattern.as_usize())?.judge(text, end));
                for hit in hits {
                    // Later ones are longer.
                    if best.is_none_or(|best| hit.score >= best.score) {
                        best = Some(hit);
                    }
                }
            }
            if byte.is_none() || self.automaton.is_dead_state(state) {
                break;
            }
        }
        best
    }
}

impl Row {
    fn judge(&self, text: &Ahead<'_>, end: usize) -> Option<Hit> {
        let hit = Hit::new(self.pattern.entity, end, self.pattern.score).said(self.said);
        let Some((name, check)) = self.check else {
            return Some(hit);
        };
        let code: Vec<u8> = (0..end)
            .filter_map(|place| text.at(place))
            .filter(u8::is_ascii_alphanumeric)
            .map(|byte| byte.to_ascii_uppercase())
            .collect();
        check(&code).then(|| hit.validated(name))
    }
}

impl fmt::Debug for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patterns")
            .field("rows", &self.rows.len())
            .finish_non_exhaustive()
    }
}
