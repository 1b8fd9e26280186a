//! `bartizan.pii`: what is found of personal data beyond what this version knows, and from what score on.

use bartizan::pii::{Analyzer, AnalyzerBuilder, Entity, Pattern};

use super::field::Field;
use super::read::{Section, nearest};

/// How personal data is found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Detection {
    threshold: Option<f32>,
    thresholds: Vec<(Entity, f32)>,
    patterns: Vec<Pattern>,
    deny_list: Vec<(Entity, String)>,
    context: Vec<(Entity, String)>,
    allow_list: Vec<String>,
    phone_regions: Option<Vec<String>>,
}

impl Detection {
    /// Sets up an analyzer so.
    pub(crate) fn set_up(&self, mut builder: AnalyzerBuilder) -> AnalyzerBuilder {
        if let Some(score) = self.threshold {
            builder = builder.score_threshold(score);
        }
        for (entity, score) in &self.thresholds {
            builder = builder.threshold(*entity, *score);
        }
        for pattern in &self.patterns {
            builder = builder.pattern(pattern.clone());
        }
        for (entity, word) in &self.deny_list {
            builder = builder.deny_list(*entity, [word]);
        }
        for (entity, word) in &self.context {
            builder = builder.context_word(*entity, word);
        }
        if let Some(regions) = &self.phone_regions {
            builder = builder.phone_regions(regions);
        }
        builder.allow_list(None, &self.allow_list)
    }

    /// The kinds that the user's own recognizers find.
    pub(crate) fn own(&self) -> Vec<Entity> {
        let patterns = self.patterns.iter().map(Pattern::entity);
        let lists = self.deny_list.iter().map(|(entity, _)| *entity);
        let mut own: Vec<Entity> = patterns.chain(lists).collect();
        own.sort_unstable();
        own.dedup();
        own
    }

    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let mut found = Self::default();
        if let Some(score) = section
            .take("score_threshold")
            .and_then(|field| score(&field))
        {
            found.threshold = Some(score);
        }
        let thresholds = section.take("thresholds").and_then(|field| field.section());
        for (name, field) in thresholds
            .map(|mut section| section.rest())
            .unwrap_or_default()
        {
            if let (Some(entity), Some(score)) = (known(&field, &name), score(&field)) {
                found.thresholds.push((entity, score));
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
            found.allow_list.push(text);
        }
        found.phone_regions = section
            .take("phone_regions")
            .map(|field| phone_regions(&field));
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
        let Some(entity) = entity else {
            return;
        };
        let patterns = section.take("patterns").map(|field| field.list());
        let denied = section.take("deny_list").map(|field| field.texts());
        if patterns.is_none() && denied.is_none() {
            section.fail("it needs `patterns` or a `deny_list`: there is nothing to find");
        }
        for field in patterns.unwrap_or_default() {
            self.patterns.extend(pattern(&field, entity));
        }
        for (field, word) in denied.unwrap_or_default() {
            match Analyzer::builder().deny_list(entity, [&word]).build() {
                Ok(_) => self.deny_list.push((entity, word)),
                Err(error) => field.fail(error.to_string()),
            }
        }
        for (field, word) in section
            .take("context")
            .map(|field| field.texts())
            .unwrap_or_default()
        {
            if word.trim().is_empty() {
                field.fail("an empty word stands near everything");
                continue;
            }
            self.context.push((entity, word));
        }
        section.finish(&[
            "supported_language",
            "supported_languages",
            "type",
            "enabled",
        ]);
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

/// The regions of a list that are known.
fn phone_regions(field: &Field<'_>) -> Vec<String> {
    let known = |(field, region): (Field<'_>, String)| {
        let alone = Analyzer::builder().entity(Entity::Phone);
        match alone.phone_regions([&region]).build() {
            Ok(_) => Some(region),
            Err(error) => {
                field.fail(error.to_string());
                None
            }
        }
    };
    field.texts().into_iter().filter_map(known).collect()
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
