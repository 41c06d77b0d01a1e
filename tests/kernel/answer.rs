//! What we say of packets, from the program itself. INVARIANT: one answer for each packet, in their order.

use serde_json::Value;

use crate::probe::Probe;
use crate::program::Folder;

/// What we say becomes of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// `accept`, `drop`, `reject` or `unknown`.
    pub(crate) verdict: String,
    /// The deciding rule's line, from 1, and its text.
    pub(crate) rule: Option<(usize, String)>,
}

/// Asks the program about packets through a ruleset in files, by their paths; the first is given, and the sets beside it. What
/// it could not read it says to be unknown.
pub(crate) fn ask(files: &[(String, String)], probes: &[Probe]) -> Vec<Answer> {
    let lines: Vec<_> = probes.iter().map(|probe| probe.json().to_string()).collect();
    let packets = lines.join("\n");
    let mut all: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
    all.push(("packets.jsonl", &packets));
    let folder = Folder::new(&all);
    let names = files.iter().map(|(name, _)| name.as_str());
    let given = names
        .enumerate()
        .filter(|(at, name)| *at == 0 || *name == "ipset.save");
    let given: Vec<_> = given.map(|(_, name)| name).collect();
    let run = folder.run(&format!("trace {} --packets packets.jsonl", given.join(" ")));
    assert!(matches!(run.status, 0 | 2), "{}", run.stderr);
    let answers: Vec<_> = run.stdout.lines().map(answer).collect();
    assert_eq!(answers.len(), probes.len(), "{}", run.stderr);
    answers
}

fn answer(line: &str) -> Answer {
    let said: Value = serde_json::from_str(line).unwrap();
    let rule = &said["rule"];
    let place = rule["line"].as_u64().and_then(|line| usize::try_from(line).ok());
    Answer {
        verdict: said["verdict"].as_str().unwrap().to_owned(),
        rule: place.map(|line| (line, rule["text"].as_str().unwrap_or("").to_owned())),
    }
}
