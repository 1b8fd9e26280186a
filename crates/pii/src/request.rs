//! What happens to a request on its way in.

use std::sync::Arc;

use bartizan_core::json::Kind;
use bartizan_core::{
    Call, Dialect, Document, Filter, Flow, Note, Refusal, RefusalKind, Regions, Text, TextRole,
};
use http::HeaderValue;
use http::header::ACCEPT_ENCODING;
use http_body::Body as _;

use crate::answer::Outlook;
use crate::counts::Counts;
use crate::layer::Pii;
use crate::plan::{Plan, Treated, write};
use crate::policy::Facts;
use crate::spelling::Spelling;
use crate::tap::PiiTap;
use crate::{Entity, Finding, Operator, Tenant, Unsent, Vault};

impl Filter for Pii {
    const NAME: &'static str = "pii";

    type Tap = Option<PiiTap>;

    async fn request(&self, call: &mut Call) -> Result<Flow<Self::Tap>, Refusal> {
        if let Some(dialect) = self.options.dialect {
            call.set_dialect(dialect);
        }
        let tenant = Tenant::of(call.principal());
        let circumstances = Circumstances::of(call);
        let Some(document) = call.document().await? else {
            if !call.body_mut().is_end_stream() && !self.options.unknown_bodies {
                call.note(Note::new("pii", "refused").word("reason", "unknown_body"));
                return Err(unknown_body());
            }
            return Ok(Flow::Pass(None));
        };
        let plan = self.plan(&circumstances, document.facts().model.as_deref());
        let mut notes = Vec::new();
        let masked = match self.ask_models(document, &mut notes).await {
            Ok(of_models) => self.mask(document, &plan, &tenant, &of_models, &mut notes),
            Err(refusal) => Err(refusal),
        };
        notes.into_iter().for_each(|note| call.note(note));
        let vault = masked?.filter(|vault| self.options.restore && !vault.is_empty());
        let outlook = Outlook::new(plan, tenant, vault.map(Arc::new));
        if outlook.vault.is_none() && !outlook.looks() {
            return Ok(Flow::Pass(None));
        }
        // A compressed answer could not be looked into.
        call.parts_mut()
            .headers
            .insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let tap = PiiTap::new(outlook, call.trail().cloned())
            .allowing(self.options.unseen_parts, self.options.unknown_bodies)
            .asking(self.models.clone());
        Ok(Flow::Pass(Some(tap)))
    }
}

/// What rules ask of a call, but for what its body says.
struct Circumstances {
    principal: Option<bartizan_core::Principal>,
    path: String,
    regions: Regions,
}

impl Circumstances {
    fn of(call: &Call) -> Self {
        Self {
            principal: call.principal().cloned(),
            path: call.parts().uri.path().to_owned(),
            regions: call
                .parts()
                .extensions
                .get::<Regions>()
                .cloned()
                .unwrap_or_default(),
        }
    }
}

impl Pii {
    /// The policy for each region in which the call may be answered.
    fn plan(&self, around: &Circumstances, model: Option<&str>) -> Plan {
        let mut policies = Vec::new();
        for region in around.regions.iter() {
            let facts = Facts {
                principal: around.principal.as_ref(),
                path: &around.path,
                model,
                region,
            };
            let policy = self
                .policies
                .iter()
                .find(|(rule, _)| rule.holds(&facts))
                .map_or(&self.usual, |(_, policy)| policy);
            if !policies.iter().any(|known| Arc::ptr_eq(known, policy)) {
                policies.push(Arc::clone(policy));
            }
        }
        Plan::new(policies)
    }

    /// What models find in `document`, one list a text; none where there is no model.
    async fn ask_models(
        &self,
        document: &Document,
        notes: &mut Vec<Note>,
    ) -> Result<Vec<Vec<Finding>>, Refusal> {
        let Some(models) = &self.models else {
            return Ok(Vec::new());
        };
        let texts: Vec<Text<'_>> = document.texts().collect();
        let texts: Vec<&str> = texts.iter().map(Text::as_str).collect();
        models
            .ask(&texts, |note| notes.push(note.word("direction", "request")))
            .await
    }

    /// Takes the personal data out of `document`. `None`: there is none.
    fn mask(
        &self,
        document: &mut Document,
        plan: &Plan,
        tenant: &Tenant,
        of_models: &[Vec<Finding>],
        notes: &mut Vec<Note>,
    ) -> Result<Option<Vault>, Refusal> {
        if let Some(unseen) = document.unseen().first()
            && !self.options.unseen_parts
        {
            notes.push(
                Note::new("pii", "refused")
                    .word("reason", "unseen_part")
                    .word("part", unseen.place()),
            );
            return Err(unseen_part(unseen.place()));
        }
        let mut of_models = of_models.iter();
        let findings: Vec<Vec<Treated<'_>>> = document
            .texts()
            .map(|text| {
                let more = of_models.next().map(Vec::as_slice).unwrap_or_default();
                plan.find(text.as_str(), name(&text).as_deref(), more)
            })
            .collect();
        if findings.iter().all(Vec::is_empty) {
            return Ok(None);
        }
        let mut counts = Counts::default();
        let all = || findings.iter().flatten();
        if let Some(refusal) = blocked(document, &findings) {
            let blocked = |found: &&Treated<'_>| *found.operator == Operator::Block;
            if let Some(found) = all().find(blocked) {
                counts.add(found.entity, found.operator);
            }
            notes.extend(counts.notes("request", plan.name().as_deref()));
            return Err(refusal);
        }
        let mut vault = if continues(document) {
            Vault::continuing()
        } else {
            Vault::new()
        }
        .of_tenant(tenant.clone())
        .bounds(self.options.bounds);
        reserve(&mut vault, document, plan.fakes());
        let mut unsent = None;
        let mut in_order = findings.iter();
        document.rewrite(|text| {
            let findings = in_order.next()?;
            match rewritten(text.as_str(), findings, &mut vault) {
                Ok(new) => new,
                Err(error) => {
                    unsent.get_or_insert(error);
                    None
                }
            }
        });
        if let Some(unsent) = unsent {
            notes.push(Note::new("pii", "refused").word("reason", reason(unsent)));
            return Err(not_sent(unsent));
        }
        all().for_each(|found| counts.add(found.entity, found.operator));
        notes.extend(counts.notes("request", plan.name().as_deref()));
        Ok(Some(vault))
    }
}

/// Notes all that the model will see, spelled as it is and as it reads.
fn reserve(vault: &mut Vault, document: &Document, fakes: bool) {
    vault.reserve_placeholders(&Spelling::of(document.as_str()));
    for text in document.texts() {
        if fakes {
            vault.reserve(text.as_str());
        } else {
            vault.reserve_placeholders(&Spelling::of(text.as_str()));
        }
    }
}

/// What a text's member is called, where the caller named it: in the arguments and answers of tools, in metadata, in any JSON.
fn name<'t>(text: &Text<'t>) -> Option<std::borrow::Cow<'t, str>> {
    let named = matches!(
        text.role(),
        TextRole::ToolArguments | TextRole::ToolResult | TextRole::Metadata | TextRole::Other
    );
    named.then(|| text.name())?
}

/// `text` without what was found in it; `None` where it stays.
fn rewritten(
    text: &str,
    findings: &[Treated<'_>],
    vault: &mut Vault,
) -> Result<Option<String>, Unsent> {
    if findings.iter().all(|found| found.operator.lets_through()) {
        return Ok(None);
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for found in findings {
        out.push_str(text.get(done..found.range.start).unwrap_or_default());
        let original = text.get(found.range.clone()).unwrap_or_default();
        write(found.operator, found.entity, original, vault, &mut out)?;
        done = found.range.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Ok(Some(out))
}

/// Whether the model sees texts of earlier exchanges that this message doesn't repeat.
fn continues(document: &Document) -> bool {
    let root = document.json().root();
    document.dialect() == Dialect::OpenAiResponses
        && ["previous_response_id", "conversation"]
            .iter()
            .filter_map(|name| root.get(name))
            .any(|value| value.kind() != Kind::Null)
}

/// The refusal of the first text that holds what is blocked.
fn blocked(document: &Document, findings: &[Vec<Treated<'_>>]) -> Option<Refusal> {
    let (entity, text) = findings
        .iter()
        .zip(document.texts())
        .find_map(|(all, text)| {
            let found = all
                .iter()
                .find(|found| *found.operator == Operator::Block)?;
            Some((found.entity, text))
        })?;
    let place = text.place();
    let message = format!(
        "`{place}` holds personal data of kind {entity}, which is not let through: take it out"
    );
    Some(Refusal::new(RefusalKind::Blocked, "pii_blocked", message).param(place))
}

/// The refusal of an answer that holds what is blocked.
pub(crate) fn blocked_answer(entity: Entity) -> Refusal {
    let message =
        format!("the answer holds personal data of kind {entity}, which is not let through");
    Refusal::new(RefusalKind::Blocked, "pii_blocked", message)
}

fn reason(unsent: Unsent) -> &'static str {
    match unsent {
        Unsent::Blocked(_) => "blocked",
        Unsent::Full(_) => "vault_full",
        Unsent::Unsealed(_) => "unsealed",
    }
}

fn not_sent(unsent: Unsent) -> Refusal {
    let (kind, code) = match unsent {
        Unsent::Blocked(_) => (RefusalKind::Blocked, "pii_blocked"),
        Unsent::Full(_) => (RefusalKind::TooLarge, "pii_vault_full"),
        Unsent::Unsealed(_) => (RefusalKind::Internal, "pii_unsealed"),
    };
    Refusal::new(kind, code, unsent.to_string())
}

pub(crate) fn unseen_part(place: &'static str) -> Refusal {
    let message = format!("a part of `{place}` can't be checked for personal data: leave it out");
    Refusal::new(RefusalKind::BadRequest, "pii_unseen_part", message).param(place)
}

fn unknown_body() -> Refusal {
    let message = "the body can't be checked for personal data: its path is none of the known APIs";
    Refusal::new(RefusalKind::BadRequest, "pii_unknown_body", message)
}
