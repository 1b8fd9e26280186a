//! What a call falls under, and whether it may pass.

use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{Call, Document, Filter, Flow, Note, Prices, Principal, Refusal, Trail};
use http::{Method, header};

use crate::admission::{Admission, Wish};
use crate::end_user::EndUsers;
use crate::estimate::{Estimate, Uncapped, Wanted};
use crate::headers;
use crate::layer::Limit;
use crate::measure::{self, Measure};
use crate::plan::{Line, Plan};
use crate::prices::UnknownPrices;
use crate::refuse;
use crate::rules::UnknownTier;
use crate::tap::{Account, LimitTap};

/// What a request's message says of what it may cost.
#[derive(Debug, Default)]
struct Asked {
    model: Option<String>,
    end_user: Option<String>,
    stream: bool,
    wanted: Option<Wanted>,
}

impl Filter for Limit {
    const NAME: &'static str = "limit";
    type Tap = Option<LimitTap>;

    async fn request(&self, call: &mut Call) -> Result<Flow<Option<LimitTap>>, Refusal> {
        let principal = call.principal().cloned();
        let principal = principal.as_ref();
        let trail = call.trail().cloned();
        let trail = trail.as_ref();
        if !self
            .till
            .record
            .as_ref()
            .is_none_or(|record| record.takes())
        {
            return refused(trail, refuse::unrecorded());
        }
        let at = self.till.clock.unix();
        let mut asked = Asked::default();
        let mut lines = self.lines(trail, principal, &asked, at)?;
        // What asks for nothing costs no tokens.
        let generates = !matches!(
            call.parts().method,
            Method::GET | Method::HEAD | Method::OPTIONS | Method::DELETE
        );
        let mut bill = None;
        if generates && (self.reads(principal) || lines.iter().any(|line| depends(line))) {
            let bytes = length(call);
            let read = call.document().await;
            let read = read.map(|document| document.map(|document| Asked::of(document)));
            asked = match read {
                Ok(asked) => asked.unwrap_or_else(|| Asked::of_bytes(bytes)),
                Err(malformed) => {
                    // What can't be read costs no tokens, but it is a request.
                    drop(self.admit(trail, lines, None, false).await?);
                    return Err(malformed);
                }
            };
            lines = self.lines(trail, principal, &asked, at)?;
            let model = asked.model.as_deref();
            let prices = self.prices_of(model);
            let pays = lines.iter().any(|line| line.measure == Measure::Money);
            let refuses = self.unknown_prices == UnknownPrices::Refuse;
            if pays && model.is_some() && prices.is_none() && refuses {
                return refused(trail, refuse::unpriced());
            }
            bill = asked.wanted.map(|wanted| {
                let uncapped = self.uncapped(&lines, model);
                (wanted.estimate(uncapped, prices.as_ref()), prices)
            });
        }
        let (estimate, prices) = bill.unzip();
        let records = self.till.record.is_some();
        let estimate = estimate.filter(|_| records || lines.iter().any(|line| counts_tokens(line)));
        let admission = self.admit(trail, lines, estimate.as_ref(), asked.stream);
        let Some(admission) = admission.await? else {
            return Ok(Flow::Pass(None));
        };
        let users = self.rules.end_users.as_ref().filter(|_| records);
        let account = Account {
            at,
            principal: principal.cloned(),
            end_user: users
                .and_then(|users| Some(users.digest(principal, asked.end_user.as_ref()?))),
            model: asked.model,
            prices: prices.flatten(),
        };
        Ok(Flow::Pass(Some(LimitTap::new(
            admission,
            estimate,
            account,
            trail.cloned(),
        ))))
    }
}

impl Limit {
    /// Takes what a call wants of its counts. `None`: it falls under none.
    async fn admit(
        &self,
        trail: Option<&Trail>,
        lines: Vec<Arc<Line>>,
        estimate: Option<&Estimate>,
        stream: bool,
    ) -> Result<Option<Admission>, Refusal> {
        let wishes = lines
            .into_iter()
            .filter_map(|line| {
                let amount = measure::wanted(line.measure, estimate, stream)?;
                Some(Wish { line, amount })
            })
            .collect::<Vec<_>>();
        let records = self.till.record.is_some() && estimate.is_some();
        if wishes.is_empty() && !records {
            return Ok(None);
        }
        match self.till.admit(wishes).await {
            Ok(admission) => {
                metrics::counter!("bartizan.limit.calls", "outcome" => "admitted").increment(1);
                Ok(Some(admission))
            }
            Err(denied) => {
                let (mut refusal, note) = refuse::refusal(denied);
                if self.till.degraded() {
                    let (name, value) = headers::DEGRADED;
                    refusal = refusal.header(name, value);
                }
                refused(trail, (refusal, note))
            }
        }
    }

    /// The counts that a call falls under.
    fn lines(
        &self,
        trail: Option<&Trail>,
        principal: Option<&Principal>,
        asked: &Asked,
        now: Duration,
    ) -> Result<Vec<Arc<Line>>, Refusal> {
        let model = asked.model.as_deref();
        let model = model.filter(|model| self.rules.knows(principal, model));
        let plan = self.plans.of(principal, model, now, |model| {
            self.rules.plan(principal, model, now)
        });
        let plan = plan.or_else(|UnknownTier| refused(trail, refuse::unknown_tier()))?;
        let mut lines = plan.lines.clone();
        if let (Some(users), Some(name)) = (&self.rules.end_users, &asked.end_user) {
            let allowance = users.allowance(name);
            if !allowance.is_empty() {
                let digest = users.digest(principal, name);
                let plan: Plan = self.rules.end_user(&digest, allowance, now);
                lines.extend(plan.lines);
            }
        }
        Ok(lines)
    }

    /// Whether the message is to be read for what binds the call.
    fn reads(&self, principal: Option<&Principal>) -> bool {
        self.till.record.is_some()
            || self.rules.by_model(principal)
            || self.rules.end_users.as_ref().is_some_and(EndUsers::bind)
    }

    fn uncapped(&self, lines: &[Arc<Line>], model: Option<&str>) -> Uncapped {
        let limits = lines.iter().filter_map(|line| match line.measure {
            Measure::Tokens(..) => Some(line.limit),
            _ => None,
        });
        let prices = self.prices.as_ref();
        Uncapped {
            default: self.default_output,
            most: prices.and_then(|prices| prices.max_output_tokens(model?)),
            least: limits.min().unwrap_or(u64::MAX),
        }
    }

    fn prices_of(&self, model: Option<&str>) -> Option<Prices> {
        let prices = self.prices.as_ref()?.prices(model?)?;
        Some(prices).filter(|prices| !prices.is_unknown())
    }
}

impl Asked {
    fn of(document: &Document) -> Self {
        let facts = document.facts();
        Self {
            model: facts.model.clone(),
            end_user: facts.end_user.clone(),
            stream: facts.stream,
            wanted: Some(Wanted::of(document)),
        }
    }

    fn of_bytes(bytes: Option<u64>) -> Self {
        Self {
            wanted: Some(Wanted::of_bytes(bytes)),
            ..Self::default()
        }
    }
}

fn refused<T>(trail: Option<&Trail>, (refusal, note): (Refusal, Note)) -> Result<T, Refusal> {
    if let Some(trail) = trail {
        trail.note(note);
    }
    Err(refusal)
}

/// Whether how much of it a call takes is in the message.
fn depends(line: &Line) -> bool {
    counts_tokens(line) || line.measure == Measure::Streams
}

fn counts_tokens(line: &Line) -> bool {
    matches!(line.measure, Measure::Tokens(..) | Measure::Money)
}

/// The length that the request declares.
fn length(call: &Call) -> Option<u64> {
    call.parts()
        .headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}
