//! `bartizan.pii`: what is found of personal data beyond what this version knows, and from what score on.

use bartizan::pii::{Analyzer, AnalyzerBuilder, Entity, Pattern};

use super::field::Field;
use super::read::{Section, nearest};

/// How personal data is found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Detection {
    builder: AnalyzerBuilder,
    /// The kinds that the user's own recognizers find.
    own: Vec<Entity>,
}

impl Detection {
    /// Adds the kinds of `others` to what is set up here.
    pub(crate) fn builder(&self, others: AnalyzerBuilder) -> AnalyzerBuilder {
        others.and(self.builder.clone())
    }

    /// The kinds that the user's own recognizers find.
    pub(crate) fn own(&self) -> &[Entity] {
        &self.own
    }

    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let mut found = Self::default();
        if let Some(score) = section.take("score_threshold").and_then(|field| score(&field)) {
            found.builder = found.builder.score_threshold(score);
        }
        let thresholds = section.take("thresholds").and_then(|field| field.section());
        for (name, field) in thresholds.map(|mut section| section.rest()).unwrap_or_default() {
            if let (Some(entity), Some(score)) = (known(&field, &name), score(&field)) {
                found.builder = found.builder.threshold(entity, score);
            }
        }
        let recognizers = section.take("recognizers").map(|field| field.list());
        for recognizer in recognizers.unwrap_or_default() {
            found.recognizer(&recognizer);
        }
        for (field, text) in section
            .take("allow_list")
            .map(|field| field.texts())
            .unwrap_or_default()
        {
            if text.trim_matches(['*', ' ']).is_empty() {
                field.fail("this would let everything pass: name a text, or the end of one such as *@example.com");
                continue;
            }
            found.builder = found.builder.allow_list(None, [text]);
        }
        found
    }

    /// One of `recognizers`, in Presidio's words.
    fn recognizer(&mut self, field: &Field<'_>) {
        let Some(mut section) = field.section() else {
            return;
        };
        section.take("name");
        let entity = section.need("supported_entity").and_then(|field| {
            let name = field.text()?;
            Entity::custom(&name)
                .map_err(|error| field.fail(error.to_string()))
                .ok()
        });
        let mut builder = AnalyzerBuilder::default();
        let Some(entity) = entity else {
            return;
        };
        let patterns = section.take("patterns").map(|field| field.list());
        let denied = section.take("deny_list").map(|field| field.texts());
        if patterns.is_none() && denied.is_none() {
            section.fail("it needs `patterns` or a `deny_list`: there is nothing to find");
        }
        for field in patterns.unwrap_or_default() {
            if let Some(pattern) = pattern(&field, entity) {
                builder = builder.pattern(pattern);
            }
        }
        for (field, word) in denied.unwrap_or_default() {
            let one = AnalyzerBuilder::default().deny_list(entity, [word.clone()]);
            match one.build() {
                Ok(_) => builder = builder.deny_list(entity, [word]),
                Err(error) => field.fail(error.to_string()),
            }
        }
        for (_, word) in section
            .take("context")
            .map(|field| field.texts())
            .unwrap_or_default()
        {
            builder = builder.context_word(entity, word);
        }
        section.finish(&["supported_language", "supported_languages", "type", "enabled"]);
        self.own.push(entity);
        self.builder = std::mem::take(&mut self.builder).and(builder);
    }
}

fn pattern(field: &Field<'_>, entity: Entity) -> Option<Pattern> {
    let mut section = field.section()?;
    section.take("name");
    let regex = section.need("regex")?;
    let mut pattern = Pattern::new(entity, regex.text()?);
    if let Some(score) = section.take("score").and_then(|field| score(&field)) {
        pattern = pattern.score(score);
    }
    if let Some(score) = section
        .take("score_with_context")
        .and_then(|field| score(&field))
    {
        pattern = pattern.score_with_context(score);
    }
    if let Some(check) = section.take("check").and_then(|field| {
        let checks: Vec<(&str, &str)> = Pattern::checks().map(|name| (name, name)).collect();
        field.one_of(&checks)
    }) {
        pattern = pattern.check(check);
    }
    section.finish(&[]);
    if let Err(error) = Analyzer::builder().pattern(pattern.clone()).build() {
        regex.fail(error.to_string());
        return None;
    }
    Some(pattern)
}

/// From 0 to 1.
fn score(field: &Field<'_>) -> Option<f32> {
    let score = field
        .text()?
        .parse()
        .ok()
        .filter(|score| (0.0..=1.0).contains(score));
    if score.is_none() {
        field.fail("a score from 0 to 1 belongs here, such as 0.6");
    }
    score
}

/// The kind that is called `name`.
pub(super) fn known(field: &Field<'_>, name: &str) -> Option<Entity> {
    let entity = name.parse();
    if entity.is_err() {
        let known: Vec<&str> = Entity::ALL.iter().map(|entity| entity.as_str()).collect();
        field.fail(match nearest(name, &known) {
            Some(near) => {
                format!("this kind of data is not found by this version; did you mean `{near}`?")
            }
            None => format!(
                "this kind of data is not found by this version; it finds {}, and those of `bartizan.pii.recognizers`",
                known.join(", ")
            ),
        });
    }
    entity.ok()
}
