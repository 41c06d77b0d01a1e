//! The text of a grammar to its productions. INVARIANT: every name is defined and reachable, and every production
//! has a finite sentence, so the recogniser and the generator need not ask.

use std::collections::{BTreeMap, BTreeSet};

use super::regex::Regex;
use super::token::{Kind, Token, normalise, tokens};

const MAX_DEPTH: usize = 32;

/// A place where sentences differ: which branches it has. Optional parts and repetitions have two: less and more.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    /// The production it is in.
    pub(crate) production: String,
    /// Each branch as written.
    pub(crate) branches: Vec<String>,
}

/// A right side.
#[derive(Debug, Clone)]
pub(crate) enum Expr {
    Terminal(usize),
    Name(usize),
    Sequence(Vec<Expr>),
    /// Choice id and branches.
    Alternatives(usize, Vec<Expr>),
    /// Choice id (0: absent, 1: present).
    Optional(usize, Box<Expr>),
    /// Choice id (0: none, 1: one or more).
    Star(usize, Box<Expr>),
    /// Choice id (0: one, 1: more).
    Plus(usize, Box<Expr>),
}

/// What a terminal's text is.
#[derive(Debug, Clone)]
pub(crate) enum Pattern {
    Literal(String),
    Regex(Regex),
}

/// A terminal, less the whole texts that it must not be.
#[derive(Debug, Clone)]
pub(crate) struct Terminal {
    pub(crate) pattern: Pattern,
    pub(crate) except: Vec<Pattern>,
}

/// `name ::= expr`.
#[derive(Debug, Clone)]
pub(crate) struct Production {
    pub(crate) name: String,
    pub(crate) expr: Expr,
    /// `name ::= expr`, one space between tokens.
    pub(crate) text: String,
    /// Whether `/* ws: explicit */` stands behind it: nothing is skipped inside.
    pub(crate) explicit: bool,
}

/// A grammar as read.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) start: usize,
    pub(crate) skip: Option<Regex>,
    pub(crate) word: Option<Regex>,
    pub(crate) productions: Vec<Production>,
    pub(crate) terminals: Vec<Terminal>,
    pub(crate) choices: Vec<Choice>,
}

impl Rules {
    /// Reads a grammar; an error names the line or the production.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let tokens = tokens(text)?;
        let heads: Vec<usize> = (0..tokens.len())
            .filter(|&at| is_define(tokens.get(at + 1)) && is_name(tokens.get(at)))
            .collect();
        let first = *heads.first().ok_or("there is no production")?;
        let name = |at: usize| {
            tokens
                .get(at)
                .and_then(|token| text.get(token.bytes.clone()))
                .unwrap_or("")
        };
        let mut ids = BTreeMap::new();
        for (id, &head) in heads.iter().enumerate() {
            if ids.insert(name(head), id).is_some() {
                return Err(format!("`{}` is defined twice", name(head)));
            }
        }
        let start =
            head_line(tokens.get(..first), "start").ok_or("no comment at the top says `start: NAME`")?;
        let mut reader = Reader::new(text, &ids);
        for (at, &head) in heads.iter().enumerate() {
            let end = heads.get(at + 1).copied().unwrap_or(tokens.len());
            reader.production(name(head), tokens.get(head..end).unwrap_or(&[]))?;
        }
        let regex = |key| head_line(tokens.get(..first), key).map(slashed).transpose();
        let rules = Self {
            start: *ids
                .get(start)
                .ok_or(format!("the start symbol `{start}` is not defined"))?,
            skip: regex("skip")?,
            word: regex("word")?,
            terminals: reader.terminals,
            choices: reader.choices,
            productions: reader.productions,
        };
        rules.check(&reader.excepted)?;
        Ok(rules)
    }

    fn check(&self, excepted: &BTreeSet<usize>) -> Result<(), String> {
        let mut reached = excepted.clone();
        let mut open = vec![self.start];
        while let Some(id) = open.pop() {
            if reached.insert(id) || excepted.contains(&id) {
                let production = self.productions.get(id).ok_or("a production is missing")?;
                names(&production.expr, &mut |name| {
                    if !reached.contains(&name) {
                        open.push(name);
                    }
                });
            }
        }
        let heights = self.heights();
        for (id, production) in self.productions.iter().enumerate() {
            if !reached.contains(&id) {
                return Err(format!("`{}` is not used", production.name));
            }
            if heights.get(id).copied().flatten().is_none() {
                return Err(format!("`{}` has no finite sentence", production.name));
            }
        }
        Ok(())
    }

    /// For each production, how many productions deep its flattest sentence is.
    pub(crate) fn heights(&self) -> Vec<Option<usize>> {
        let mut heights = vec![None; self.productions.len()];
        loop {
            let next: Vec<_> = self
                .productions
                .iter()
                .map(|production| height(&production.expr, &heights).map(|h| h + 1))
                .collect();
            if next == heights {
                return heights;
            }
            heights = next;
        }
    }
}

/// The least height of an expression, given those of productions.
pub(crate) fn height(expr: &Expr, heights: &[Option<usize>]) -> Option<usize> {
    match expr {
        Expr::Terminal(_) | Expr::Optional(..) | Expr::Star(..) => Some(0),
        Expr::Name(id) => heights.get(*id).copied().flatten(),
        Expr::Sequence(parts) => parts.iter().try_fold(0, |most, part| {
            height(part, heights).map(|height| most.max(height))
        }),
        Expr::Alternatives(_, parts) => parts.iter().filter_map(|part| height(part, heights)).min(),
        Expr::Plus(_, part) => height(part, heights),
    }
}

/// Calls `visit` with every name in an expression.
pub(crate) fn names(expr: &Expr, visit: &mut impl FnMut(usize)) {
    match expr {
        Expr::Terminal(_) => {}
        Expr::Name(id) => visit(*id),
        Expr::Sequence(parts) | Expr::Alternatives(_, parts) => {
            for part in parts {
                names(part, visit);
            }
        }
        Expr::Optional(_, part) | Expr::Star(_, part) | Expr::Plus(_, part) => names(part, visit),
    }
}

fn is_name(token: Option<&Token>) -> bool {
    token.is_some_and(|token| token.kind == Kind::Name)
}

fn is_define(token: Option<&Token>) -> bool {
    token.is_some_and(|token| token.kind == Kind::Define)
}

/// The rest of the line `KEY: …` of a comment in the head.
fn head_line<'a>(head: Option<&'a [Token]>, key: &str) -> Option<&'a str> {
    head?.iter().find_map(|token| match &token.kind {
        Kind::Comment(text) => text
            .lines()
            .find_map(|line| line.trim().strip_prefix(key)?.strip_prefix(':'))
            .map(str::trim),
        _ => None,
    })
}

fn slashed(text: &str) -> Result<Regex, String> {
    let inside = text.strip_prefix('/').and_then(|text| text.strip_suffix('/'));
    Regex::read(inside.ok_or(format!("`{text}` stands between no slashes"))?)
}

/// Reads right sides.
struct Reader<'a> {
    text: &'a str,
    ids: &'a BTreeMap<&'a str, usize>,
    tokens: Vec<Token>,
    at: usize,
    production: String,
    productions: Vec<Production>,
    terminals: Vec<Terminal>,
    choices: Vec<Choice>,
    excepted: BTreeSet<usize>,
    /// Terminals whose exceptions are named, to be filled in when all is read.
    pending: Vec<(usize, usize)>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, ids: &'a BTreeMap<&'a str, usize>) -> Self {
        Self {
            text,
            ids,
            tokens: Vec::new(),
            at: 0,
            production: String::new(),
            productions: Vec::new(),
            terminals: Vec::new(),
            choices: Vec::new(),
            excepted: BTreeSet::new(),
            pending: Vec::new(),
        }
    }

    fn production(&mut self, name: &str, tokens: &[Token]) -> Result<(), String> {
        let explicit = tokens
            .iter()
            .any(|token| token.kind == Kind::Comment("ws: explicit".to_owned()));
        self.tokens = tokens
            .iter()
            .filter(|token| !matches!(token.kind, Kind::Comment(_)))
            .cloned()
            .collect();
        self.at = 2;
        name.clone_into(&mut self.production);
        let in_production = |error: String| format!("`{name}`: {error}");
        let expr = self.alternatives(0).map_err(in_production)?;
        if self.at < self.tokens.len() {
            return Err(in_production("a `)` too many".to_owned()));
        }
        let text = normalise(self.slice(0, self.at))?;
        self.productions.push(Production {
            name: name.to_owned(),
            expr,
            text,
            explicit,
        });
        if self.productions.len() == self.ids.len() {
            self.fill_in()?;
        }
        Ok(())
    }

    /// Resolves exceptions that are given by name.
    fn fill_in(&mut self) -> Result<(), String> {
        for &(terminal, id) in &self.pending {
            let production = self.productions.get(id).ok_or("a production is missing")?;
            let mut patterns = Vec::new();
            self.patterns(&production.expr, &mut patterns).ok_or(format!(
                "`{}` is excepted, but is not a list of terminals",
                production.name
            ))?;
            if let Some(terminal) = self.terminals.get_mut(terminal) {
                terminal.except.extend(patterns);
            }
        }
        Ok(())
    }

    fn patterns(&self, expr: &Expr, patterns: &mut Vec<Pattern>) -> Option<()> {
        match expr {
            Expr::Terminal(id) => patterns.push(self.terminals.get(*id)?.pattern.clone()),
            Expr::Alternatives(_, parts) => {
                parts.iter().try_for_each(|part| self.patterns(part, patterns))?;
            }
            _ => return None,
        }
        Some(())
    }

    fn slice(&self, from: usize, to: usize) -> &'a str {
        let start = self.tokens.get(from).map_or(0, |token| token.bytes.start);
        let end = to
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last))
            .map_or(start, |token| token.bytes.end);
        self.text.get(start..end).unwrap_or("")
    }

    fn sign(&self) -> Option<char> {
        match self.tokens.get(self.at)?.kind {
            Kind::Sign(c) => Some(c),
            _ => None,
        }
    }

    fn take(&mut self, c: char) -> bool {
        let here = self.sign() == Some(c);
        self.at += usize::from(here);
        here
    }

    fn choice(&mut self, branches: Vec<String>) -> usize {
        self.choices.push(Choice {
            production: self.production.clone(),
            branches,
        });
        self.choices.len() - 1
    }

    fn alternatives(&mut self, depth: usize) -> Result<Expr, String> {
        if depth > MAX_DEPTH {
            return Err("groups are nested too deeply".to_owned());
        }
        let mut parts = Vec::new();
        let mut texts = Vec::new();
        loop {
            let from = self.at;
            parts.push(self.sequence(depth)?);
            texts.push(
                self.slice(from, self.at)
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" "),
            );
            if !self.take('|') {
                break;
            }
        }
        if parts.len() == 1 {
            return Ok(parts.remove(0));
        }
        Ok(Expr::Alternatives(self.choice(texts), parts))
    }

    fn sequence(&mut self, depth: usize) -> Result<Expr, String> {
        let mut parts = Vec::new();
        while self.at < self.tokens.len() && !matches!(self.sign(), Some('|' | ')')) {
            parts.push(self.repeated(depth)?);
        }
        match parts.len() {
            0 => Err("an alternative is empty; make the others optional".to_owned()),
            1 => Ok(parts.remove(0)),
            _ => Ok(Expr::Sequence(parts)),
        }
    }

    fn repeated(&mut self, depth: usize) -> Result<Expr, String> {
        let from = self.at;
        let part = self.atom(depth)?;
        let text = self.slice(from, self.at).to_owned();
        let Some(sign @ ('?' | '*' | '+')) = self.sign() else {
            return Ok(part);
        };
        self.at += 1;
        let less = if sign == '+' {
            format!("{text} once")
        } else {
            format!("no {text}")
        };
        let more = if sign == '+' {
            format!("{text} again")
        } else {
            text
        };
        let choice = self.choice(vec![less, more]);
        Ok(match sign {
            '?' => Expr::Optional(choice, Box::new(part)),
            '*' => Expr::Star(choice, Box::new(part)),
            _ => Expr::Plus(choice, Box::new(part)),
        })
    }

    fn atom(&mut self, depth: usize) -> Result<Expr, String> {
        let token = self.tokens.get(self.at).cloned().ok_or("it ends too early")?;
        self.at += 1;
        match token.kind {
            Kind::Name => self.name(&token).map(Expr::Name),
            Kind::Sign('(') => {
                let inside = self.alternatives(depth + 1)?;
                if self.take(')') {
                    Ok(inside)
                } else {
                    Err("a `(` is not closed".to_owned())
                }
            }
            _ => {
                let terminal = Terminal {
                    pattern: pattern(&token.kind)?,
                    except: Vec::new(),
                };
                self.terminals.push(terminal);
                let id = self.terminals.len() - 1;
                if self.take('-') {
                    self.exception(id)?;
                }
                Ok(Expr::Terminal(id))
            }
        }
    }

    fn name(&self, token: &Token) -> Result<usize, String> {
        let name = self.text.get(token.bytes.clone()).unwrap_or("");
        self.ids
            .get(name)
            .copied()
            .ok_or_else(|| format!("`{name}` is not defined"))
    }

    /// What stands behind `-`: a terminal, the name of a list of terminals, or several of them in a group.
    fn exception(&mut self, terminal: usize) -> Result<(), String> {
        let grouped = self.take('(');
        loop {
            let token = self.tokens.get(self.at).cloned().ok_or("nothing is excepted")?;
            self.at += 1;
            if token.kind == Kind::Name {
                let id = self.name(&token)?;
                self.excepted.insert(id);
                self.pending.push((terminal, id));
            } else if let Some(terminal) = self.terminals.get_mut(terminal) {
                terminal.except.push(pattern(&token.kind)?);
            }
            if !grouped || !self.take('|') {
                break;
            }
        }
        if grouped && !self.take(')') {
            Err("a `(` is not closed".to_owned())
        } else {
            Ok(())
        }
    }
}

fn pattern(kind: &Kind) -> Result<Pattern, String> {
    match kind {
        Kind::Literal(text) => Ok(Pattern::Literal(text.clone())),
        Kind::Regex(text) => {
            let regex = Regex::read(text).map_err(|error| format!("/{text}/: {error}"))?;
            if regex.matches("") {
                return Err(format!(
                    "/{text}/ matches nothing at all; make the terminal optional"
                ));
            }
            Ok(Pattern::Regex(regex))
        }
        other => Err(format!("`{other:?}` stands where an expression should")),
    }
}
