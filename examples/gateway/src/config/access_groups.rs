//! `model_info.access_groups`: names under which keys are given models.

use std::collections::BTreeMap;

use super::field::Field;
use super::read::Section;

/// The models behind each name.
pub(crate) type AccessGroups = BTreeMap<String, Vec<String>>;

/// The groups of all models, as they are read one after the other.
#[derive(Default)]
pub(super) struct Read<'a> {
    named: Vec<(Field<'a>, String)>,
    groups: AccessGroups,
}

/// The groups that one model is in.
pub(super) fn take<'a>(info: &mut Section<'a>) -> Vec<(Field<'a>, String)> {
    let field = info.take("access_groups");
    field.map(|field| field.texts()).unwrap_or_default()
}

impl<'a> Read<'a> {
    /// Puts `model` into groups.
    pub(super) fn add(&mut self, model: &str, groups: Vec<(Field<'a>, String)>) {
        for (field, group) in groups {
            if group.is_empty() || group.contains('*') {
                field.fail("a name without `*` belongs here: `*` in a key's models stands for names that begin alike");
                continue;
            }
            let models = self.groups.entry(group.clone()).or_default();
            // Deployments of one name are one model.
            if !models.iter().any(|known| known == model) {
                models.push(model.to_owned());
            }
            self.named.push((field, group));
        }
    }

    /// All of them. `models` are the names that callers use.
    pub(super) fn finish<'n>(self, models: impl Iterator<Item = &'n str> + Clone) -> AccessGroups {
        for (field, group) in &self.named {
            if models.clone().any(|model| model == group) {
                field.fail("a model is called so: who is given the model would get the group, so name the group otherwise");
            }
        }
        self.groups
    }
}
