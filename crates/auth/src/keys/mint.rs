//! Mints keys.

use std::time::Duration;

use bartizan_core::{Bounds, Models, Principal, Role};
use secrecy::{ExposeSecret, SecretString};

use super::Keys;
use super::check::{self, whole_milliseconds};
use super::hand::Hand;
use super::wish::{KeyRequest, MintedKey};
use crate::Error;
use crate::account::{Account, AccountId, AccountKind};
use crate::digest::KeyDigest;
use crate::key::{KeyId, VirtualKey};
use crate::matrix::{Action, Reach};
use crate::narrow;
use crate::record::{KeyRecord, Minter, Rotation};
use crate::rights::Rights;

/// A key that descends from more keys than this mints no other: what binds a call stays a matter of a few records.
const DEEPEST: usize = 8;

/// Where a key stands in the hierarchy.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) team_id: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) organization_id: Option<String>,
}

impl Keys {
    /// Mints a key. Its rights are the meet of what `request` asks for and what `minter` has: fewer models, paths and addresses, tighter limits,
    /// a smaller budget, an earlier end and a lesser role than asked for come back in the record, without an error.
    ///
    /// Who mints with a virtual key, hands on what binds it now *and later*: the new key descends from it, and from those that it descends from.
    /// Who is known otherwise has no key that it could descend from: their accounts bind it, now and later ([`KeyRecord::minter`]).
    ///
    /// A proxy admin mints for anybody; an administrator of an organisation for its teams and users; one of a team for its members, and keys
    /// of the team that are nobody's; everybody else for their own user, in the team that they call in.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for another's user, team or organisation, where the minter's own key opens nothing, or descends from eight others;
    /// [`Error::Invalid`] for a field out of range; [`Error::Store`] when the alias is taken or the store fails.
    pub async fn generate(
        &self,
        minter: &Principal,
        request: KeyRequest,
    ) -> Result<MintedKey, Error> {
        let hand = self.hand(minter).await?;
        let reach = hand.reach(Action::GenerateKey)?;
        if request.blocked {
            hand.reach(Action::BlockKey)?;
        }
        if hand.lineage.len() > DEEPEST {
            return Err(Error::Forbidden(
                "your key descends from eight others: mint with one of those",
            ));
        }
        self.check_guardrails(&request.guardrails)?;
        self.check_schedule(request.rotation_interval.is_some())?;
        let now = self.clock.unix();
        let (key, digest) = self.draw()?;
        let mut record = KeyRecord::new(KeyId::generate()?, digest, whole_milliseconds(now));
        record.rights = Rights {
            models: request.models.unwrap_or(Models::All),
            routes: request.routes,
            addresses: request.addresses,
            bounds: Bounds {
                limits: request.limits,
                budget: request.budget,
            },
            model_bounds: request.model_bounds,
            guardrails: request.guardrails,
        };
        record.alias = request.alias;
        record.team_id = request.team_id;
        record.user_id = request.user_id;
        record.organization_id = request.organization_id;
        record.aliases = request.aliases;
        record.metadata = request.metadata;
        record.tags = request.tags;
        record.key_type = request.key_type.unwrap_or_default();
        record.blocked = request.blocked;
        // As asked, before anything is met: a list that is too long is not worth the meeting.
        check::key(&record)?;

        record.rights = narrow::rights(&hand.rights, &record.rights, &self.groups);
        record.role = hand.role().meet(request.role.unwrap_or(Role::InternalUser));
        self.put(&hand, reach, &mut record).await?;
        if hand.lineage.is_empty() {
            record.minter = Minter::of(&hand.principal);
        }
        record.lineage = hand.lineage;
        record.rotation = request.rotation_interval.map(|interval| Rotation {
            interval,
            next_at: whole_milliseconds(interval.after(now)),
        });
        minter.key_id().clone_into(&mut record.created_by);
        let asked = request
            .duration
            .map(|period| whole_milliseconds(period.after(now)));
        record.expires_at = earlier(asked, hand.expires_at);
        self.ask(self.store.insert(record.clone())).await?;
        metrics::counter!("bartizan.auth.keys_minted").increment(1);
        tracing::debug!(key_id = %record.key_id, by = minter.key_id(), "minted a key");
        Ok(MintedKey { key, record })
    }

    /// Draws a key's text.
    pub(super) fn draw(&self) -> Result<(SecretString, KeyDigest), Error> {
        let key = VirtualKey::generate()?;
        let digest = match VirtualKey::parse(key.expose_secret()) {
            Some(parsed) => self.pepper.digest(parsed),
            None => return Err(Error::Randomness),
        };
        Ok((key, digest))
    }

    /// Puts a record where it asks to stand, as far as `hand` reaches.
    pub(super) async fn put(
        &self,
        hand: &Hand,
        reach: Reach,
        record: &mut KeyRecord,
    ) -> Result<(), Error> {
        let asked = Place {
            team_id: record.team_id.take(),
            user_id: record.user_id.take(),
            organization_id: record.organization_id.take(),
        };
        let place = self.place(hand, reach, asked).await?;
        record.team_id = place.team_id;
        record.user_id = place.user_id;
        record.organization_id = place.organization_id;
        Ok(())
    }

    async fn place(&self, hand: &Hand, reach: Reach, asked: Place) -> Result<Place, Error> {
        let by = &hand.principal;
        let mut place = asked;
        if reach <= Reach::Own {
            if by.user_id().is_none() && hand.lineage.is_empty() {
                return Err(Error::Forbidden(
                    "whoever has neither a virtual key nor a user mints no keys",
                ));
            }
            keep("for another user", by.user_id(), &mut place.user_id)?;
        }
        if reach <= Reach::Team {
            keep("for another team", by.team_id(), &mut place.team_id)?;
        }
        if reach <= Reach::Organization {
            keep(
                "for another organization",
                by.organization_id(),
                &mut place.organization_id,
            )?;
        }
        let named = |kind: AccountKind, id: &Option<String>| {
            id.as_ref().map(|id| AccountId::new(kind, id.clone()))
        };
        let ids: Vec<AccountId> = [
            named(AccountKind::Organization, &place.organization_id),
            named(AccountKind::Team, &place.team_id),
            named(AccountKind::User, &place.user_id),
        ]
        .into_iter()
        .flatten()
        .collect();
        let accounts = self.accounts(&ids).await?;
        let of = |kind: AccountKind| accounts.iter().find(|account| account.id.kind == kind);
        for account in &accounts {
            if account.deleted_at.is_some() {
                return Err(Error::Invalid {
                    field: account.id.kind.id_field(),
                    mend: "it was deleted: name another",
                });
            }
        }
        let (organization, team, user) = (
            of(AccountKind::Organization),
            of(AccountKind::Team),
            of(AccountKind::User),
        );
        if reach == Reach::Organization {
            let ours = |account: Option<&Account>| {
                account.is_some_and(|account| {
                    account.organization_id.as_deref() == by.organization_id()
                })
            };
            if place.team_id.is_some() && place.team_id.as_deref() != by.team_id() && !ours(team) {
                return Err(Error::Forbidden("for a team of another organization"));
            }
            let known = ours(user) || is_member(team, &place) || is_member(organization, &place);
            if is_another(by, &place) && !known {
                return Err(Error::Forbidden("for a user of another organization"));
            }
        }
        if reach == Reach::Team && is_another(by, &place) && !is_member(team, &place) {
            return Err(Error::Forbidden("for a user who is no member of the team"));
        }
        let theirs = team
            .and_then(|team| team.organization_id.clone())
            .or_else(|| user.and_then(|user| user.organization_id.clone()));
        match (&place.organization_id, theirs) {
            (None, theirs) => place.organization_id = theirs,
            (Some(asked), Some(_)) => {
                if let Some(team) = team.and_then(|team| team.organization_id.as_ref())
                    && team != asked
                {
                    return Err(Error::Invalid {
                        field: "organization_id",
                        mend: "name the organization of the team, or leave it out",
                    });
                }
            }
            _ => {}
        }
        Ok(place)
    }
}

/// What is not asked for is the caller's own, and nothing else can be asked for.
fn keep(what: &'static str, own: Option<&str>, asked: &mut Option<String>) -> Result<(), Error> {
    if asked.is_some() && asked.as_deref() != own {
        return Err(Error::Forbidden(what));
    }
    *asked = own.map(str::to_owned);
    Ok(())
}

fn is_another(by: &Principal, place: &Place) -> bool {
    place.user_id.is_some() && place.user_id.as_deref() != by.user_id()
}

fn is_member(account: Option<&Account>, place: &Place) -> bool {
    let user_id = place.user_id.as_deref();
    account.is_some_and(|account| {
        account
            .members
            .iter()
            .any(|member| Some(member.user_id.as_str()) == user_id)
    })
}

/// The earlier of two ends, each where there is one.
pub(super) fn earlier(one: Option<Duration>, two: Option<Duration>) -> Option<Duration> {
    match (one, two) {
        (Some(one), Some(two)) => Some(one.min(two)),
        (one, two) => one.or(two),
    }
}
