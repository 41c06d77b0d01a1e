//! Whether a file is firewalld's: by its root element and where it lies, or by the settings in it.

use super::folder::{FileKind, Place, kind_of_root};
use crate::dialect::{Claim, Tree, beginning};
use crate::source::Source;

/// How much of a file is looked at.
const MAX_LOOK: usize = 4 << 10;

/// The files of a configuration, in reading order: those that firewalld came with first.
const PARTS: &[&str] = &[
    "../../usr/lib/firewalld/zones/*.xml",
    "../../usr/lib/firewalld/policies/*.xml",
    "../../usr/lib/firewalld/services/*.xml",
    "../../usr/lib/firewalld/ipsets/*.xml",
    "../../usr/lib/firewalld/icmptypes/*.xml",
    "../../usr/lib/firewalld/helpers/*.xml",
    "firewalld.conf",
    "zones/*.xml",
    "zones/*/*.xml",
    "policies/*.xml",
    "services/*.xml",
    "ipsets/*.xml",
    "icmptypes/*.xml",
    "helpers/*.xml",
    "direct.xml",
];

/// The configuration that a file is a part of.
pub(super) fn tree(source: Source<'_>) -> Option<Tree> {
    Tree::around(source.name, "etc/firewalld", PARTS)
}

/// A zone, policy, or set of direct rules anywhere; what they refer to only in a folder of its kind, since many programs
/// have services.
pub(super) fn claim(source: Source<'_>) -> Claim {
    let place = Place::of(source.name);
    let looked_at = beginning(source.text, MAX_LOOK);
    if place.kind == Some(FileKind::Conf) {
        let mut lines = looked_at.lines().map(str::trim_start);
        let sets = lines.any(|line| line.starts_with("DefaultZone") || line.starts_with("FirewallBackend"));
        return if sets { Claim::Content } else { Claim::Name };
    }
    // firewalld reads no others, and keeps what it replaces as `public.xml.old`.
    let extension = source
        .name
        .rsplit_once('.')
        .map_or("", |(_, extension)| extension);
    if super::listing::is_listing(looked_at) {
        return Claim::Content;
    }
    let Some(root) = root(looked_at).filter(|_| extension == "xml") else {
        return Claim::No;
    };
    let Some(kind) = kind_of_root(root) else {
        return Claim::No;
    };
    let is_there = place.kind == Some(kind);
    let is_firewalld = source.name.contains("firewalld");
    match kind {
        FileKind::Zone | FileKind::Policy if is_there => Claim::Content,
        FileKind::Zone if looked_at.contains("<service name=") || looked_at.contains("<port ") => {
            Claim::Content
        }
        FileKind::Policy if looked_at.contains("<ingress-zone") || looked_at.contains("<egress-zone") => {
            Claim::Content
        }
        FileKind::Direct if looked_at.contains(" ipv=") => Claim::Content,
        _ if is_there && is_firewalld => Claim::Name,
        _ => Claim::No,
    }
}

/// The name of the first element.
fn root(text: &str) -> Option<&str> {
    let mut rest = text.trim_start();
    loop {
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.split_once("-->")?.1.trim_start();
        } else if let Some(declaration) = rest.strip_prefix("<?") {
            rest = declaration.split_once("?>")?.1.trim_start();
        } else {
            break;
        }
    }
    let inside = rest.strip_prefix('<')?;
    let end = inside.find(|char: char| !char.is_ascii_alphanumeric() && char != '-')?;
    inside.get(..end).filter(|name| !name.is_empty())
}
