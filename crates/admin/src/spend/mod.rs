//! What was spent: calls one by one, added up, by day, and as CSV.

mod asked;
mod csv;
mod erase;
mod shown;
mod spender;

use bartizan_auth::{KeyId, Keys, Reach};
use bartizan_core::{Refusal, RefusalKind};
use bartizan_limit::spend::{
    Spend, SpendError, SpendFilter, SpendGroup, SpendId, SpendQuery, SpendSum, SpendViewer,
};

use crate::capability::{EraseSpend, Permitted, SeeSpend};
use crate::page::Size;
use crate::read::invalid;
use crate::routes::{Routes, Verbs};
use asked::{AskedActivity, AskedExport, AskedLogs, AskedReport, By, Days, Whose};
pub(crate) use csv::Csv;
use erase::EraseWish;
use shown::{Activity, Log, Logs, Report};
pub(crate) use spender::{Spender, of_account};

/// The most groups of an export.
const MOST_EXPORTED: u64 = 100_000;

pub(crate) fn routes(routes: Routes, spend: &Spend) -> Routes {
    let of = || spend.clone();
    let (to_list, to_add, to_show, to_export, to_erase) = (of(), of(), of(), of(), of());
    routes
        .see(
            "/spend/logs",
            "Shows calls and what they cost, the latest first",
            move |keys: Keys, by: Permitted<SeeSpend>, asked: AskedLogs| {
                logs(to_list.clone(), keys, by, asked)
            },
        )
        .see(
            "/global/spend/report",
            "Adds up what was spent, the most first",
            move |keys: Keys, by: Permitted<SeeSpend>, asked: AskedReport| {
                report(to_add.clone(), keys, by, asked)
            },
        )
        .see(
            "/user/daily/activity",
            "Shows what was spent each day",
            move |keys: Keys, by: Permitted<SeeSpend>, asked: AskedActivity| {
                activity(to_show.clone(), keys, by, asked)
            },
        )
        .see_csv(
            "/spend/export",
            "Adds up what was spent, as CSV",
            move |keys: Keys, by: Permitted<SeeSpend>, asked: AskedExport| {
                export(to_export.clone(), keys, by, asked)
            },
        )
        .change(
            Verbs::Post,
            "/spend/erase",
            "Takes a person's name out of what was spent",
            move |_: Keys, _: Permitted<EraseSpend>, wish: EraseWish| {
                erase::erase(to_erase.clone(), wish)
            },
        )
}

async fn logs(
    spend: Spend,
    keys: Keys,
    by: Permitted<SeeSpend>,
    mut asked: AskedLogs,
) -> Result<Logs, Refusal> {
    let size = Size::read(asked.size)?;
    let before = asked.after.as_deref().map(|after| {
        SpendId::parse(after)
            .ok_or_else(|| invalid("after", "`after` is `next` of the page before"))
    });
    let before = before.transpose()?;
    let days = asked.days()?;
    let filter = filter(&keys, &by, asked.whose(), &days).await?;
    let rows = spend.rows(filter, before, size.and_one() as u64).await;
    let rows = rows.map_err(away)?;
    let mut logs: Vec<Log> = rows.iter().map(Log::from).collect();
    let next = crate::page::cut(&mut logs, size, |log| log.request_id.clone());
    Ok(Logs { logs, next })
}

async fn report(
    spend: Spend,
    keys: Keys,
    by: Permitted<SeeSpend>,
    mut asked: AskedReport,
) -> Result<Report, Refusal> {
    let size = Size::read(asked.size)?;
    let skip = match asked.after.as_deref() {
        None => 0,
        Some(after) => after
            .parse::<u64>()
            .map_err(|_| invalid("after", "`after` is `next` of the page before"))?,
    };
    let group = By::read(asked.group_by.as_deref())?;
    let days = asked.days()?;
    let filter = filter(&keys, &by, asked.whose(), &days).await?;
    let total = total(&spend, &filter).await?;
    let most = size.and_one() as u64;
    let mut groups = groups(&spend, filter, group, &days, skip, most).await?;
    let next = (groups.len() > size.get()).then(|| (skip + size.get() as u64).to_string());
    groups.truncate(size.get());
    Ok(Report::new(group, &days, &total, &groups, next))
}

async fn activity(
    spend: Spend,
    keys: Keys,
    by: Permitted<SeeSpend>,
    mut asked: AskedActivity,
) -> Result<Activity, Refusal> {
    let days = asked.days()?;
    let filter = filter(&keys, &by, asked.whose(), &days).await?;
    let total = total(&spend, &filter).await?;
    let each = groups(&spend, filter, By::Day, &days, 0, u64::from(u32::MAX)).await?;
    Ok(Activity::new(&total, &each))
}

async fn export(
    spend: Spend,
    keys: Keys,
    by: Permitted<SeeSpend>,
    mut asked: AskedExport,
) -> Result<Csv, Refusal> {
    let group = By::read(asked.group_by.as_deref())?;
    let days = asked.days()?;
    let filter = filter(&keys, &by, asked.whose(), &days).await?;
    let groups = groups(&spend, filter, group, &days, 0, MOST_EXPORTED).await?;
    Ok(csv::report(group, &groups))
}

/// What is asked for, and of that what the caller sees.
async fn filter(
    keys: &Keys,
    by: &Permitted<SeeSpend>,
    whose: Whose,
    days: &Days,
) -> Result<SpendFilter, Refusal> {
    let mut filter = SpendFilter::within(days.span);
    filter.scope = whose.scope()?;
    let principal = by.principal();
    let told = |at_least: Reach, name: Option<&str>| {
        name.filter(|_| by.reach() >= at_least).map(str::to_owned)
    };
    filter.visible_to = match by.reach() {
        Reach::All => None,
        _ => Some(SpendViewer {
            key: principal.key_id().to_owned(),
            user: told(Reach::Own, principal.user_id()),
            team: told(Reach::Team, principal.team_id()),
            organization: told(Reach::Organization, principal.organization_id()),
        }),
    };
    if let Some(key) = &filter.scope.key
        && filter
            .visible_to
            .as_ref()
            .is_some_and(|viewer| viewer.key != *key)
        && KeyId::parse(key).is_some()
    {
        // What a key has spent is seen by whoever sees the key, wherever it was then.
        keys.info(principal, key).await?;
        filter.visible_to = None;
    }
    Ok(filter)
}

async fn total(spend: &Spend, filter: &SpendFilter) -> Result<SpendSum, Refusal> {
    let query = SpendQuery::new(filter.clone(), SpendGroup::Total);
    let sums = spend.sums(query).await.map_err(away)?;
    Ok(sums.into_iter().next().unwrap_or_default())
}

async fn groups(
    spend: &Spend,
    filter: SpendFilter,
    by: By,
    days: &Days,
    skip: u64,
    limit: u64,
) -> Result<Vec<SpendSum>, Refusal> {
    let mut query = SpendQuery::new(filter, by.group());
    if by != By::Day {
        (query.skip, query.limit) = (skip, limit);
        return spend.sums(query).await.map_err(away);
    }
    let quarters = spend.sums(query).await.map_err(away)?;
    let place = |number| usize::try_from(number).unwrap_or(usize::MAX);
    let each = days.gather(quarters).into_iter();
    Ok(each.skip(place(skip)).take(place(limit)).collect())
}

fn away(error: SpendError) -> Refusal {
    tracing::warn!(%error, source = ?std::error::Error::source(&error).map(ToString::to_string), "spending can't be told");
    Refusal::new(
        RefusalKind::Unavailable,
        "spend_unavailable",
        "what was spent can't be told at the moment: ask again later",
    )
}
