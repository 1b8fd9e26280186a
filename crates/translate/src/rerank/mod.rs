//! Rerank, in Cohere's shape. What becomes what: [`guide::others`](crate::guide::others).

mod answer;
mod ask;

use bartizan_core::{Dialect, Document, Refusal};

use self::answer::Answer;
use self::ask::Ask;
use crate::dialects::{To, unsupported};
use crate::losses::Losses;
use crate::read::Unknown;
use crate::whole::{Question, Retell, Retold, is_bedrocks_cohere};
use crate::write::Writer;

pub(crate) fn question(
    document: &Document,
    policy: Unknown,
    to: To<'_>,
    losses: &mut Losses,
) -> Result<Question, Refusal> {
    let ask = Ask::decode(document, policy, losses)?;
    let mut out = Writer::with_capacity(1_024);
    out.open();
    match to.dialect {
        Dialect::CohereRerank => cohere(&ask, to, &mut out),
        Dialect::TeiRerank => tei(&ask, losses, &mut out),
        to => return Err(unsupported(to)),
    }
    out.close();
    let documents = ask.documents.iter();
    Ok(Question {
        text: out.finish(),
        names: &[],
        retell: Box::new(Ranks {
            count: ask.documents.len(),
            best: ask.best,
            documents: ask
                .returns
                .then(|| documents.map(|text| text.as_ref().to_owned()).collect()),
        }),
    })
}

fn cohere(ask: &Ask<'_>, to: To<'_>, out: &mut Writer) {
    if is_bedrocks_cohere(to.model) {
        out.number_at("api_version", 2);
    } else {
        out.text_at("model", to.model);
    }
    out.text_at("query", &ask.query);
    texts("documents", ask, out);
    if let Some(best) = ask.best {
        out.key_text(to.quirks.renamed("top_n").unwrap_or("top_n"));
        out.raw(&best.to_string());
    }
    if let Some(most) = ask.max_tokens {
        out.number_at("max_tokens_per_doc", most);
    }
    if let Some(priority) = ask.priority {
        out.raw_at("priority", priority.raw());
    }
    if let Some(truncation) = ask.truncation {
        out.raw_at("truncation", if truncation { "true" } else { "false" });
    }
}

fn tei(ask: &Ask<'_>, losses: &mut Losses, out: &mut Writer) {
    out.text_at("query", &ask.query);
    texts("texts", ask, out);
    if let Some(truncation) = ask.truncation {
        out.raw_at("truncate", if truncation { "true" } else { "false" });
    }
    if ask.max_tokens.is_some() {
        losses.dropped("max_tokens_per_doc");
    }
    if ask.priority.is_some() {
        losses.dropped("priority");
    }
}

fn texts(key: &str, ask: &Ask<'_>, out: &mut Writer) {
    out.key(key);
    out.open_list();
    for text in &ask.documents {
        out.text(text);
    }
    out.close_list();
}

#[derive(Debug)]
struct Ranks {
    /// How many documents there are.
    count: usize,
    /// How many are wanted back.
    best: Option<u64>,
    /// The documents, where the answer is to have them.
    documents: Option<Vec<String>>,
}

impl Retell for Ranks {
    fn retell(&self, reply: &Document) -> Option<Retold> {
        let mut answer = Answer::read(reply)?;
        // A score that is nobody's would be taken for another's.
        if answer
            .results
            .iter()
            .any(|result| result.index >= self.count)
        {
            return None;
        }
        if let Some(best) = self.best {
            let best = usize::try_from(best).unwrap_or(usize::MAX);
            answer.results.truncate(best);
        }
        let text = answer.write(self.documents.as_deref())?;
        Some(Retold {
            text,
            losses: answer.losses,
        })
    }
}
