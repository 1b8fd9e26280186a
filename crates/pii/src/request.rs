//! What happens to a request on its way in.

use std::sync::Arc;
use std::time::Duration;

use bartizan_core::json::Kind;
use bartizan_core::{
    Call, Dialect, Document, Filter, Flow, Note, Refusal, RefusalKind, Regions, Text, TextRole,
};
use http::header::ACCEPT_ENCODING;
use http::{HeaderMap, HeaderValue};
use http_body::Body as _;

use crate::answer::Outlook;
use crate::conversation::{BadName, Conversation, Conversations, StoreError};
use crate::counts::Counts;
use crate::layer::Pii;
use crate::plan::{Plan, Treated, keep, write};
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
        let around = Circumstances::of(call);
        let Some(document) = call.document().await? else {
            if !call.body_mut().is_end_stream() && !self.options.unknown_bodies {
                call.note(Note::new("pii", "refused").word("reason", "unknown_body"));
                return Err(unknown_body());
            }
            return Ok(Flow::Pass(None));
        };
        let plan = self.plan(&around, document.facts().model.as_deref());
        let mut notes = Vec::new();
        let masked = self.mask(document, &plan, &around, &mut notes).await;
        notes.into_iter().for_each(|note| call.note(note));
        let vault = masked?.filter(|vault| self.options.restore && !vault.is_empty());
        let outlook = Outlook::new(plan, around.tenant, vault.map(Arc::new));
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

/// What a call says, but for its body.
struct Circumstances {
    tenant: Tenant,
    headers: HeaderMap,
    principal: Option<bartizan_core::Principal>,
    path: String,
    regions: Regions,
}

impl Circumstances {
    fn of(call: &Call) -> Self {
        Self {
            tenant: Tenant::of(call.principal()),
            headers: call.parts().headers.clone(),
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

    /// Takes the personal data out of `document`. `None`: nothing can come back.
    async fn mask(
        &self,
        document: &mut Document,
        plan: &Plan,
        around: &Circumstances,
        notes: &mut Vec<Note>,
    ) -> Result<Option<Vault>, Refusal> {
        let of_models = self.ask_models(document, notes).await?;
        let findings = self.find(document, plan, &of_models, notes)?;
        let conversation = self.conversation(document, around, notes)?;
        if conversation.is_none() && findings.iter().all(Vec::is_empty) {
            return Ok(None);
        }
        let mut vault = self
            .fill(document, &findings, conversation.as_ref(), plan, around)
            .await
            .map_err(|unsent| refused(unsent, notes))?;
        let mut in_order = findings.iter();
        let mut unsent = None;
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
            return Err(refused(unsent.into(), notes));
        }
        let mut counts = Counts::default();
        for found in findings.iter().flatten() {
            counts.add(found.entity, found.operator);
        }
        notes.extend(counts.notes("request", plan.name().as_deref()));
        Ok(Some(vault))
    }

    /// What is in `document`, one list a text.
    fn find<'p>(
        &self,
        document: &Document,
        plan: &'p Plan,
        of_models: &[Vec<Finding>],
        notes: &mut Vec<Note>,
    ) -> Result<Vec<Vec<Treated<'p>>>, Refusal> {
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
        match blocked(document, &findings) {
            None => Ok(findings),
            Some((entity, refusal)) => {
                let mut counts = Counts::default();
                counts.add(entity, &Operator::Block);
                notes.extend(counts.notes("request", plan.name().as_deref()));
                Err(refusal)
            }
        }
    }

    fn conversation(
        &self,
        document: &Document,
        around: &Circumstances,
        notes: &mut Vec<Note>,
    ) -> Result<Option<Conversation>, Refusal> {
        let Some(conversations) = &self.conversations else {
            return Ok(None);
        };
        conversations
            .of(&around.headers, document, &around.tenant)
            .map_err(|BadName| {
                notes.push(Note::new("pii", "refused").word("reason", "conversation_name"));
                bad_name()
            })
    }

    /// A vault with all that is to come back: the exchange's own, or its conversation's.
    async fn fill(
        &self,
        document: &Document,
        findings: &[Vec<Treated<'_>>],
        conversation: Option<&Conversation>,
        plan: &Plan,
        around: &Circumstances,
    ) -> Result<Vault, NotKept> {
        let fresh = || {
            if continues(document) {
                Vault::continuing()
            } else {
                Vault::new()
            }
        };
        let allocate = |vault: Vault| {
            let mut vault = vault
                .of_tenant(around.tenant.clone())
                .bounds(self.options.bounds);
            reserve(&mut vault, document, plan.fakes());
            for (text, findings) in document.texts().zip(findings) {
                for found in findings {
                    let original = text.as_str().get(found.range.clone());
                    keep(found, original.unwrap_or_default(), &mut vault)?;
                }
            }
            Ok::<Vault, Unsent>(vault)
        };
        let (Some(conversation), Some(Conversations { store, .. })) =
            (conversation, &self.conversations)
        else {
            return Ok(allocate(fresh())?);
        };
        for _ in 0..MOST_RACES {
            let sealed = store.load(&conversation.id).await?;
            let (version, vault) = match &sealed {
                Some(sealed) => (sealed.version(), conversation.seal.open(sealed)?),
                None => (0, fresh()),
            };
            let before = vault.len();
            let vault = allocate(vault)?;
            if vault.len() == before {
                return Ok(vault);
            }
            let sealed = conversation.seal.close(&vault, version + 1)?;
            if store.save(&conversation.id, sealed).await? {
                return Ok(vault);
            }
        }
        Err(NotKept::Store)
    }
}

/// How often a call tries again whose conversation goes on in another call at the same time.
const MOST_RACES: usize = 16;

/// Why a vault could not be filled.
enum NotKept {
    Unsent(Unsent),
    Store,
}

impl From<Unsent> for NotKept {
    fn from(unsent: Unsent) -> Self {
        Self::Unsent(unsent)
    }
}

impl From<StoreError> for NotKept {
    fn from(_: StoreError) -> Self {
        Self::Store
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

/// The first text that holds what is blocked.
fn blocked(document: &Document, findings: &[Vec<Treated<'_>>]) -> Option<(Entity, Refusal)> {
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
    let refusal = Refusal::new(RefusalKind::Blocked, "pii_blocked", message).param(place);
    Some((entity, refusal))
}

/// The refusal of an answer that holds what is blocked.
pub(crate) fn blocked_answer(entity: Entity) -> Refusal {
    let message =
        format!("the answer holds personal data of kind {entity}, which is not let through");
    Refusal::new(RefusalKind::Blocked, "pii_blocked", message)
}

/// Notes why a request is not sent, and refuses it.
fn refused(why: NotKept, notes: &mut Vec<Note>) -> Refusal {
    let (reason, kind, code) = match why {
        NotKept::Unsent(Unsent::Blocked(_)) => ("blocked", RefusalKind::Blocked, "pii_blocked"),
        NotKept::Unsent(Unsent::Full(_)) => ("vault_full", RefusalKind::TooLarge, "pii_vault_full"),
        NotKept::Unsent(Unsent::Unsealed(_)) => ("unsealed", RefusalKind::Internal, "pii_unsealed"),
        NotKept::Store => (
            "conversation_unavailable",
            RefusalKind::Unavailable,
            "pii_conversation_unavailable",
        ),
    };
    notes.push(Note::new("pii", "refused").word("reason", reason));
    match why {
        NotKept::Unsent(unsent) => Refusal::new(kind, code, unsent.to_string()),
        NotKept::Store => {
            Refusal::new(kind, code, StoreError.to_string()).retry_after(Duration::from_secs(1))
        }
    }
}

fn bad_name() -> Refusal {
    let message = "the conversation's name is empty, too long or no text: send another";
    Refusal::new(RefusalKind::BadRequest, "pii_conversation_name", message)
}

pub(crate) fn unseen_part(place: &'static str) -> Refusal {
    let message = format!("a part of `{place}` can't be checked for personal data: leave it out");
    Refusal::new(RefusalKind::BadRequest, "pii_unseen_part", message).param(place)
}

fn unknown_body() -> Refusal {
    let message = "the body can't be checked for personal data: its path is none of the known APIs";
    Refusal::new(RefusalKind::BadRequest, "pii_unknown_body", message)
}
