//! The regular expressions of grammar tokens: text to a non-deterministic automaton, which finds longest matches
//! and writes samples. INVARIANT: matching never backtracks, so its cost is input times states.
//!
//! The subset: literals, `.`, classes `[a-z]` and `[^a-z]`, `\d \w \s`, escapes, groups, `|`, `? * + {m} {m,} {m,n}`.

use super::random::Random;

const MAX_DEPTH: usize = 32;
const MAX_STATES: usize = 4096;
/// How often a sample repeats what may be repeated without end.
const MANY: u32 = 4;

/// Inclusive ranges of characters.
#[derive(Debug, Clone)]
struct Class(Vec<(char, char)>);

impl Class {
    fn contains(&self, c: char) -> bool {
        self.0.iter().any(|&(low, high)| low <= c && c <= high)
    }

    /// Everything else.
    fn negated(mut self) -> Self {
        self.0.sort_unstable();
        let mut gaps = Vec::new();
        let mut next = Some('\0');
        for (low, high) in self.0 {
            if let Some(start) = next.filter(|&start| start < low) {
                gaps.push((start, before(low)));
            }
            next = next
                .map(|start| start.max(after(high).unwrap_or(char::MAX)))
                .filter(|_| high < char::MAX);
        }
        if let Some(start) = next {
            gaps.push((start, char::MAX));
        }
        Self(gaps)
    }

    /// A member, printable if there is one that is.
    fn sample(&self, random: &mut Random) -> char {
        let printable: Vec<char> = (' '..='~').filter(|&c| self.contains(c)).collect();
        if self.contains('é') && random.chance(1, 16) {
            return 'é';
        }
        match printable.get(random.index(printable.len())) {
            Some(&c) => c,
            None => self
                .0
                .get(random.index(self.0.len()))
                .map_or('?', |range| range.0),
        }
    }
}

fn before(c: char) -> char {
    if c == '\u{e000}' {
        return '\u{d7ff}';
    }
    char::from_u32(u32::from(c).saturating_sub(1)).unwrap_or('\0')
}

fn after(c: char) -> Option<char> {
    if c == '\u{d7ff}' {
        return Some('\u{e000}');
    }
    char::from_u32(u32::from(c) + 1)
}

#[derive(Debug, Clone)]
enum Node {
    Class(Class),
    Sequence(Vec<Node>),
    Alternatives(Vec<Node>),
    Repeat(Box<Node>, u32, Option<u32>),
}

#[derive(Debug, Clone)]
enum State {
    Take(Class, usize),
    Fork(usize, usize),
    Done,
}

/// A compiled expression.
#[derive(Debug, Clone)]
pub(crate) struct Regex {
    node: Node,
    states: Vec<State>,
    start: usize,
}

impl Regex {
    /// Reads what stands between the slashes.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut reader = Reader { rest: text };
        let node = reader.alternatives(0)?;
        if !reader.rest.is_empty() {
            return Err(format!("`/{text}/` has a `)` too many"));
        }
        let mut states = vec![State::Done];
        let start = compile(&node, 0, &mut states)?;
        Ok(Self { node, states, start })
    }

    /// The length in bytes of the longest match at the start of `text`.
    pub(crate) fn longest(&self, text: &str) -> Option<usize> {
        let mut found = None;
        let mut threads = Threads::new(self.states.len());
        threads.add(&self.states, self.start);
        let mut chars = text.char_indices();
        loop {
            let at = chars.clone().next().map_or(text.len(), |(at, _)| at);
            if threads.done {
                found = Some(at);
            }
            let Some((_, c)) = chars.next() else { return found };
            let mut next = Threads::new(self.states.len());
            for &state in &threads.list {
                if let Some(State::Take(class, to)) = self.states.get(state)
                    && class.contains(c)
                {
                    next.add(&self.states, *to);
                }
            }
            if next.list.is_empty() && !next.done {
                return found;
            }
            threads = next;
        }
    }

    /// Whether it matches all of `text`.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.longest(text) == Some(text.len())
    }

    /// Whether a match can begin with `c`.
    pub(crate) fn can_start(&self, c: char) -> bool {
        let mut threads = Threads::new(self.states.len());
        threads.add(&self.states, self.start);
        threads
            .list
            .iter()
            .any(|&state| matches!(self.states.get(state), Some(State::Take(class, _)) if class.contains(c)))
    }

    /// A text that it matches.
    pub(crate) fn sample(&self, random: &mut Random) -> String {
        let mut text = String::new();
        sample(&self.node, random, &mut text);
        text
    }
}

/// The states that an automaton is in at one place of its input.
struct Threads {
    list: Vec<usize>,
    seen: Vec<bool>,
    done: bool,
}

impl Threads {
    fn new(n_states: usize) -> Self {
        Self {
            list: Vec::new(),
            seen: vec![false; n_states],
            done: false,
        }
    }

    fn add(&mut self, states: &[State], state: usize) {
        let mut open = vec![state];
        while let Some(state) = open.pop() {
            match self.seen.get_mut(state) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            match states.get(state) {
                Some(State::Fork(left, right)) => open.extend([*right, *left]),
                Some(State::Take(..)) => self.list.push(state),
                Some(State::Done) => self.done = true,
                None => {}
            }
        }
    }
}

/// Appends the states of `node`, which go on to `next`; gives the state it starts in.
fn compile(node: &Node, next: usize, states: &mut Vec<State>) -> Result<usize, String> {
    if states.len() > MAX_STATES {
        return Err("a regular expression is too large".to_owned());
    }
    let mut push = |state| {
        states.push(state);
        states.len() - 1
    };
    match node {
        Node::Class(class) => Ok(push(State::Take(class.clone(), next))),
        Node::Sequence(parts) => {
            let mut next = next;
            for part in parts.iter().rev() {
                next = compile(part, next, states)?;
            }
            Ok(next)
        }
        Node::Alternatives(parts) => {
            let mut start = None;
            for part in parts.iter().rev() {
                let this = compile(part, next, states)?;
                start = Some(match start {
                    None => this,
                    Some(other) => {
                        states.push(State::Fork(this, other));
                        states.len() - 1
                    }
                });
            }
            Ok(start.unwrap_or(next))
        }
        Node::Repeat(part, least, most) => {
            let mut next = next;
            if let Some(most) = most {
                for _ in *least..*most {
                    let this = compile(part, next, states)?;
                    states.push(State::Fork(this, next));
                    next = states.len() - 1;
                }
            } else {
                let again = push(State::Done);
                let this = compile(part, again, states)?;
                if let Some(state) = states.get_mut(again) {
                    *state = State::Fork(this, next);
                }
                next = again;
            }
            for _ in 0..*least {
                next = compile(part, next, states)?;
            }
            Ok(next)
        }
    }
}

fn sample(node: &Node, random: &mut Random, text: &mut String) {
    match node {
        Node::Class(class) => text.push(class.sample(random)),
        Node::Sequence(parts) => parts.iter().for_each(|part| sample(part, random, text)),
        Node::Alternatives(parts) => {
            if let Some(part) = parts.get(random.index(parts.len())) {
                sample(part, random, text);
            }
        }
        Node::Repeat(part, least, most) => {
            let most = most.unwrap_or(least + MANY).min(least + 2 * MANY);
            let times = if random.chance(1, 3) {
                *least
            } else {
                least + random.below(most - least + 1)
            };
            for _ in 0..times {
                sample(part, random, text);
            }
        }
    }
}

/// Reads an expression from the left.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next();
        self.rest = chars.as_str();
        c
    }

    fn take(&mut self, c: char) -> bool {
        let here = self.peek() == Some(c);
        if here {
            self.next();
        }
        here
    }

    fn alternatives(&mut self, depth: usize) -> Result<Node, String> {
        if depth > MAX_DEPTH {
            return Err("a regular expression is nested too deeply".to_owned());
        }
        let mut parts = vec![self.sequence(depth)?];
        while self.take('|') {
            parts.push(self.sequence(depth)?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Node::Alternatives(parts)
        })
    }

    fn sequence(&mut self, depth: usize) -> Result<Node, String> {
        let mut parts = Vec::new();
        while let Some(c) = self.peek() {
            if c == '|' || c == ')' {
                break;
            }
            let atom = self.atom(depth)?;
            parts.push(self.repetition(atom)?);
        }
        Ok(Node::Sequence(parts))
    }

    fn repetition(&mut self, atom: Node) -> Result<Node, String> {
        let (least, most) = match self.peek() {
            Some('?') => (0, Some(1)),
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('{') => return self.counted(atom),
            _ => return Ok(atom),
        };
        self.next();
        Ok(Node::Repeat(Box::new(atom), least, most))
    }

    fn counted(&mut self, atom: Node) -> Result<Node, String> {
        let wrong = || "a repetition is `{m}`, `{m,}` or `{m,n}` with m <= n <= 256".to_owned();
        let (inside, rest) = self
            .rest
            .get(1..)
            .and_then(|text| text.split_once('}'))
            .ok_or_else(wrong)?;
        self.rest = rest;
        let number = |text: &str| text.parse::<u32>().ok().filter(|&n| n <= 256).ok_or_else(wrong);
        let (least, most) = match inside.split_once(',') {
            None => (number(inside)?, Some(number(inside)?)),
            Some((least, "")) => (number(least)?, None),
            Some((least, most)) => (number(least)?, Some(number(most)?)),
        };
        if most.is_some_and(|most| most < least) {
            return Err(wrong());
        }
        Ok(Node::Repeat(Box::new(atom), least, most))
    }

    fn atom(&mut self, depth: usize) -> Result<Node, String> {
        match self.next() {
            Some('(') => {
                let inside = self.alternatives(depth + 1)?;
                if self.take(')') {
                    Ok(inside)
                } else {
                    Err("a `(` is not closed".to_owned())
                }
            }
            Some('[') => self.class().map(Node::Class),
            Some('.') => Ok(Node::Class(Class(vec![('\n', '\n')]).negated())),
            Some('\\') => self.escape().map(Node::Class),
            Some(c @ ('?' | '*' | '+' | '{' | '}' | ']' | '^' | '$')) => {
                Err(format!("a `{c}` that means itself is written `\\{c}`"))
            }
            Some(c) => Ok(Node::Class(Class(vec![(c, c)]))),
            None => Err("an expression ends too early".to_owned()),
        }
    }

    fn escape(&mut self) -> Result<Class, String> {
        let c = self.next().ok_or("an expression ends in `\\`")?;
        let one = |c| Ok(Class(vec![(c, c)]));
        match c {
            'd' => Ok(Class(vec![('0', '9')])),
            'w' => Ok(Class(vec![('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')])),
            's' => Ok(Class(vec![('\t', '\n'), ('\r', '\r'), (' ', ' ')])),
            'n' => one('\n'),
            'r' => one('\r'),
            't' => one('\t'),
            'x' => {
                let code = self
                    .rest
                    .get(..2)
                    .and_then(|hex| u8::from_str_radix(hex, 16).ok());
                self.rest = self.rest.get(2..).unwrap_or("");
                one(char::from(code.ok_or("`\\x` wants two hexadecimal digits")?))
            }
            c if c.is_ascii_alphanumeric() => Err(format!("`\\{c}` is not known")),
            c => one(c),
        }
    }

    fn class(&mut self) -> Result<Class, String> {
        let negated = self.take('^');
        let mut ranges = Vec::new();
        while !self.take(']') {
            let low = self.member()?;
            let is_range = self.peek() == Some('-') && self.rest.get(1..2).is_some_and(|next| next != "]");
            match low.0.as_slice() {
                &[(c, last)] if is_range && c == last => {
                    self.next();
                    match self.member()?.0.as_slice() {
                        &[(high, end)] if high == end && c <= high => ranges.push((c, high)),
                        _ => return Err(format!("a range from `{c}` has no end above it")),
                    }
                }
                members => ranges.extend_from_slice(members),
            }
        }
        let class = Class(ranges);
        Ok(if negated { class.negated() } else { class })
    }

    fn member(&mut self) -> Result<Class, String> {
        match self.next() {
            Some('\\') => self.escape(),
            Some('#') if self.rest.starts_with('x') => Ok(self.code_point()),
            Some(c) => Ok(Class(vec![(c, c)])),
            None => Err("a `[` is not closed".to_owned()),
        }
    }

    /// W3C's `#xA`; a `#x` with no digits is those two characters' first.
    fn code_point(&mut self) -> Class {
        let digits: String = self
            .rest
            .chars()
            .skip(1)
            .take_while(char::is_ascii_hexdigit)
            .collect();
        match u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32) {
            Some(c) => {
                self.rest = self.rest.get(1 + digits.len()..).unwrap_or("");
                Class(vec![(c, c)])
            }
            None => Class(vec![('#', '#')]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn longest(regex: &str, text: &str) -> Option<usize> {
        Regex::read(regex).unwrap().longest(text)
    }

    #[test]
    fn the_longest_match_wins_whatever_the_order_of_alternatives() {
        assert_eq!(longest("a|ab|abc", "abcd"), Some(3));
        assert_eq!(longest("[0-9]*", "x"), Some(0));
        assert_eq!(longest("0|[1-9][0-9]{0,4}", "00"), Some(1));
        assert_eq!(longest("0|[1-9][0-9]{0,4}", "123456"), Some(5));
        assert_eq!(longest("(ab){2,3}", "ababababab"), Some(6));
        assert_eq!(longest("(ab){2,3}", "abab"), Some(4));
        assert_eq!(longest("(ab){2,}", "ab"), None);
        assert_eq!(longest(r#""([^"\\\n]|\\.)*""#, r#""a\"b" c"#), Some(6));
    }

    #[test]
    fn classes_are_what_they_say() {
        assert_eq!(longest("[^ -~]", "é"), Some(2));
        assert_eq!(longest("[^ -~]", "e"), None);
        assert_eq!(longest("[a-c-]+", "b-a d"), Some(3));
        assert_eq!(longest(r"[\]\-x]+", "]-xy"), Some(3));
        assert_eq!(longest(r"[\d.]+", "10.0/8"), Some(4));
        assert_eq!(longest("[#x41-#x43]+", "ABCD"), Some(3));
        assert_eq!(longest(".+", "ab\nc"), Some(2));
        assert_eq!(longest("[^\\x00-\\xff]", "\u{10ffff}"), Some(4));
    }

    #[test]
    fn what_is_not_an_expression_is_refused() {
        for text in ["(a", "a)", "[a", "a{2,1}", "*", "\\q", "a{x}", "a{999}", "[z-a]"] {
            assert!(Regex::read(text).is_err(), "{text}");
        }
        assert!(Regex::read(&"(".repeat(1000)).is_err());
        assert!(Regex::read("((a{200}){200}){200}").is_err());
    }

    #[test]
    fn samples_match() {
        let mut random = Random::new(7);
        for text in ["0|[1-9][0-9]{0,4}", "[^\\n#]*", "(a|b?c)+(\\.x){2,3}", "[#xE9]"] {
            let regex = Regex::read(text).unwrap();
            for _ in 0..200 {
                let sample = regex.sample(&mut random);
                assert!(regex.matches(&sample), "/{text}/ made {sample:?}");
            }
        }
    }
}
