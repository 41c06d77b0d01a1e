//! `[calico]`: what Felix lets through at host endpoints whatever policies say, where no manifest does.
//!
//! INVARIANT: a list that is there replaces that of manifests and the defaults, an empty one too.

use toml_edit::Item;

use super::Site;
use super::table::Reader;
use crate::packet::protocol::number;
use crate::source::Spanned;

/// Keys of `[calico]`.
pub(super) const KEYS: &[&str] = &["failsafe_inbound", "failsafe_outbound"];
/// Protocols with ports that Felix knows.
const PROTOCOLS: &[(&str, u8)] = &[("tcp", number::TCP), ("udp", number::UDP), ("sctp", number::SCTP)];

/// Ports of a protocol: its number, the lowest and the highest of them.
pub type Ports = (u8, u16, u16);

/// What a site says of Calico.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calico {
    /// Ports that stay open on the way in; `None`: as manifests say, or by default.
    pub failsafe_inbound: Option<Vec<Spanned<Ports>>>,
    /// Ports that stay open on the way out.
    pub failsafe_outbound: Option<Vec<Spanned<Ports>>>,
}

impl Reader<'_> {
    pub(super) fn calico(&mut self, key: &str, item: &Item, site: &mut Site) {
        let Some(table) = self.table(key, item) else {
            return;
        };
        self.check_keys(table, "`[calico]`", KEYS);
        for (key, item) in table.iter() {
            match key {
                "failsafe_inbound" => site.calico.failsafe_inbound = Some(self.all_ports(key, item)),
                "failsafe_outbound" => site.calico.failsafe_outbound = Some(self.all_ports(key, item)),
                _ => {}
            }
        }
    }

    fn all_ports(&mut self, key: &str, item: &Item) -> Vec<Spanned<Ports>> {
        let texts = self.strings(key, item).into_iter();
        texts.filter_map(|text| self.ports(&text)).collect()
    }

    fn ports(&mut self, text: &Spanned<String>) -> Option<Spanned<Ports>> {
        let found = ports(&text.value);
        if found.is_none() {
            let message = format!("`{}` does not say which ports stay open", text.value);
            let help =
                "write a protocol with ports, and one port or a range: `tcp/22`, `udp/8472`, `tcp/2379-2380`";
            self.value_error(text.span, message, "no ports", help);
        }
        Some(Spanned::new(found?, text.span))
    }
}

fn ports(text: &str) -> Option<Ports> {
    let (word, numbers) = text.split_once('/')?;
    let (_, protocol) = PROTOCOLS.iter().find(|(name, _)| *name == word)?;
    let (low, high) = numbers.split_once('-').unwrap_or((numbers, numbers));
    let port = |text: &str| {
        let is_plain = text.bytes().all(|digit| digit.is_ascii_digit());
        text.parse().ok().filter(|port: &u16| is_plain && *port > 0)
    };
    let (low, high) = (port(low)?, port(high)?);
    (low <= high).then_some((*protocol, low, high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceMap;

    fn read(text: &str) -> Result<Calico, String> {
        let mut sources = SourceMap::new();
        let file = sources.add_text("portcullis.toml", text);
        let site = crate::site::read(sources.source(file));
        site.map(|site| site.calico)
            .map_err(|errors| errors.errors()[0].to_string())
    }

    #[test]
    fn a_list_that_is_empty_is_not_a_list_that_is_absent() {
        let site = read("[calico]\nfailsafe_inbound = []\nfailsafe_outbound = 'tcp/2379-2380'").unwrap();
        assert_eq!(site.failsafe_inbound, Some(Vec::new()));
        let outbound = site.failsafe_outbound.unwrap();
        assert_eq!(outbound[0].value, (6, 2379, 2380));
        assert_eq!(read("common = true").unwrap(), Calico::default());
    }

    #[test]
    fn what_is_no_port_is_refused_where_it_stands() {
        for text in [
            "tcp",
            "tcp/0",
            "tcp/65536",
            "tcp/9-8",
            "icmp/8",
            "TCP/22",
            "tcp/+22",
            "22",
            "tcp/",
        ] {
            let error = read(&format!("[calico]\nfailsafe_inbound = ['{text}']")).unwrap_err();
            assert!(error.contains(&format!("`{text}`")), "{error}");
        }
        let error = read("[calico]\nfailsafes = []").unwrap_err();
        assert!(error.contains("unknown key `failsafes`"), "{error}");
    }
}
