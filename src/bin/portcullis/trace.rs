//! `trace`: one packet for people, many for programs.

use std::io::{self, BufRead, Read, Write};
use std::path::{Path, PathBuf};

use portcullis::check;
use portcullis::evaluate::Host;
use portcullis::model::{Action, Answer, Decider, Default, Verdict};
use portcullis::source::SourceMap;
use portcullis::trace::{self, JsonAnswer, JsonPacket, Probe, rule_line};

use crate::arguments::Trace;
use crate::{Ending, complain, errors};

/// The longest line of a packet file.
const MAX_LINE: u64 = 64 * 1024;

pub(crate) fn trace(arguments: &Trace, out: &mut dyn Write) -> io::Result<Ending> {
    let (packet, paths) = match (&arguments.packets, arguments.words.split_first()) {
        (None, Some((packet, paths))) => (Some(packet), paths),
        _ => (None, arguments.words.as_slice()),
    };
    let probe = match packet.map(|packet| (packet, trace::parse(packet))) {
        Some((packet, Err(error))) => {
            complain(&format!("{error} in `{packet}`\n  help: {}", error.help));
            return Ok(Ending::Failed);
        }
        Some((_, Ok(probe))) => Some(probe),
        None => None,
    };
    if paths.is_empty() {
        complain("no file or folder to trace through: name it behind the packet");
        return Ok(Ending::Failed);
    }
    let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
    let (sources, hosts, summary) = match check::hosts(&arguments.inputs.request(&paths)) {
        Ok(found) => found,
        Err(refusal) => {
            errors::show_refusal(&refusal);
            return Ok(Ending::Failed);
        }
    };
    for failure in &summary.failures {
        complain(failure);
    }
    if hosts.is_empty() {
        complain("no input that a dialect knows");
        return Ok(Ending::Failed);
    }
    let is_failed = !summary.failures.is_empty();
    match (probe, &arguments.packets) {
        (Some(probe), _) => {
            for (host, _) in &hosts {
                one(&sources, host, hosts.len() > 1, probe.clone(), out)?;
            }
        }
        (None, Some(file)) => {
            if let [(host, _)] = hosts.as_slice() {
                return batch(&sources, host, file, is_failed, out);
            }
            complain("--packets takes one host: name its files only");
            return Ok(Ending::Failed);
        }
        (None, None) => {}
    }
    Ok(if is_failed { Ending::Failed } else { Ending::Clean })
}

fn one(sources: &SourceMap, host: &Host, named: bool, probe: Probe, out: &mut dyn Write) -> io::Result<()> {
    let answer = trace::trace(host, probe);
    if named {
        writeln!(out, "{}", host.name)?;
    }
    let layer = |decider: Decider| host.rulesets.get(decider.ruleset()).map(|ruleset| ruleset.layer);
    let is_layered = host
        .rulesets
        .iter()
        .any(|ruleset| Some(ruleset.layer) != host.rulesets.first().map(|first| first.layer));
    let mut last = None;
    for step in answer.way() {
        let sure = if step.surely { "" } else { "perhaps " };
        let what = action(host, step.decider);
        let this = layer(step.decider).filter(|layer| is_layered && last != Some(*layer));
        if let Some(layer) = this {
            last = Some(layer);
            writeln!(out, " {}", layer.word())?;
        }
        match rule_line(sources, &host.rulesets, step.decider) {
            Some(rule) => writeln!(out, "  {}:{}: {sure}{what}: {}", rule.path, rule.line, rule.text)?,
            None => writeln!(out, "  {sure}{what}")?,
        }
    }
    writeln!(out, "{}", verdict(&answer))?;
    let is_known = answer.verdict().is_some();
    for doubt in answer.doubts.iter().filter(|_| !is_known) {
        let place = doubt
            .span
            .map(|span| format!("{}: ", sources.place(span)))
            .unwrap_or_default();
        writeln!(out, "  not known: {place}{}", doubt.why)?;
    }
    Ok(())
}

fn verdict(answer: &Answer) -> String {
    let word = |verdict| match verdict {
        Verdict::Accept => "accept",
        Verdict::Drop => "drop",
        Verdict::Reject => "reject",
    };
    match answer.verdict() {
        Some(verdict) => word(verdict).to_owned(),
        None if answer.gave_up => "unknown: there are too many ways to follow".into(),
        None => {
            let mut words: Vec<_> = answer
                .verdicts
                .iter()
                .map(|(verdict, _)| word(*verdict))
                .collect();
            words.dedup();
            format!("unknown: {}", words.join(" or "))
        }
    }
}

fn action(host: &Host, decider: Decider) -> &'static str {
    match decider {
        Decider::Rule { ruleset, chain, rule } => {
            let chains = host.rulesets.get(ruleset).map(|rules| &rules.chains);
            let rule = chains.and_then(|chains| chains.get(chain.0 as usize)?.rules.get(rule));
            match rule.map(|rule| &rule.action) {
                Some(Action::Accept) => "accepts",
                Some(Action::Drop) => "drops",
                Some(Action::Reject) => "rejects",
                Some(Action::Return) => "returns",
                Some(Action::Jump(_)) => "jumps",
                Some(Action::Goto(_)) => "goes to",
                Some(Action::Edit(_)) => "changes",
                Some(Action::Unknown(_)) => "does something unknown",
                Some(Action::Continue) | None => "passes on",
            }
        }
        Decider::Default { ruleset, base } => {
            let base = host.rulesets.get(ruleset).and_then(|rules| rules.bases.get(base));
            match base.map(|base| base.default) {
                Some(Default::Drop) => "drops by default",
                _ => "accepts by default",
            }
        }
    }
}

fn batch(
    sources: &SourceMap,
    host: &Host,
    file: &Path,
    is_failed: bool,
    out: &mut dyn Write,
) -> io::Result<Ending> {
    let mut reader: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        match std::fs::File::open(file) {
            Ok(file) => Box::new(io::BufReader::new(file)),
            Err(error) => {
                complain(&format!("{} cannot be read: {error}", file.display()));
                return Ok(Ending::Failed);
            }
        }
    };
    let mut is_failed = is_failed;
    for number in 1.. {
        let mut line = String::new();
        if reader.by_ref().take(MAX_LINE).read_line(&mut line)? == 0 {
            break;
        }
        if line.trim().is_empty() {
            continue;
        }
        match JsonPacket::read(&line).and_then(|packet| packet.probe()) {
            Ok(probe) => {
                let answer = trace::trace(host, probe);
                serde_json::to_writer(&mut *out, &JsonAnswer::of(sources, &host.rulesets, &answer))?;
                writeln!(out)?;
            }
            Err(error) => {
                is_failed = true;
                let error = format!("{}:{number}: {error}", file.display());
                complain(&error);
                serde_json::to_writer(&mut *out, &serde_json::json!({ "error": error }))?;
                writeln!(out)?;
            }
        }
    }
    Ok(if is_failed { Ending::Failed } else { Ending::Clean })
}
