//! `bartizan.providers`: providers of one's own, in the words of the catalogue.

use bartizan::translate::Error;
use bartizan::translate::catalogue::{Provider, ProviderBuilder, Providers};

use super::field::Field;
use super::read::nearest;

/// Those of the catalogue and those of the list.
pub(super) fn read(field: &Field<'_>) -> Providers {
    let mut providers = Providers::builtin();
    for item in field.list() {
        if let Some(provider) = one(&item, &providers) {
            providers = providers.with(provider);
        }
    }
    providers
}

fn one(item: &Field<'_>, providers: &Providers) -> Option<Provider> {
    let mut section = item.section()?;
    let slug_field = section.need("slug");
    let like = section.take("like");
    let slug = slug_field.as_ref().and_then(Field::text)?;
    let mut builder = match like {
        None => Provider::builder(&slug),
        Some(field) => {
            let model = field.text()?;
            match providers.get(&model) {
                Some(provider) => provider.like(&slug),
                None => {
                    field.fail(no_provider(&model, providers));
                    return None;
                }
            }
        }
    };
    let fields = section.rest();
    for (name, field) in &fields {
        if !ProviderBuilder::FIELDS.contains(&name.as_str()) {
            let mut known = ProviderBuilder::FIELDS.to_vec();
            known.extend(["like", "slug"]);
            field.fail(match nearest(name, &known) {
                Some(near) => format!("this key is not known; did you mean `{near}`?"),
                None => format!("this key is not known; known here: {}", known.join(", ")),
            });
            return None;
        }
        for text in texts(name, field) {
            builder = builder.set(name, &text);
        }
    }
    match builder.build() {
        Ok(provider) => Some(provider),
        Err(Error::Provider {
            field: of, mend, ..
        }) => {
            // One rule may stand on several fields.
            let at = fields
                .iter()
                .find(|(name, _)| of.split(", ").any(|of| of == name))
                .map(|(_, field)| field)
                .or(slug_field.as_ref());
            at.unwrap_or(item).fail(mend.into_owned());
            None
        }
        Err(error) => {
            item.fail(error.to_string());
            None
        }
    }
}

/// A field's value as the catalogue's own table would have it, once for each time that it would stand there.
fn texts(name: &str, field: &Field<'_>) -> Vec<String> {
    if let Some(pairs) = field.pairs() {
        let pairs = pairs.iter().filter_map(|(from, to)| {
            let to = to.text()?;
            Some(format!("{from} > {to}"))
        });
        return pairs.collect();
    }
    let texts = field.texts().into_iter().map(|(_, text)| text);
    if matches!(name, "base_when" | "route" | "setting") {
        texts.collect()
    } else {
        vec![texts.collect::<Vec<_>>().join(", ")]
    }
}

/// Says that there is none, with the nearest that there is.
pub(super) fn no_provider(slug: &str, providers: &Providers) -> String {
    let known: Vec<&str> = providers.iter().map(|provider| provider.slug()).collect();
    let near = match nearest(slug, &known) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => ".".to_owned(),
    };
    format!(
        "there is no provider of this name{near} docs/providers.md lists them, `bartizan.providers` adds one, and a server that speaks \
         OpenAI's API is `openai/…` with its `api_base`"
    )
}
