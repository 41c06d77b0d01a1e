//! Paths as URI references (RFC 3986).

/// The URI reference of a path, and whether it is relative. What RFC 3986 section 3.3 does not allow in a path
/// segment is percent-encoded.
pub(super) fn of_path(path: &str) -> (String, bool) {
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
            assert_eq!(of_path(path), (uri.to_owned(), is_relative), "{path}");
        }
    }
}
