//! Sentences of a grammar, from a seed, until every alternative has been used. INVARIANT: every sentence given out
//! was accepted by the recogniser, and the same seed gives the same sentences.

use super::Grammar;
use super::random::Random;
use super::read::{Expr, Pattern, height, names};
use super::regex::Regex;

/// Past so many tokens, or so many productions deep, the shortest way out is taken.
const MAX_TOKENS: usize = 120;
const MAX_DEPTH: usize = 40;
/// How often a text is made before the grammar is called at odds with itself.
const ATTEMPTS: usize = 60;

/// One terminal's text and what stands before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// Skipped text before it.
    pub(crate) gap: String,
    /// The token itself.
    pub(crate) text: String,
    may_skip: bool,
}

/// A text that is in the language.
#[derive(Debug, Clone)]
pub(crate) struct Sentence {
    /// All of it.
    pub(crate) text: String,
    /// Its tokens in order.
    pub(crate) tokens: Vec<Token>,
}

/// Makes sentences and keeps count of the alternatives used.
#[derive(Debug)]
pub(crate) struct Generator<'a> {
    grammar: &'a Grammar,
    random: Random,
    /// Times each branch of each choice was used.
    used: Vec<Vec<u32>>,
    /// The part of `used` that can be used.
    reachable: Vec<bool>,
    heights: Vec<Option<usize>>,
}

/// What is still to be written; `tight` inside productions with explicit blanks.
enum Task<'a> {
    Write {
        expr: &'a Expr,
        tight: bool,
        depth: usize,
    },
    MaySkip,
}

impl<'a> Generator<'a> {
    /// Begins with nothing used.
    pub(crate) fn new(grammar: &'a Grammar, seed: u64) -> Self {
        let used = grammar
            .rules
            .choices
            .iter()
            .map(|choice| vec![0; choice.branches.len()])
            .collect();
        let mut reachable = vec![false; grammar.rules.choices.len()];
        let mut visited = vec![false; grammar.rules.productions.len()];
        let mut open = vec![grammar.rules.start];
        while let Some(id) = open.pop() {
            let Some(production) = grammar.rules.productions.get(id) else {
                continue;
            };
            if std::mem::replace(&mut visited[id], true) {
                continue;
            }
            names(&production.expr, &mut |name| open.push(name));
            choices(&production.expr, &mut |choice| reachable[choice] = true);
        }
        Self {
            grammar,
            random: Random::new(seed),
            used,
            reachable,
            heights: grammar.rules.heights(),
        }
    }

    /// The alternatives that no sentence has used, as `production: alternative`.
    pub(crate) fn unused(&self) -> Vec<String> {
        let mut unused = Vec::new();
        for (id, choice) in self.grammar.rules.choices.iter().enumerate() {
            for (branch, text) in choice.branches.iter().enumerate() {
                if self.reachable[id] && self.used[id][branch] == 0 {
                    unused.push(format!("{}: {text}", choice.production));
                }
            }
        }
        unused
    }

    /// The next sentence. An error shows a text that the grammar's productions make but its tokens do not allow
    /// (a token that swallows its neighbour, for one).
    pub(crate) fn sentence(&mut self) -> Result<Sentence, String> {
        let mut last = String::new();
        for attempt in 0..ATTEMPTS {
            let before = self.used.clone();
            let mut tokens = self.tokens()?;
            for spaced in [false, true] {
                self.gaps(&mut tokens, spaced || attempt > ATTEMPTS / 2);
                let text = text_of(&tokens);
                if self.grammar.accepts(&text) {
                    return Ok(Sentence { text, tokens });
                }
                last = text;
            }
            self.used = before;
        }
        Err(format!("the grammar makes `{last}`, but does not take it"))
    }

    /// Fills in what may be skipped: often a space, sometimes anything, sometimes nothing between words and signs.
    fn gaps(&mut self, tokens: &mut [Token], spaced: bool) {
        let Some(skip) = &self.grammar.rules.skip else {
            return;
        };
        let is_wordy = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || "_-.".contains(c));
        let mut before = None;
        for token in tokens {
            if token.may_skip {
                let glued = is_wordy(before) && is_wordy(token.text.chars().next());
                token.gap = match self.random.below(6) {
                    0 if !spaced => skipped(skip, &token.text, &mut self.random),
                    1 | 2 if !spaced && !glued => String::new(),
                    _ if skip.matches(" ") => " ".to_owned(),
                    _ => skipped(skip, &token.text, &mut self.random),
                };
            }
            before = token.text.chars().last();
        }
    }

    fn tokens(&mut self) -> Result<Vec<Token>, String> {
        let near = self.distances();
        let rules = &self.grammar.rules;
        let root = Expr::Name(rules.start);
        let mut tokens: Vec<Token> = Vec::new();
        let mut may_skip = true;
        let mut open = vec![Task::Write {
            expr: &root,
            tight: false,
            depth: 0,
        }];
        while let Some(task) = open.pop() {
            let Task::Write { expr, tight, depth } = task else {
                may_skip = true;
                continue;
            };
            let tired = tokens.len() > MAX_TOKENS || depth > MAX_DEPTH;
            let write = |expr| Task::Write { expr, tight, depth };
            match expr {
                Expr::Terminal(id) => {
                    let text = self.terminal(*id)?;
                    tokens.push(Token {
                        gap: String::new(),
                        text,
                        may_skip,
                    });
                    may_skip = !tight;
                }
                Expr::Name(id) => {
                    let production = &rules.productions[*id];
                    if production.explicit && !tight {
                        open.push(Task::MaySkip);
                    }
                    open.push(Task::Write {
                        expr: &production.expr,
                        tight: tight || production.explicit,
                        depth: depth + 1,
                    });
                }
                Expr::Sequence(parts) => open.extend(parts.iter().rev().map(write)),
                Expr::Alternatives(choice, parts) => {
                    let branches: Vec<_> = parts.iter().map(Some).collect();
                    open.push(write(&parts[self.choose(*choice, &branches, &near, tired)]));
                }
                Expr::Optional(choice, part) => {
                    if self.choose(*choice, &[None, Some(part)], &near, tired) == 1 {
                        open.push(write(part));
                    }
                }
                Expr::Star(choice, part) | Expr::Plus(choice, part) => {
                    let more = self.choose(*choice, &[None, Some(part)], &near, tired) == 1;
                    let times = usize::from(matches!(expr, Expr::Plus(..)))
                        + if more { 1 + self.random.index(3) } else { 0 };
                    open.extend((0..times).map(|_| write(part)));
                }
            }
        }
        Ok(tokens)
    }

    fn terminal(&mut self, id: usize) -> Result<String, String> {
        let terminal = &self.grammar.rules.terminals[id];
        for _ in 0..100 {
            let text = match &terminal.pattern {
                Pattern::Literal(text) => text.clone(),
                Pattern::Regex(regex) => regex.sample(&mut self.random),
            };
            if !terminal.excepts(&text) && !text.is_empty() {
                return Ok(text);
            }
        }
        Err(format!(
            "no sample of {:?} is left by its exceptions",
            terminal.pattern
        ))
    }

    /// Picks a branch and counts it: the shortest if tired, else one never used, else often the way to one never
    /// used, else one used least.
    fn choose(&mut self, choice: usize, branches: &[Option<&Expr>], near: &[usize], tired: bool) -> usize {
        let used = &self.used[choice];
        let cost = |branch: usize| -> usize {
            let part = branches[branch];
            if tired {
                part.map_or(0, |part| {
                    1 + height(part, &self.heights).unwrap_or(usize::MAX - 1)
                })
            } else if used[branch] == 0 {
                0
            } else {
                1 + part.map_or(usize::MAX - 1, |part| self.distance(part, near))
            }
        };
        let guided = tired || used.contains(&0) || self.random.clone().chance(1, 2);
        let key = |branch: &usize| {
            if guided {
                cost(*branch)
            } else {
                used[*branch] as usize
            }
        };
        let best = (0..branches.len()).map(|branch| key(&branch)).min();
        let candidates: Vec<usize> = (0..branches.len())
            .filter(|branch| Some(key(branch)) == best)
            .collect();
        self.random.bits();
        let chosen = candidates[self.random.index(candidates.len())];
        self.used[choice][chosen] += 1;
        chosen
    }

    /// For each production, how many productions away the nearest unused alternative is.
    fn distances(&self) -> Vec<usize> {
        let mut near = vec![FAR; self.grammar.rules.productions.len()];
        loop {
            let productions = self.grammar.rules.productions.iter();
            let next: Vec<_> = productions
                .map(|production| self.distance(&production.expr, &near))
                .collect();
            if next == near {
                return near;
            }
            near = next;
        }
    }

    fn distance(&self, expr: &Expr, near: &[usize]) -> usize {
        let mut best = FAR;
        choices(expr, &mut |choice| {
            if self.used[choice].contains(&0) {
                best = 0;
            }
        });
        names(expr, &mut |name| {
            best = best.min(near[name].saturating_add(1).min(FAR));
        });
        best
    }
}

/// A sample of what is skipped that ends where `next` begins: a line comment gets the end of its line.
fn skipped(skip: &Regex, next: &str, random: &mut Random) -> String {
    let mut gap = skip.sample(random);
    if skip.longest(&format!("{gap}{next}")) != Some(gap.len()) {
        gap.push('\n');
    }
    gap
}

/// No way to an unused alternative.
const FAR: usize = 1 << 20;

/// Calls `visit` with every choice in an expression.
fn choices(expr: &Expr, visit: &mut impl FnMut(usize)) {
    match expr {
        Expr::Terminal(_) | Expr::Name(_) => {}
        Expr::Sequence(parts) => parts.iter().for_each(|part| choices(part, visit)),
        Expr::Alternatives(choice, parts) => {
            visit(*choice);
            for part in parts {
                choices(part, visit);
            }
        }
        Expr::Optional(choice, part) | Expr::Star(choice, part) | Expr::Plus(choice, part) => {
            visit(*choice);
            choices(part, visit);
        }
    }
}

/// The text of tokens with their gaps.
pub(crate) fn text_of(tokens: &[Token]) -> String {
    tokens
        .iter()
        .flat_map(|token| [token.gap.as_str(), token.text.as_str()])
        .collect()
}
