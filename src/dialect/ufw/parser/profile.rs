//! Application profiles: `applications.d/*`, and the ports that a profile names.
//!
//! ufw(8), "APPLICATION INTEGRATION". INVARIANT: a profile's ports are ports with a protocol, or one port for TCP and UDP.

use super::value::{ports, sensible};
use crate::dialect::ufw::ast::{Read, Said, Unread};

/// A profile, with its `ports` as they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialect::ufw) struct Profile<'a> {
    pub(in crate::dialect::ufw) name: &'a str,
    pub(in crate::dialect::ufw) ports: &'a str,
}

/// Ports of one protocol; without one, of TCP and UDP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialect::ufw) struct Service<'a> {
    pub(in crate::dialect::ufw) protocol: Option<Said<'a>>,
    pub(in crate::dialect::ufw) ports: Option<Said<'a>>,
}

/// The profiles of a file, and what cannot be read of it.
pub(in crate::dialect::ufw) fn profiles(text: &str) -> (Vec<Profile<'_>>, Vec<Unread<'_>>) {
    let mut found: Vec<Profile<'_>> = Vec::new();
    let mut wrong = Vec::new();
    let mut name = None;
    for line in text.split('\n').map(str::trim_end) {
        let said = line.trim_start();
        if said.is_empty() || said.starts_with(['#', ';']) {
            continue;
        }
        let is_continued = said.len() < line.len() && name.is_some();
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            name = Some(section.0);
        } else if let Some((key, value)) = said.split_once(['=', ':']).filter(|_| !is_continued) {
            match name {
                Some(name) if key.trim().eq_ignore_ascii_case("ports") => {
                    let ports = value.trim();
                    wrong.extend(services(ports).err());
                    found.push(Profile { name, ports });
                }
                Some(_) => {}
                None => wrong.push(Unread::new(said, "a setting before the first profile").help(FORM)),
            }
        } else if !is_continued {
            wrong.push(Unread::new(said, "this is neither a profile nor a setting").help(FORM));
        }
    }
    (found, wrong)
}

const FORM: &str = "a profile is `[NAME]`, followed by `title=`, `description=` and `ports=`";

/// Bytes of a setting that ufw takes.
const MAX_VALUE: usize = 1024;

/// `137,138/udp|139,445/tcp`
pub(in crate::dialect::ufw) fn services(text: &str) -> Read<'_, Vec<Service<'_>>> {
    if text.len() > MAX_VALUE {
        return Err(Unread::new(text, format!("longer than {MAX_VALUE} bytes"))
            .help("ufw passes over such a profile"));
    }
    text.split('|').map(service).collect()
}

/// `80,443/tcp`, `53`
pub(in crate::dialect::ufw) fn service(text: &str) -> Read<'_, Service<'_>> {
    let (numbers, protocol) = match text.split_once('/') {
        Some((numbers, protocol)) => (numbers, Some(protocol)),
        None => (text, None),
    };
    match protocol {
        Some("tcp" | "udp") => {}
        Some(other) => {
            return Err(
                Unread::new(other, format!("`{other}` is not a protocol with ports"))
                    .help("it is `tcp` or `udp`"),
            );
        }
        None if numbers.contains([',', ':']) => {
            return Err(Unread::new(numbers, "several ports without a protocol").help("write `80,443/tcp`"));
        }
        None => {}
    }
    if numbers == "any" {
        return Err(Unread::new(numbers, "`any` is not a port"));
    }
    let ports = ports(numbers)?;
    sensible(ports.as_ref())?;
    Ok(Service {
        protocol: protocol.map(Said::plainly),
        ports,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_profiles_with_ports() {
        let text = "# all\n[Samba]\ntitle=LanManager\n  and more\nPorts = 137,138/udp|139,445/tcp\n\n[DNS]\nports=53\n";
        let (found, wrong) = profiles(text);
        let found: Vec<_> = found.iter().map(|one| (one.name, one.ports)).collect();
        assert_eq!(found, [("Samba", "137,138/udp|139,445/tcp"), ("DNS", "53")]);
        assert!(wrong.is_empty());
        let (_, wrong) = profiles("ports=1\n[a]\nnonsense\nports=80,443\nports=1/icmp\n");
        let wrong: Vec<_> = wrong.iter().map(|one| one.at).collect();
        assert_eq!(wrong, ["ports=1", "nonsense", "80,443", "icmp"]);
    }
}
