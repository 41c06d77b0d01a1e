//! One row as written to the row in force. INVARIANT: names, days and sides are checked whether it is in force or not.

use super::{Context, Expired, Inactive, Remark, Resolved, condition, peer, service};
use crate::policy::ast::{self, Date};
use crate::policy::error::ErrorKind;
use crate::policy::print;
use crate::policy::row::{Peer, Row, Truth};
use crate::source::{Span, Spanned};

/// "Metrics exporters, row 3"
pub(super) fn place(section: &str, row: Option<u64>) -> String {
    match row {
        Some(row) if section.is_empty() => format!("row {row}"),
        Some(row) => format!("{section}, row {row}"),
        None => section.to_owned(),
    }
}

/// Adds a row unless it is surely not in force. Its id, document and place are known already.
pub(super) fn resolve(
    context: &mut Context<'_>,
    (id, (document, place)): (String, (String, String)),
    (row, span): (&ast::Row, Span),
    into: &mut Resolved,
) {
    let id = format!("{}/{id}", context.policy);
    let active = row
        .when
        .as_ref()
        .map_or(Truth::Yes, |when| condition::resolve(context, when));
    let from = peer::resolve(context, &row.from);
    let to = peer::resolve(context, &row.to);
    let services = service::resolve(context, &row.services);
    check_sides(context, row, &from.items, &to.items);
    let expires = row.expires.as_ref().map(|expires| expires.value);
    let mut has_expired = false;
    if let Some(expires) = row.expires.as_ref() {
        check_day(context, expires);
        if context.facts.today.is_some_and(|today| today > expires.value) {
            let (day, span) = (expires.value, expires.span);
            into.expired.push(Expired {
                id: id.clone(),
                day,
                span,
            });
            has_expired = true;
        }
    }
    let owner = row.owner.as_ref().map(|owner| owner.value.clone());
    let tags: Vec<String> = row.tags.iter().map(|tag| tag.value.clone()).collect();
    let remark = Remark {
        owner: owner.clone(),
        severity: row.severity.as_ref().map(|severity| severity.value),
        expires,
        tags: tags.clone(),
    };
    let says = remark.owner.is_some() || remark.severity.is_some() || remark.expires.is_some();
    if says || !remark.tags.is_empty() {
        into.remarks.insert(id.clone(), remark);
    }
    let condition = row.when.as_ref().filter(|_| active == Truth::No);
    let why = condition.map(|when| format!("`{}` does not hold", print::condition(when)));
    let last_day = expires.filter(|_| has_expired);
    let why = why.or_else(|| Some(format!("it expired after {}", print::date(last_day?))));
    let row = Row {
        id,
        policy: context.policy.to_owned(),
        kind: row.kind.value,
        from,
        to,
        services,
        active,
        purpose: row
            .purpose
            .as_ref()
            .map_or(String::new(), |purpose| purpose.value.clone()),
        document,
        place,
        owner,
        tags,
        span,
    };
    match why {
        Some(why) => into.inactive.push(Inactive { row, why }),
        None => into.rows.push(row),
    }
}

/// `self` accepts nothing, and a row between names that are no hosts of the site is checked nowhere.
fn check_sides(context: &mut Context<'_>, row: &ast::Row, from: &[Spanned<Peer>], to: &[Spanned<Peer>]) {
    for item in row.to.items.iter().filter(|item| item.value == ast::Peer::This) {
        context.refuse(ErrorKind::SelfOnTheRight {}, item.span);
    }
    let is_remote = |peer: &Spanned<Peer>| matches!(peer.value, Peer::Name(_) | Peer::Unset(_) | Peer::Any);
    if let (Some(first), Some(last)) = (from.first(), to.last())
        && from.iter().chain(to).all(is_remote)
    {
        context.refuse(ErrorKind::NoRole {}, first.span.to(last.span));
    }
}

/// Refuses a day that no calendar has.
pub(super) fn check_day(context: &mut Context<'_>, day: &Spanned<Date>) {
    if !day.value.exists() {
        let date = print::date(day.value);
        context.refuse(ErrorKind::NoSuchDay { date }, day.span);
    }
}
