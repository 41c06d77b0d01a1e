//! Paths as URI references (RFC 3986).
//!
//! INVARIANT: a relative reference never leaves the folder that it is relative to. Code scanning takes it for a path of the
//! repository; an absolute one it holds against the place of the checkout, so what lies above is written so.

use std::path::Path;

/// The URI reference of a path, and whether it is relative. `root` is the folder that relative paths begin at.
pub(super) fn of_path(path: &str, root: Option<&Path>) -> (String, bool) {
    match root.and_then(Path::to_str).and_then(|root| above(path, root)) {
        Some(absolute) => written(&absolute),
        None => written(path),
    }
}

/// The absolute path of one that leads out of `root`.
fn above(path: &str, root: &str) -> Option<String> {
    let mut rest = path;
    let mut folder = root.trim_end_matches('/');
    while let Some(inside) = rest.strip_prefix("../") {
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
        rest = inside;
    }
    (rest.len() < path.len()).then(|| format!("{folder}/{rest}"))
}

/// What RFC 3986 section 3.3 does not allow in a path segment is percent-encoded.
fn written(path: &str) -> (String, bool) {
    let mut uri = String::with_capacity(path.len());
    let is_relative = !path.starts_with('/');
    if !is_relative {
        uri.push_str("file://");
    }
    for byte in path.bytes() {
        let allowed = byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=@/".contains(&byte);
        if allowed {
            uri.push(char::from(byte));
        } else {
            uri.push('%');
            for half in [byte >> 4, byte & 15] {
                uri.extend(char::from_digit(u32::from(half), 16).map(|digit| digit.to_ascii_uppercase()));
            }
        }
    }
    (uri, is_relative)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uri_references() {
        for (path, uri, is_relative) in [
            ("hosts/m1/v4.rules", "hosts/m1/v4.rules", true),
            ("a b/ä%.rules", "a%20b/%C3%A4%25.rules", true),
            ("c:x#1?", "c%3Ax%231%3F", true),
            ("/etc/iptables", "file:///etc/iptables", false),
        ] {
            assert_eq!(of_path(path, None), (uri.to_owned(), is_relative), "{path}");
        }
    }

    #[test]
    fn what_lies_above_the_root_is_absolute() {
        let root = Some(Path::new("/work/site/hosts"));
        for (path, uri) in [
            ("../a.rules", "file:///work/site/a.rules"),
            ("../../b c/a.rules", "file:///work/b%20c/a.rules"),
            ("../../../../../a", "file:///a"),
        ] {
            assert_eq!(of_path(path, root), (uri.to_owned(), false), "{path}");
        }
        assert_eq!(of_path("..a/b", root), ("..a/b".to_owned(), true));
    }
}
