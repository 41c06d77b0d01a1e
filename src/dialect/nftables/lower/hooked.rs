//! Hook lines: where a chain is called from, and what becomes of what none of its rules decides.

use super::scope::{Scope, behind};
use super::value::integer;
use crate::dialect::nftables::ast::{Expr, ExprKind, HookLine, TableFamily, Unread};
use crate::model::{Default as Verdict, Hook};

/// What hooks a chain.
#[derive(Debug, Clone)]
pub(super) struct BaseLine<'a> {
    pub(super) text: &'a str,
    pub(super) kind: &'a str,
    pub(super) hook: Hook,
    /// The hook is on a device, before or behind all others.
    pub(super) is_on_device: bool,
    pub(super) devices: Vec<&'a str>,
    pub(super) priority: i32,
    /// How many chains were hooked before it.
    pub(super) serial: u32,
}

/// What a hook line says, its variables in place.
pub(super) fn base_line<'a>(
    line: HookLine<'a>,
    family: TableFamily,
    scope: &Scope<'a>,
    serial: u32,
) -> Result<BaseLine<'a>, Unread<'a>> {
    let HookLine {
        text,
        kind,
        hook: hook_word,
        devices,
        mut priority,
        offset,
    } = line;
    if !matches!(kind, "filter" | "nat" | "route") {
        return Err(Unread::new(kind, format!("`{kind}` is no type of chain"))
            .help("it is `filter`, `nat` or `route`"));
    }
    let (hook, is_on_device) = hook_of(hook_word, family)
        .ok_or_else(|| Unread::new(hook_word, format!("`{hook_word}` is no hook of this family")))?;
    if kind == "nat" && hook == Hook::Forward || kind == "route" && hook != Hook::Output {
        return Err(Unread::new(
            kind,
            format!("a `{kind}` chain cannot hook `{hook_word}`"),
        ));
    }
    scope.expr(&mut priority)?;
    let mut names = Vec::new();
    if let Some(mut devices) = devices {
        scope.expr(&mut devices)?;
        device_names(&devices, &mut names)?;
    }
    Ok(BaseLine {
        text,
        kind,
        hook,
        is_on_device,
        devices: names,
        priority: priority_of(&priority, offset, hook, family)?,
        serial,
    })
}

fn hook_of(word: &str, family: TableFamily) -> Option<(Hook, bool)> {
    let is_device = family == TableFamily::Netdev;
    Some(match word {
        "ingress" if matches!(family, TableFamily::Netdev | TableFamily::Inet) => (Hook::Prerouting, true),
        "egress" if is_device => (Hook::Postrouting, true),
        _ if is_device => return None,
        "prerouting" if family != TableFamily::Arp => (Hook::Prerouting, false),
        "input" => (Hook::Input, false),
        "forward" if family != TableFamily::Arp => (Hook::Forward, false),
        "output" => (Hook::Output, false),
        "postrouting" if family != TableFamily::Arp => (Hook::Postrouting, false),
        _ => return None,
    })
}

fn device_names<'a>(devices: &Expr<'a>, names: &mut Vec<&'a str>) -> Result<(), Unread<'a>> {
    match &behind(devices).kind {
        ExprKind::Word(word) => {
            names.push(word.text);
            Ok(())
        }
        ExprKind::Set(elements) => elements
            .iter()
            .try_for_each(|element| device_names(&element.key, names)),
        _ => Err(Unread::new(devices.text, "this is no device")),
    }
}

fn priority_of<'a>(
    priority: &Expr<'a>,
    offset: Option<(bool, &'a str)>,
    hook: Hook,
    family: TableFamily,
) -> Result<i32, Unread<'a>> {
    let wrong = || Unread::new(priority.text, format!("`{}` is no priority here", priority.text));
    let signed = |number: &str, is_minus: bool| {
        let number = i32::try_from(integer(number)?).ok()?;
        Some(if is_minus { -number } else { number })
    };
    let ExprKind::Word(word) = &behind(priority).kind else {
        return Err(wrong());
    };
    // "-150": the sign stands before the only number.
    if let Some((true, "")) = offset {
        return signed(word.text, true).ok_or_else(wrong);
    }
    let (text, is_minus) = match word.text.strip_prefix('-') {
        Some(text) => (text, true),
        None => (word.text, false),
    };
    let base = match signed(text, is_minus) {
        Some(_) if offset.is_some() => return Err(wrong()),
        Some(number) => number,
        None => named_priority(word.text, hook, family).ok_or_else(wrong)?,
    };
    match offset {
        Some((is_minus, number)) => {
            let offset = signed(number, is_minus).ok_or_else(|| Unread::new(number, "this is no offset"))?;
            Ok(base.saturating_add(offset))
        }
        None => Ok(base),
    }
}

/// `filter`, `filter + 10`, as a name or as the text of a quoted definition.
fn named_priority(text: &str, hook: Hook, family: TableFamily) -> Option<i32> {
    let (name, offset) = match text.find(['+', '-']).filter(|_| text.contains(' ')) {
        Some(at) => {
            let (name, rest) = text.split_at(at);
            let number = i32::try_from(integer(rest.get(1..)?.trim())?).ok()?;
            let offset = if rest.starts_with('-') { -number } else { number };
            (name.trim(), offset)
        }
        None => (text, 0),
    };
    let is_bridge = family == TableFamily::Bridge;
    let base = super::super::names::default_priority(name, hook, is_bridge)?;
    Some(base.saturating_add(offset))
}

/// The verdict that a policy names.
pub(super) fn policy_of<'a>(policy: &Expr<'a>) -> Result<(Verdict, &'a str), Unread<'a>> {
    let ExprKind::Word(word) = &behind(policy).kind else {
        return Err(Unread::new(policy.text, "this is no default verdict"));
    };
    let verdict = match word.text {
        "accept" => Verdict::Accept,
        "drop" => Verdict::Drop,
        _ => {
            return Err(
                Unread::new(policy.text, format!("`{}` is not a default verdict", policy.text))
                    .help("it is `accept` or `drop`"),
            );
        }
    };
    Ok((verdict, policy.text))
}
