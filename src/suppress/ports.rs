//! The ports that a suppression is about, held against the lines of an extent.

/// A range of ports, of one protocol or of any that has ports.
#[derive(Debug)]
pub(super) struct Ports {
    protocol: Option<String>,
    first: u16,
    last: u16,
}

impl Ports {
    /// Reads `3306`, `udp/53`, `tcp/8000-8010`.
    pub(super) fn of_text(text: &str) -> Option<Self> {
        let (protocol, ports) = match text.split_once('/') {
            Some((protocol, ports)) => (Some(protocol.to_ascii_lowercase()), ports),
            None => (None, text),
        };
        let (first, last) = range(ports)?;
        (first <= last).then_some(Self {
            protocol,
            first,
            last,
        })
    }

    /// Whether all services that a line of an extent names are among these. What it only counts is not.
    pub(super) fn cover(&self, line: &str) -> bool {
        let ends = [" from ", " to "].iter().filter_map(|word| line.find(word));
        let services = line.get(..ends.min().unwrap_or(line.len())).unwrap_or(line);
        services.split(", ").all(|service| self.covers(service))
    }

    /// Whether a service as `tcp/443 (https)` or `tcp/8000-8010` is among these; nothing may stand behind it.
    fn covers(&self, service: &str) -> bool {
        let service = match service.split_once(" (") {
            Some((service, name)) if name.find(')') == name.len().checked_sub(1) => service,
            Some(_) => return false,
            None => service,
        };
        let Some((protocol, ports)) = service.split_once('/') else {
            return false;
        };
        let is_of_it = self.protocol.as_ref().is_none_or(|one| one == protocol);
        is_of_it && range(ports).is_some_and(|(first, last)| self.first <= first && last <= self.last)
    }
}

fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some((first.parse().ok()?, last.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::Ports;

    #[test]
    fn a_line_is_covered_if_all_of_its_services_are() {
        let ports = |text: &str| Ports::of_text(text).unwrap();
        assert!(ports("3306").cover("tcp/3306 (mysql) from any IPv4 address"));
        assert!(ports("tcp/8000-8010").cover("tcp/8000-8005, tcp/8010 from `internal`"));
        assert!(!ports("tcp/8000-8010").cover("tcp/8000-8005, udp/8010 from `internal`"));
        assert!(!ports("3306").cover("tcp/3306-3307 from any IPv4 address"));
        assert!(!ports("3306").cover("tcp/3306 (mysql) and 3 more from any IPv4 address"));
        assert!(!ports("3306").cover("any protocol from any IPv4 address"));
        assert!(!ports("3306").cover("and 3 more"));
        assert!(Ports::of_text("8010-8000").is_none());
        assert!(Ports::of_text("ssh").is_none());
    }
}
