//! Path patterns of bindings: `hosts/{host}/*.rules`.
//!
//! INVARIANT: matching costs at most pattern length times path length, whatever the pattern.

/// A pattern over paths with `/` between folders.
///
/// `?` is one character, `*` any number of them, `{host}` one or more that name the host: none of these
/// crosses a `/`. A folder `**` is any number of folders. Everything else is itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    folders: Vec<Folder>,
    names_host: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Folder {
    /// `**`
    Any,
    Of(Vec<Token>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Letter(char),
    One,
    Many,
    Host,
}

/// Why a pattern is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternProblem {
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: &'static str,
}

/// What a folder's name is to a folder's pattern.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit<'p> {
    /// It does not match.
    No,
    /// It matches a pattern without `{host}`.
    Yes,
    /// It matches, and this is the host.
    Host(&'p str),
}

/// The longest pattern, in bytes.
const MAX_PATTERN: usize = 4096;

impl Pattern {
    /// Whether it says the file's name to the letter: what it matches is meant, and not merely beside what is.
    #[must_use]
    pub fn spells_name(&self) -> bool {
        let is_letter = |token: &Token| matches!(token, Token::Letter(_));
        match self.folders.last() {
            Some(Folder::Of(tokens)) => tokens.iter().all(is_letter),
            _ => false,
        }
    }

    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, PatternProblem> {
        let problem = |message: String, help| Err(PatternProblem { message, help });
        if text.is_empty() || text.len() > MAX_PATTERN {
            return problem(
                "a pattern has 1 to 4096 bytes".to_owned(),
                "write a path such as `hosts/{host}/*.rules`",
            );
        }
        let mut folders = Vec::new();
        let mut n_hosts = 0;
        for part in text.split('/').filter(|part| !matches!(*part, "" | ".")) {
            if part == "**" {
                folders.push(Folder::Any);
                continue;
            }
            let tokens = tokens(part).ok_or_else(|| PatternProblem {
                message: format!("`{text}` has braces that are not `{{host}}`"),
                help: "only `{host}` may stand in braces",
            })?;
            n_hosts += tokens.iter().filter(|token| **token == Token::Host).count();
            folders.push(Folder::Of(tokens));
        }
        if n_hosts > 1 {
            return problem(
                format!("`{text}` names the host twice"),
                "write `{host}` once, and `*` elsewhere",
            );
        }
        if text.starts_with('/') {
            return problem(
                format!("`{text}` is not relative"),
                "patterns count from the folder of the site file",
            );
        }
        Ok(Self {
            folders,
            names_host: n_hosts == 1,
        })
    }

    /// Whether it has a `{host}`.
    #[must_use]
    pub fn names_host(&self) -> bool {
        self.names_host
    }

    /// Matches a path: `None` if it does not, else what `{host}` stands for, or the whole path if the
    /// pattern has none. Of several ways, the one where `**` takes fewest folders and `{host}` most letters.
    #[must_use]
    pub fn host<'p>(&self, path: &'p str) -> Option<&'p str> {
        let parts: Vec<&str> = path
            .split('/')
            .filter(|part| !matches!(*part, "" | "."))
            .collect();
        let fits = self.fits(&parts);
        let fit = |at: usize, from: usize| {
            fits.get(at)
                .and_then(|row| row.get(from))
                .copied()
                .unwrap_or(false)
        };
        if !fit(0, 0) {
            return None;
        }
        let mut from = 0;
        for (at, folder) in self.folders.iter().enumerate() {
            match folder {
                Folder::Any => from += (0..=parts.len()).position(|skip| fit(at + 1, from + skip))?,
                Folder::Of(tokens) => {
                    let part = parts.get(from)?;
                    if let Fit::Host(host) = fit_folder(tokens, part) {
                        return Some(host);
                    }
                    from += 1;
                }
            }
        }
        Some(path)
    }

    /// For each folder of the pattern and each part of the path: whether the rest of the one matches the rest of the other.
    fn fits(&self, parts: &[&str]) -> Vec<Vec<bool>> {
        let mut last = vec![false; parts.len() + 1];
        if let Some(end) = last.last_mut() {
            *end = true;
        }
        let mut rows = vec![last];
        for folder in self.folders.iter().rev() {
            let next = rows.last().cloned().unwrap_or_default();
            let behind = |at: usize| next.get(at).copied().unwrap_or(false);
            let mut row = vec![false; parts.len() + 1];
            let mut any_behind = false;
            for at in (0..=parts.len()).rev() {
                any_behind |= behind(at);
                let fits = match (folder, parts.get(at)) {
                    (Folder::Any, _) => any_behind,
                    (Folder::Of(_), None) => false,
                    (Folder::Of(tokens), Some(part)) => behind(at + 1) && fit_folder(tokens, part) != Fit::No,
                };
                if let Some(cell) = row.get_mut(at) {
                    *cell = fits;
                }
            }
            rows.push(row);
        }
        rows.reverse();
        rows
    }
}

/// The tokens of one folder's pattern; `None` if it has braces that are not `{host}`.
fn tokens(part: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = part;
    while let Some(letter) = rest.chars().next() {
        if let Some(behind) = rest.strip_prefix("{host}") {
            tokens.push(Token::Host);
            rest = behind;
            continue;
        }
        tokens.push(match letter {
            '{' | '}' => return None,
            '*' => Token::Many,
            '?' => Token::One,
            other => Token::Letter(other),
        });
        rest = rest.get(letter.len_utf8()..)?;
    }
    Some(tokens)
}

/// Matches one folder's name.
fn fit_folder<'p>(tokens: &[Token], part: &'p str) -> Fit<'p> {
    let letters: Vec<(usize, char)> = part.char_indices().collect();
    let n_columns = letters.len() + 1;
    // fits[t][c]: the tokens from t on match the letters from c on.
    let mut fits = vec![vec![false; n_columns]; tokens.len() + 1];
    if let Some(end) = fits.last_mut().and_then(|row| row.last_mut()) {
        *end = true;
    }
    let fit = |fits: &[Vec<bool>], at: usize, from: usize| {
        fits.get(at)
            .and_then(|row| row.get(from))
            .copied()
            .unwrap_or(false)
    };
    for (at, token) in tokens.iter().enumerate().rev() {
        for from in (0..n_columns).rev() {
            let letter = letters.get(from).map(|pair| pair.1);
            let one_more = letter.is_some() && fit(&fits, at + 1, from + 1);
            let value = match token {
                Token::Letter(wanted) => letter == Some(*wanted) && one_more,
                Token::One => one_more,
                Token::Many => fit(&fits, at + 1, from) || (letter.is_some() && fit(&fits, at, from + 1)),
                Token::Host => one_more || (letter.is_some() && fit(&fits, at, from + 1)),
            };
            if let Some(cell) = fits.get_mut(at).and_then(|row| row.get_mut(from)) {
                *cell = value;
            }
        }
    }
    if !fit(&fits, 0, 0) {
        return Fit::No;
    }
    let offset = |at: usize| letters.get(at).map_or(part.len(), |pair| pair.0);
    let mut from = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Letter(_) | Token::One => from += 1,
            Token::Many => {
                from = (from..n_columns)
                    .find(|&end| fit(&fits, at + 1, end))
                    .unwrap_or(from);
            }
            Token::Host => {
                let end = (from + 1..n_columns)
                    .rev()
                    .find(|&end| fit(&fits, at + 1, end))
                    .unwrap_or(from);
                return Fit::Host(part.get(offset(from)..offset(end)).unwrap_or(part));
            }
        }
    }
    Fit::Yes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host<'p>(pattern: &str, path: &'p str) -> Option<&'p str> {
        Pattern::parse(pattern).unwrap().host(path)
    }

    #[test]
    fn a_pattern_captures_the_host() {
        for (pattern, path, expected) in [
            ("hosts/{host}/*.rules", "hosts/m1/v4.rules", Some("m1")),
            ("hosts/{host}/*.rules", "hosts/m1/v4.save", None),
            ("hosts/{host}/*.rules", "hosts/m1/deep/v4.rules", None),
            ("hosts/{host}/*.rules", "hosts/v4.rules", None),
            ("./dumps/{host}.rules", "dumps/a.b.rules", Some("a.b")),
            ("{host}-v?.rules", "m1-v2-v4.rules", Some("m1-v2")),
            ("{host}-*.rules", "m1-v2-v4.rules", Some("m1-v2")),
            ("**/{host}/iptables", "iptables", None),
            ("**/{host}/iptables", "m1/iptables", Some("m1")),
            ("**/{host}/iptables", "a/b/m1/iptables", Some("m1")),
            ("a/**", "a/b/c", Some("a/b/c")),
            ("a/**", "a", Some("a")),
            ("a/**/z", "a/z", Some("a/z")),
            ("a/**/z", "a/b/y/z", Some("a/b/y/z")),
            ("a/**/z", "b/z", None),
            ("*.rules", "é.rules", Some("é.rules")),
            ("{host}.r", "é.r", Some("é")),
            ("{host}.r", ".r", None),
            ("h?st", "hést", Some("hést")),
        ] {
            assert_eq!(host(pattern, path), expected, "{pattern} on {path}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for pattern in ["", "a/{hots}/b", "{host}/{host}", "a}b", "/etc/x"] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_made_to_be_slow_is_not() {
        let pattern = format!("{}b", "*a".repeat(400));
        assert_eq!(host(&pattern, &"a".repeat(800)), None);
        let pattern = format!("{}b", "**/a/".repeat(300));
        assert_eq!(host(&pattern, &"a/".repeat(600)), None);
    }
}
