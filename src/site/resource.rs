//! Names of resources to the patterns of a site file that mean them.

/// Whether a pattern of `resources` means a name. `*` stands for any characters. A name's beginning up to a `.` or `[` is
/// enough: `module.net` means all that the module has, `aws_security_group.web` all instances of it.
#[must_use]
pub fn resource_matches(pattern: &str, name: &str) -> bool {
    let ends = name
        .char_indices()
        .filter(|(at, character)| *at > 0 && matches!(character, '.' | '['))
        .map(|(at, _)| at);
    let mut beginnings = ends.chain([name.len()]).filter_map(|end| name.get(..end));
    beginnings.any(|beginning| glob(pattern.as_bytes(), beginning.as_bytes()))
}

/// Whether a pattern is a whole text, where `*` stands for any characters. Linear but for a step back to the last `*`, so at most
/// the product of both lengths.
pub(super) fn glob(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while read < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                last_star = Some((at, read));
                at += 1;
            }
            Some(byte) if Some(byte) == name.get(read) => {
                at += 1;
                read += 1;
            }
            _ => match &mut last_star {
                Some((star, taken)) => {
                    *taken += 1;
                    (at, read) = (*star + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern
        .get(at..)
        .is_some_and(|rest| rest.iter().all(|&byte| byte == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_a_name_its_instances_and_what_is_in_it() {
        for (pattern, name, expected) in [
            ("aws_security_group.web", "aws_security_group.web", true),
            ("aws_security_group.web", "aws_security_group.web[0]", true),
            ("aws_security_group.web", "aws_security_group.web[\"a.b\"]", true),
            ("aws_security_group.web", "aws_security_group.web2", false),
            ("aws_security_group.web[1]", "aws_security_group.web[0]", false),
            ("module.net", "module.net.aws_security_group.web", true),
            ("module.net", "module.network.aws_security_group.web", false),
            ("*.web", "module.net.aws_security_group.web", true),
            ("module.*.web", "module.net.aws_security_group.web[0]", true),
            ("*", "anything", true),
            ("a*b*c", "aXbYbc", true),
            ("a*b", "ab.c", true),
            ("a*c", "ab", false),
            ("", "a", false),
        ] {
            assert_eq!(resource_matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
