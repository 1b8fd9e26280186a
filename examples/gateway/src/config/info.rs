//! `model_info`: what the file knows of a model better than the catalogue.

use bartizan::translate::catalogue::{ModelName, Price, Providers};
use bartizan::translate::{Model, ModelFacts};

use super::field::Field;
use super::known;
use super::read::Section;

/// What is said of one model.
#[derive(Default)]
pub(super) struct Info {
    changes: Vec<Change>,
    /// The model that a deployment of another name is.
    base_model: Option<ModelName>,
    base_text: Option<String>,
}

type Change = Box<dyn FnOnce(&mut Model)>;

/// Puts what a word says into a model.
type Set<T> = fn(&mut Model, T);

/// LiteLLM's words for what a model takes, and does.
const COUNTS: [(&str, Set<u64>); 3] = [
    ("max_input_tokens", |model, count| {
        model.context = Some(count)
    }),
    ("max_output_tokens", |model, count| model.max_output = count),
    ("max_tokens", |model, count| model.max_output = count),
];

const PRICES: [(&str, Set<Price>); 7] = [
    ("input_cost_per_token", |model, price| {
        model.prices.input = Some(price)
    }),
    ("output_cost_per_token", |model, price| {
        model.prices.output = Some(price)
    }),
    ("cache_read_input_token_cost", |model, price| {
        model.prices.cached_input = Some(price);
    }),
    ("cache_creation_input_token_cost", |model, price| {
        model.prices.cache_write = Some(price);
    }),
    ("output_cost_per_reasoning_token", |model, price| {
        model.prices.reasoning = Some(price);
    }),
    ("input_cost_per_audio_token", |model, price| {
        model.prices.audio_input = Some(price);
    }),
    ("output_cost_per_audio_token", |model, price| {
        model.prices.audio_output = Some(price);
    }),
];

const ABILITIES: [(&str, Set<bool>); 8] = [
    ("supports_function_calling", |model, can| model.tools = can),
    ("supports_parallel_function_calling", |model, can| {
        model.parallel_tools = can;
    }),
    ("supports_response_schema", |model, can| {
        model.json_schema = can
    }),
    ("supports_vision", |model, can| model.vision = can),
    ("supports_pdf_input", |model, can| model.pdf = can),
    ("supports_audio_input", |model, can| model.audio_input = can),
    ("supports_audio_output", |model, can| {
        model.audio_output = can
    }),
    ("supports_prompt_caching", |model, can| model.caching = can),
];

impl Info {
    /// Reads `model_info`. What is not LiteLLM's there are free words of the owner's.
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let mut info = Self::default();
        for (name, count) in COUNTS {
            if let Some(field) = section.take(name) {
                let number = field.number(1..=1_000_000_000_u64);
                info.change(number.map(|number| (count, number)));
            }
        }
        for (name, ability) in ABILITIES {
            if let Some(field) = section.take(name) {
                info.change(field.boolean().map(|can| (ability, can)));
            }
        }
        info.prices(&mut section);
        info.base_text = section.take("base_model").and_then(|field| field.text());
        for (name, field) in section.rest() {
            if known::MODEL_INFO.contains(&name.as_str()) {
                field.fail("LiteLLM acts on this, and this version does not: remove it");
            }
        }
        info
    }

    /// Adds what LiteLLM takes among a deployment's parameters too.
    pub(super) fn and(mut self, params: &mut Section<'_>, providers: &Providers) -> Self {
        self.prices(params);
        let told = params.take("base_model").and_then(|field| field.text());
        self.base_model = told
            .or_else(|| self.base_text.take())
            .and_then(|text| providers.model(&text).ok());
        self
    }

    fn prices(&mut self, section: &mut Section<'_>) {
        for (name, price) in PRICES {
            if let Some(field) = section.take(name) {
                self.change(dollars(&field).map(|dollars| (price, dollars)));
            }
        }
    }

    fn change<T: 'static>(&mut self, told: Option<(Set<T>, T)>) {
        if let Some((set, value)) = told {
            self.changes.push(Box::new(move |model| set(model, value)));
        }
    }

    /// What is known of the model as this provider serves it, with all that in it; none where nothing is known but what a name says.
    pub(super) fn facts(self, name: &ModelName, max_tokens: Option<u64>) -> Option<Model> {
        let name = self.base_model.as_ref().unwrap_or(name);
        let known = ModelFacts::default();
        let found = known.served(name).or_else(|| known.of(name.model()));
        if found.is_none() && self.changes.is_empty() && max_tokens.is_none() {
            return None;
        }
        let mut model = found.cloned().unwrap_or_else(|| Model::new(0));
        for change in self.changes {
            change(&mut model);
        }
        if let Some(most) = max_tokens {
            model.max_output = most;
        }
        Some(model)
    }
}

fn dollars(field: &Field<'_>) -> Option<Price> {
    let price = field.text()?.parse();
    match price {
        Ok(price) => Some(price),
        Err(fault) => {
            let fault: bartizan::translate::catalogue::NoPrice = fault;
            field.fail(fault.to_string());
            None
        }
    }
}
