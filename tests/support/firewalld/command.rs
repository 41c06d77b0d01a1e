//! Options of `firewall-cmd` (firewall-cmd(1)) to changes of a configuration.

use std::fmt::Write;

use super::state::{Object, State};

/// The words of a command line; quotes hold words together.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for char in text.chars() {
        match (char, quote) {
            (_, Some(open)) if char == open => quote = None,
            (_, Some(_)) => word.get_or_insert_default().push(char),
            ('\'' | '"', None) => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            _ if char.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    words
}

/// Options with their values; those that have none have an empty one.
pub(crate) fn options(text: &str) -> Vec<(String, String)> {
    let text = text.split(" |").next().unwrap_or(text);
    let mut options: Vec<(String, String)> = Vec::new();
    for word in words(text) {
        match (word.split_once('='), options.last_mut()) {
            (Some((name, value)), _) if word.starts_with("--") => {
                options.push((name.to_owned(), value.to_owned()));
            }
            (_, _) if word.starts_with('-') && !word.starts_with("-1") && word.len() > 1 => {
                // A negative number is a value.
                let is_number = word[1..].bytes().all(|byte| byte.is_ascii_digit());
                match options.last_mut() {
                    Some((_, value)) if is_number => *value = word,
                    _ => options.push((word, String::new())),
                }
            }
            (_, Some((_, value))) if value.is_empty() => *value = word,
            _ => {}
        }
    }
    options
}

/// Applies the options of one command. `Err` names an option that is not understood.
pub(crate) fn apply(state: &mut State, options: &[(String, String)]) -> Result<(), String> {
    let value_of = |name: &str| {
        options
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
    };
    let subject = [
        ("--zone", "zones"),
        ("--policy", "policies"),
        ("--service", "services"),
        ("--ipset", "ipsets"),
        ("--helper", "helpers"),
        ("--icmptype", "icmptypes"),
    ]
    .into_iter()
    .find_map(|(option, folder)| Some((folder, value_of(option)?)));
    let subject = subject.unwrap_or(("zones", state.default_zone()));
    for (option, value) in options {
        let Some(verb) = option.strip_prefix("--") else {
            continue;
        };
        if let Some(kind) = verb.strip_prefix("new-") {
            new(state, kind, value, &value_of)?;
        } else if verb == "set-default-zone" {
            state.settings.insert("DefaultZone".into(), value.clone());
        } else if let Some(name) = verb.strip_prefix("set-") {
            let object = state.objects.get_mut(&subject).ok_or(format!("no {subject:?}"))?;
            set(object, name, value);
        } else if let Some(name) = verb.strip_prefix("add-") {
            for element in elements(subject.0, name, value)? {
                let object = state.objects.get_mut(&subject).ok_or(format!("no {subject:?}"))?;
                if !object.elements.contains(&element) {
                    object.elements.push(element);
                }
            }
        } else if let Some(name) = verb.strip_prefix("change-") {
            let element = elements("zones", name, value)?;
            for object in state.objects.values_mut() {
                object.elements.retain(|known| !element.contains(known));
            }
            state.objects.get_mut(&subject).unwrap().elements.extend(element);
        } else if let Some(name) = verb.strip_prefix("remove-") {
            let gone: Vec<String> = elements(subject.0, name, value)?
                .iter()
                .map(|gone| bare(gone))
                .collect();
            if let Some(object) = state.objects.get_mut(&subject) {
                object.elements.retain(|known| !gone.contains(&bare(known)));
            }
        } else if let Some(kind) = verb.strip_prefix("delete-") {
            state
                .objects
                .retain(|(folder, name), _| folder_of(kind) != Some(folder) || name != value);
        }
    }
    Ok(())
}

/// An element without the blanks that writers differ in.
fn bare(element: &str) -> String {
    element
        .split_whitespace()
        .collect::<String>()
        .replace("yes", "True")
}

fn folder_of(kind: &str) -> Option<&'static str> {
    super::state::KINDS
        .iter()
        .find(|(_, root)| *root == kind)
        .map(|(folder, _)| *folder)
}

fn new(
    state: &mut State,
    kind: &str,
    name: &str,
    value_of: &dyn Fn(&str) -> Option<String>,
) -> Result<(), String> {
    let folder = folder_of(kind).ok_or(format!("new {kind}"))?;
    let mut object = Object::default();
    match kind {
        "zone" => object.elements.push("<forward/>".into()),
        "policy" => {
            object.attributes.insert("target".into(), "CONTINUE".into());
            object.attributes.insert("priority".into(), "-1".into());
        }
        "ipset" => {
            object
                .attributes
                .insert("type".into(), value_of("--type").unwrap_or_default());
            if let Some(family) = value_of("--family") {
                object
                    .elements
                    .push(format!("<option name=\"family\" value=\"{family}\"/>"));
            }
        }
        "helper" => {
            object
                .attributes
                .insert("module".into(), value_of("--module").unwrap_or_default());
        }
        _ => {}
    }
    // "zones created by firewall-cmd have no forward"
    if kind == "zone" {
        object.elements.clear();
    }
    state.objects.insert((folder, name.to_owned()), object);
    Ok(())
}

fn set(object: &mut Object, name: &str, value: &str) {
    match name {
        "target" if value == "default" => drop(object.attributes.remove("target")),
        "target" => drop(object.attributes.insert("target".into(), value.to_owned())),
        // Of zones it is both.
        "priority"
            if object.attributes.contains_key("target") && object.attributes.contains_key("priority") =>
        {
            object.attributes.insert("priority".into(), value.to_owned());
        }
        "priority" => {
            object
                .attributes
                .insert("ingress-priority".into(), value.to_owned());
            object
                .attributes
                .insert("egress-priority".into(), value.to_owned());
        }
        "ingress-priority" | "egress-priority" => {
            object.attributes.insert(name.to_owned(), value.to_owned());
        }
        "destination" => {
            let (family, address) = value.split_once(':').unwrap_or(("ipv4", value));
            object
                .elements
                .push(format!("<destination {family}=\"{address}\"/>"));
        }
        _ => {}
    }
}

/// The elements that an option adds to an object of a folder, or removes from it.
fn elements(folder: &str, name: &str, value: &str) -> Result<Vec<String>, String> {
    let named = |attribute: &str| vec![format!("<{name} {attribute}=\"{value}\"/>")];
    Ok(match name {
        "service" | "interface" | "icmp-block" | "ingress-zone" | "egress-zone" | "module" | "helper" => {
            named("name")
        }
        "protocol" => named("value"),
        "port" | "source-port" => {
            let (port, protocol) = value.split_once('/').ok_or(value)?;
            vec![format!("<{name} port=\"{port}\" protocol=\"{protocol}\"/>")]
        }
        "include" => named("service"),
        "source" => match value.strip_prefix("ipset:") {
            Some(set) => vec![format!("<source ipset=\"{set}\"/>")],
            None => named("address"),
        },
        "forward" | "masquerade" | "icmp-block-inversion" | "disable" => vec![format!("<{name}/>")],
        "entry" if folder == "ipsets" => vec![format!("<entry>{value}</entry>")],
        "forward-port" => vec![forward_port(value)],
        "rich-rule" => vec![rich_rule(value)?],
        _ => return Err(format!("add {name}")),
    })
}

fn forward_port(value: &str) -> String {
    let mut text = "<forward-port".to_owned();
    // An IPv6 address has colons of its own, and comes last.
    let (rest, address) = match value.split_once("toaddr=") {
        Some((rest, address)) => (rest, Some(address)),
        None => (value, None),
    };
    for part in rest.split(':') {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let name = match name {
            "proto" => "protocol",
            "toport" => "to-port",
            "" => continue,
            other => other,
        };
        write!(text, " {name}=\"{value}\"").unwrap();
    }
    if let Some(address) = address {
        write!(text, " to-addr=\"{address}\"").unwrap();
    }
    text + "/>"
}

/// `rule family=ipv4 source address=10.0.0.0/8 service name=ssh accept limit value=1/m`
fn rich_rule(text: &str) -> Result<String, String> {
    let mut rule = String::new();
    let mut parts: Vec<(String, String, Option<String>)> = Vec::new();
    for word in words(text) {
        match (word.split_once('='), parts.last_mut()) {
            (Some((name, value)), None) => write!(rule, " {name}=\"{value}\"").unwrap(),
            (Some((name, value)), Some((_, _, Some(limit)))) => {
                write!(limit, " {name}=\"{value}\"").unwrap();
            }
            (Some((name, value)), Some((_, attributes, None))) => {
                write!(attributes, " {name}=\"{value}\"").unwrap();
            }
            (None, _) if word == "rule" => {}
            (None, Some((_, attributes, _))) if word.eq_ignore_ascii_case("not") => {
                attributes.push_str(" invert=\"True\"");
            }
            (None, Some((_, _, limit))) if word == "limit" => *limit = Some(String::new()),
            (None, _) => parts.push((word, String::new(), None)),
        }
    }
    if parts.is_empty() {
        return Err(format!("rich rule {text}"));
    }
    let parts = parts.into_iter().map(|(name, attributes, limit)| match limit {
        Some(limit) => format!("<{name}{attributes}><limit{limit}/></{name}>"),
        None => format!("<{name}{attributes}/>"),
    });
    Ok(format!("<rule{rule}>{}</rule>", parts.collect::<String>()))
}
