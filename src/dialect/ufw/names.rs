//! What the reader of ufw knows, for `portcullis dialects`.
//!
//! INVARIANT: the words are those that the parsers take.

use crate::dialect::{Construct, Support};

/// Files, forms and verdicts.
const CONSTRUCTS: &[(&str, Support)] = &[
    ("### tuple ###", Support::Exact),
    ("ENABLED", Support::Exact),
    ("IPV6", Support::Exact),
    ("DEFAULT_INPUT_POLICY", Support::Exact),
    ("DEFAULT_OUTPUT_POLICY", Support::Exact),
    ("DEFAULT_FORWARD_POLICY", Support::Exact),
    ("allow", Support::Exact),
    ("deny", Support::Exact),
    ("reject", Support::Exact),
    ("limit", Support::UnknownEachTime),
    ("route", Support::Exact),
    ("log", Support::PassThrough),
    ("log-all", Support::PassThrough),
    ("comment", Support::PassThrough),
];

/// All constructs.
pub(super) fn constructs() -> Vec<Construct> {
    let constructs = CONSTRUCTS.iter().map(|(name, support)| Construct {
        name: (*name).to_owned(),
        support: *support,
    });
    constructs.collect()
}

/// The ports of applications as their packages ship them, in the words of profiles: those of ufw itself, and of the packages of
/// Debian and Ubuntu that bring `applications.d` files (openssh-server, nginx-common, apache2-utils, samba, cups-daemon, postfix,
/// dovecot-imapd, dovecot-pop3d, bind9, squid).
const APPLICATIONS: &[(&str, &str)] = &[
    ("AIM", "5190/tcp"),
    ("Apache", "80/tcp"),
    ("Apache Full", "80,443/tcp"),
    ("Apache Secure", "443/tcp"),
    ("Bind9", "53"),
    ("Bonjour", "5353/udp|5298"),
    ("CIFS", "137,138/udp|139,445/tcp"),
    ("CUPS", "631"),
    ("DNS", "53"),
    ("Deluge", "6881:6891/tcp"),
    ("Dovecot IMAP", "143/tcp"),
    ("Dovecot POP3", "110/tcp"),
    ("Dovecot Secure IMAP", "993/tcp"),
    ("Dovecot Secure POP3", "995/tcp"),
    ("IMAP", "143/tcp"),
    ("IMAPS", "993/tcp"),
    ("IPP", "631"),
    ("KTorrent", "6881/tcp|4444/udp"),
    ("Kerberos Admin", "749/tcp"),
    ("Kerberos Full", "88,749/tcp|464/udp"),
    ("Kerberos KDC", "88"),
    ("Kerberos Password", "464/udp"),
    ("LDAP", "389/tcp"),
    ("LDAPS", "636/tcp"),
    ("LPD", "515/tcp"),
    ("MSN", "1863|6891:6900/tcp|6901"),
    ("MSN SSL", "443/tcp"),
    ("Mail submission", "587/tcp"),
    ("NFS", "2049,111/tcp|2049,111/udp"),
    ("Nginx Full", "80,443/tcp"),
    ("Nginx HTTP", "80/tcp"),
    ("Nginx HTTPS", "443/tcp"),
    ("OpenSSH", "22/tcp"),
    ("POP3", "110/tcp"),
    ("POP3S", "995/tcp"),
    ("PeopleNearby", "5353/udp|5298"),
    ("Postfix", "25/tcp"),
    ("Postfix SMTPS", "465/tcp"),
    ("Postfix Submission", "587/tcp"),
    ("SMTP", "25/tcp"),
    ("SSH", "22/tcp"),
    ("Samba", "137,138/udp|139,445/tcp"),
    ("Socks", "1080/tcp"),
    ("Squid", "2048,3128,3130,3401,4827/tcp"),
    ("Telnet", "23/tcp"),
    ("Transmission", "51413"),
    ("Transparent Proxy", "8081/tcp"),
    ("VNC", "5900/tcp"),
    ("WWW", "80/tcp"),
    ("WWW Cache", "8080/tcp"),
    ("WWW Full", "80,443/tcp"),
    ("WWW Secure", "443/tcp"),
    ("XMPP", "5222/tcp|5269/tcp"),
    ("Yahoo", "5050"),
    ("qBittorrent", "6881/tcp"),
    ("svnserve", "3690/tcp"),
];

/// The ports of an application as its package ships them.
pub(super) fn ports_of(name: &str) -> Option<&'static str> {
    let at = APPLICATIONS
        .binary_search_by_key(&name, |(known, _)| known)
        .ok()?;
    APPLICATIONS.get(at).map(|(_, ports)| *ports)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::ufw::parser::profile::services;

    #[test]
    fn applications_are_in_order_and_their_ports_readable() {
        assert!(APPLICATIONS.is_sorted_by(|a, b| a.0 < b.0));
        for (name, ports) in APPLICATIONS {
            assert!(services(ports).is_ok(), "{name}");
            assert_eq!(ports_of(name), Some(*ports));
        }
    }
}
