//! The table of models: facts on which limits, prices and translations stand.
//!
//! `data/models.csv` has a line a model and provider, in the order of their names, so that a lookup is a search by halves; a line is
//! taken apart when it is first asked for.

use std::sync::{LazyLock, OnceLock};

use bartizan_core::{Price, Prices};

use super::corrections;
use crate::facts::{Effort, Model, Purpose, Thinking};

const TABLE: &str = include_str!("../../data/models.csv");

struct Row {
    line: &'static str,
    model: OnceLock<Option<Box<Model>>>,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#')).skip(1);
    lines
        .map(|line| Row {
            line,
            model: OnceLock::new(),
        })
        .collect()
});

impl Row {
    fn name(&self) -> &'static str {
        self.line.split(',').next().unwrap_or_default()
    }

    fn provider(&self) -> &'static str {
        self.line.split(',').nth(1).unwrap_or_default()
    }

    fn is_bare(&self) -> bool {
        self.line.split(',').nth(2) == Some("bare")
    }

    fn model(&self) -> Option<&Model> {
        self.model
            .get_or_init(|| {
                let mut model = read(self.line).ok()?;
                corrections::apply(self.name(), &mut model);
                Some(Box::new(model))
            })
            .as_deref()
    }
}

/// The lines of one name, whoever serves it.
fn named(name: &str) -> &'static [Row] {
    let rows: &'static [Row] = &ROWS;
    let start = rows.partition_point(|row| row.name() < name);
    let rest = rows.get(start..).unwrap_or_default();
    let many = rest.iter().take_while(|row| row.name() == name).count();
    rest.get(..many).unwrap_or_default()
}

/// A model as one provider serves it.
pub(crate) fn of_provider(provider: &str, name: &str) -> Option<&'static Model> {
    let mut rows = named(name).iter();
    rows.find(|row| row.provider() == provider)?.model()
}

/// A model as its maker serves it, else as anyone does: what it can do hangs little on who serves it.
pub(crate) fn of_any(name: &str) -> Option<&'static Model> {
    const MAKERS: [&str; 9] = [
        "anthropic",
        "openai",
        "gemini",
        "vertex_ai",
        "mistral",
        "cohere",
        "deepseek",
        "xai",
        "bedrock",
    ];
    let rank = |row: &&Row| {
        let maker = MAKERS.iter().position(|maker| *maker == row.provider());
        maker.unwrap_or(MAKERS.len())
    };
    let row = named(name).iter().min_by_key(rank);
    row.and_then(Row::model)
        .or_else(|| corrections::alone(name))
}

/// Who serves a model whose name stands alone, as LiteLLM's table has it.
pub(super) fn bare(name: &str) -> Option<&'static str> {
    let mut rows = named(name).iter();
    rows.find(|row| row.is_bare()).map(Row::provider)
}

/// Reads one line.
fn read(line: &str) -> Result<Model, &'static str> {
    let fields: Vec<&str> = line.split(',').collect();
    let [
        _,
        _,
        _,
        purpose,
        context,
        max_output,
        input,
        output,
        cached_input,
        cache_write,
        reasoning,
        audio_input,
        audio_output,
        abilities,
        retires,
    ] = fields.as_slice()
    else {
        return Err("fifteen fields");
    };
    let count = |text: &str| match text {
        "" => Ok(None),
        text => text
            .parse()
            .map(Some)
            .map_err(|_| "context, max_output: whole numbers"),
    };
    let price = |text: &str| match text {
        "" => Ok(None),
        text => text
            .parse::<Price>()
            .map(Some)
            .map_err(|_| "prices: US dollars for one token"),
    };
    let context = count(context)?;
    let mut model = Model::new(count(max_output)?.or(context).unwrap_or_default());
    model.context = context;
    model.purpose = Purpose::named(purpose)
        .ok_or("purpose: chat, responses, completion, embedding, moderation, rerank")?;
    model.prices = Prices {
        input: price(input)?,
        output: price(output)?,
        cached_input: price(cached_input)?,
        cache_write: price(cache_write)?,
        reasoning: price(reasoning)?,
        audio_input: price(audio_input)?,
        audio_output: price(audio_output)?,
    };
    for ability in abilities.split(' ').filter(|word| !word.is_empty()) {
        let flag = match ability {
            "tools" => &mut model.tools,
            "parallel" => &mut model.parallel_tools,
            "schema" => &mut model.json_schema,
            "vision" => &mut model.vision,
            "pdf" => &mut model.pdf,
            "audio_in" => &mut model.audio_input,
            "audio_out" => &mut model.audio_output,
            "cache" => &mut model.caching,
            "reasoning" => {
                model.thinking = Thinking::Adaptive;
                model.efforts = vec![Effort::Low, Effort::Medium, Effort::High];
                continue;
            }
            _ => return Err("abilities: a word that is not known"),
        };
        *flag = true;
    }
    model.retires = (!retires.is_empty()).then(|| (*retires).into());
    Ok(model)
}

#[cfg(test)]
mod tests {
    use super::super::Providers;
    use super::*;

    const HEAD: &str = "model,provider,bare,purpose,context,max_output,input,output,cached_input,cache_write,reasoning,audio_input,audio_output,abilities,retires";

    #[test]
    fn every_line_of_the_table_is_whole_and_in_order() {
        let providers = Providers::builtin();
        let lines: Vec<&str> = TABLE
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect();
        assert_eq!(lines[0], HEAD);
        assert!(lines.len() > 2_500, "{}", lines.len());
        let mut last = ("", "");
        for line in &lines[1..] {
            let row = Row {
                line,
                model: OnceLock::new(),
            };
            if let Err(fault) = read(line) {
                panic!("{line}: {fault}");
            }
            let slug = row.provider();
            let provider = providers.get(slug);
            assert!(
                provider.is_some_and(|known| known.slug() == slug),
                "{line}: no such provider"
            );
            assert!(
                matches!(line.split(',').nth(2), Some("" | "bare")),
                "{line}"
            );
            assert!(row.name().bytes().all(|b| b.is_ascii_graphic()), "{line}");
            let here = (row.name(), slug);
            assert!(last < here, "{line}: out of order");
            last = here;
            let retires = line.rsplit(',').next().unwrap();
            let digits = retires.bytes().enumerate().all(|(at, b)| match at {
                4 | 7 => b == b'-',
                _ => b.is_ascii_digit(),
            });
            assert!(
                retires.is_empty() || retires.len() == 10 && digits,
                "{line}"
            );
        }
    }

    #[test]
    fn a_bad_line_is_refused() {
        let good = "m,p,,chat,1,2,0.5,,,,,,,tools,2027-01-01";
        assert!(read(good).is_ok());
        for bad in [
            "m,p,,chat",
            "m,p,,chit,1,2,0.5,,,,,,,tools,",
            "m,p,,chat,x,2,0.5,,,,,,,tools,",
            "m,p,,chat,1,-2,0.5,,,,,,,tools,",
            "m,p,,chat,1,2,cheap,,,,,,,tools,",
            "m,p,,chat,1,2,0.5,,,,,,,magic,",
            "m,p,,chat,1,2,0.5,,,,,,,tools,,",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
