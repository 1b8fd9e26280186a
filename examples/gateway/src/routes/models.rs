//! `GET /v1/models` and, in Google's shape, `GET /v1beta/models`: what the caller may name.

use bartizan::core::{Refusal, RefusalKind};
use serde::Serialize;

use super::own::Verified;
use crate::provider::Catalogue;

#[derive(Serialize)]
pub(super) struct List<'a> {
    object: &'static str,
    data: Vec<Model<'a>>,
}

#[derive(Serialize)]
pub(super) struct Model<'a> {
    id: &'a str,
    object: &'static str,
    /// No provider says when; LiteLLM's constant.
    created: u64,
    owned_by: &'a str,
}

impl<'a> Model<'a> {
    const fn new(id: &'a str, owned_by: &'a str) -> Self {
        Self {
            id,
            object: "model",
            created: 1_677_610_602,
            owned_by,
        }
    }
}

/// All names that the caller's key allows, a wildcard as it is written.
pub(super) fn all<'a>(by: &Verified, catalogue: &'a Catalogue) -> List<'a> {
    let models = by.principal().models();
    let data = catalogue
        .names()
        .filter(|(name, _)| models.allow(name))
        .map(|(name, owner)| Model::new(name, owner))
        .collect();
    List {
        object: "list",
        data,
    }
}

#[derive(Serialize)]
pub(super) struct GooglesList<'a> {
    models: Vec<GooglesModel<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GooglesModel<'a> {
    name: String,
    display_name: &'a str,
    /// What can be called on it here; whether the model can is the provider's to say.
    supported_generation_methods: [&'static str; 5],
}

impl<'a> GooglesModel<'a> {
    fn new(id: &'a str) -> Self {
        Self {
            name: format!("models/{id}"),
            display_name: id,
            supported_generation_methods: [
                "generateContent",
                "streamGenerateContent",
                "countTokens",
                "embedContent",
                "batchEmbedContents",
            ],
        }
    }
}

/// The same as [`all`], on one page.
pub(super) fn all_of_googles<'a>(by: &Verified, catalogue: &'a Catalogue) -> GooglesList<'a> {
    let models = all(by, catalogue).data.into_iter();
    GooglesList {
        models: models.map(|model| GooglesModel::new(model.id)).collect(),
    }
}

/// The same as [`one`].
pub(super) fn one_of_googles<'a>(
    by: &Verified,
    catalogue: &'a Catalogue,
    name: &'a str,
) -> Result<GooglesModel<'a>, Refusal> {
    one(by, catalogue, name).map(|model| GooglesModel::new(model.id))
}

/// One name. One that isn't served and one that isn't allowed look alike.
pub(super) fn one<'a>(
    by: &Verified,
    catalogue: &'a Catalogue,
    name: &'a str,
) -> Result<Model<'a>, Refusal> {
    let owner = catalogue
        .owner(name)
        .filter(|_| by.principal().models().allow(name));
    match owner {
        Some(owner) => Ok(Model::new(name, owner)),
        None => Err(Refusal::new(
            RefusalKind::NotFound,
            "model_not_found",
            "there is no such model, or this key may not call it",
        )
        .param("model")),
    }
}
