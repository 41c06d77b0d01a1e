//! Whether a text is a sentence: an Earley recogniser over characters, whose terminals take several at once.
//! INVARIANT: no recursion and no backtracking; the cost is bounded by the cube of the number of tokens, and near
//! linear for grammars that one token of look-ahead decides.

use std::collections::{BTreeMap, VecDeque};

use rustc_hash::FxHashSet;

use super::read::{Expr, Pattern, Rules, Terminal};

/// One step of a flat rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Symbol {
    Terminal(usize),
    Rule(usize),
    /// Blanks, as many as there are.
    Skip,
}

/// A grammar without `? * +` and groups.
#[derive(Debug, Clone)]
pub(crate) struct Flat {
    rules: Vec<Vec<Vec<Symbol>>>,
    /// For each rule and alternative, the bytes it can begin with; `None` if it can be empty.
    first: Vec<Vec<Option<Bytes>>>,
    start: usize,
}

/// A set of bytes.
type Bytes = [bool; 256];

impl Flat {
    /// Flattens.
    pub(crate) fn new(rules: &Rules) -> Self {
        let mut flattening = Flattening {
            rules,
            flat: vec![Vec::new()],
            ids: BTreeMap::new(),
            open: VecDeque::new(),
        };
        let mut start = vec![Symbol::Skip];
        flattening.name(rules.start, false, &mut start);
        flattening.set(0, vec![start]);
        while let Some((name, tight, id)) = flattening.open.pop_front() {
            if let Some(production) = rules.productions.get(name) {
                let alternatives = flattening.branches(&production.expr, tight);
                flattening.set(id, alternatives);
            }
        }
        let first = first_bytes(rules, &flattening.flat);
        Self {
            rules: flattening.flat,
            first,
            start: 0,
        }
    }

    fn alternatives(&self, rule: usize) -> &[Vec<Symbol>] {
        self.rules.get(rule).map_or(&[], Vec::as_slice)
    }

    fn can_start(&self, rule: usize, alternative: usize, byte: Option<u8>) -> bool {
        match self.first.get(rule).and_then(|rule| rule.get(alternative)) {
            Some(Some(bytes)) => byte.is_some_and(|byte| bytes.get(usize::from(byte)) == Some(&true)),
            _ => true,
        }
    }
}

struct Flattening<'a> {
    rules: &'a Rules,
    flat: Vec<Vec<Vec<Symbol>>>,
    ids: BTreeMap<(usize, bool), usize>,
    open: VecDeque<(usize, bool, usize)>,
}

impl Flattening<'_> {
    fn set(&mut self, id: usize, alternatives: Vec<Vec<Symbol>>) {
        if let Some(rule) = self.flat.get_mut(id) {
            *rule = alternatives;
        }
    }

    fn fresh(&mut self) -> usize {
        self.flat.push(Vec::new());
        self.flat.len() - 1
    }

    /// A production, in its own right or inside one with explicit blanks (`tight`).
    fn name(&mut self, name: usize, tight: bool, symbols: &mut Vec<Symbol>) {
        let explicit = self
            .rules
            .productions
            .get(name)
            .is_some_and(|production| production.explicit);
        let inside = tight || explicit;
        let id = if let Some(&id) = self.ids.get(&(name, inside)) {
            id
        } else {
            let id = self.fresh();
            self.ids.insert((name, inside), id);
            self.open.push_back((name, inside, id));
            id
        };
        symbols.push(Symbol::Rule(id));
        if explicit && !tight {
            symbols.push(Symbol::Skip);
        }
    }

    fn branches(&mut self, expr: &Expr, tight: bool) -> Vec<Vec<Symbol>> {
        let branches = match expr {
            Expr::Alternatives(_, branches) => branches.as_slice(),
            _ => std::slice::from_ref(expr),
        };
        branches
            .iter()
            .map(|branch| {
                let mut symbols = Vec::new();
                self.expr(branch, tight, &mut symbols);
                symbols
            })
            .collect()
    }

    fn expr(&mut self, expr: &Expr, tight: bool, symbols: &mut Vec<Symbol>) {
        match expr {
            Expr::Terminal(id) => {
                symbols.push(Symbol::Terminal(*id));
                if !tight {
                    symbols.push(Symbol::Skip);
                }
            }
            Expr::Name(id) => self.name(*id, tight, symbols),
            Expr::Sequence(parts) => parts.iter().for_each(|part| self.expr(part, tight, symbols)),
            Expr::Alternatives(..) => {
                let id = self.fresh();
                let alternatives = self.branches(expr, tight);
                self.set(id, alternatives);
                symbols.push(Symbol::Rule(id));
            }
            Expr::Optional(_, part) | Expr::Star(_, part) | Expr::Plus(_, part) => {
                let id = self.fresh();
                let once = self.branches(part, tight);
                let mut alternatives: Vec<_> = if matches!(expr, Expr::Plus(..)) {
                    once.clone()
                } else {
                    vec![vec![]]
                };
                if matches!(expr, Expr::Optional(..)) {
                    alternatives.extend(once);
                } else {
                    alternatives.extend(once.into_iter().map(|mut symbols| {
                        symbols.insert(0, Symbol::Rule(id));
                        symbols
                    }));
                }
                self.set(id, alternatives);
                symbols.push(Symbol::Rule(id));
            }
        }
    }
}

/// What each alternative can begin with, by repetition until nothing changes.
fn first_bytes(rules: &Rules, flat: &[Vec<Vec<Symbol>>]) -> Vec<Vec<Option<Bytes>>> {
    let terminals: Vec<Bytes> = rules.terminals.iter().map(terminal_bytes).collect();
    let skip = rules
        .skip
        .as_ref()
        .map_or([false; 256], |skip| bytes_where(|c| skip.can_start(c)));
    let mut nullable = vec![false; flat.len()];
    let mut first = vec![[false; 256]; flat.len()];
    let alternative = |symbols: &[Symbol], nullable: &[bool], first: &[Bytes]| {
        let mut bytes = [false; 256];
        for symbol in symbols {
            let (begins, empty) = match symbol {
                Symbol::Terminal(id) => (terminals.get(*id), false),
                Symbol::Skip => (Some(&skip), true),
                Symbol::Rule(id) => (first.get(*id), nullable.get(*id) == Some(&true)),
            };
            bytes
                .iter_mut()
                .zip(begins.into_iter().flatten())
                .for_each(|(to, from)| *to |= from);
            if !empty {
                return (bytes, false);
            }
        }
        (bytes, true)
    };
    loop {
        let before = (nullable.clone(), first.clone());
        for (id, alternatives) in flat.iter().enumerate() {
            for symbols in alternatives {
                let (bytes, empty) = alternative(symbols, &nullable, &first);
                if let (Some(rule), Some(is_empty)) = (first.get_mut(id), nullable.get_mut(id)) {
                    rule.iter_mut().zip(bytes).for_each(|(to, from)| *to |= from);
                    *is_empty |= empty;
                }
            }
        }
        if before == (nullable.clone(), first.clone()) {
            break;
        }
    }
    let known = |symbols: &Vec<Symbol>| {
        let (bytes, empty) = alternative(symbols, &nullable, &first);
        (!empty).then_some(bytes)
    };
    flat.iter()
        .map(|alternatives| alternatives.iter().map(known).collect())
        .collect()
}

fn terminal_bytes(terminal: &Terminal) -> Bytes {
    match &terminal.pattern {
        Pattern::Literal(text) => {
            let mut bytes = [false; 256];
            if let Some(byte) = text
                .bytes()
                .next()
                .and_then(|byte| bytes.get_mut(usize::from(byte)))
            {
                *byte = true;
            }
            bytes
        }
        Pattern::Regex(regex) => bytes_where(|c| regex.can_start(c)),
    }
}

/// ASCII by asking; everything else may begin anything.
fn bytes_where(can: impl Fn(char) -> bool) -> Bytes {
    std::array::from_fn(|byte| {
        u8::try_from(byte).map_or(true, |byte| !byte.is_ascii() || can(char::from(byte)))
    })
}

/// A rule in progress: what is done of which alternative, begun where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Item {
    rule: u32,
    alternative: u32,
    dot: u32,
    origin: u32,
}

/// All rules in progress at one offset.
#[derive(Debug, Default)]
struct Set {
    items: Vec<Item>,
    seen: FxHashSet<Item>,
    /// Items that wait for a rule begun here.
    waiting: BTreeMap<usize, Vec<Item>>,
    /// Rules that began and ended here.
    empty: FxHashSet<usize>,
}

impl Set {
    fn add(&mut self, item: Item) {
        if self.seen.insert(item) {
            self.items.push(item);
        }
    }
}

/// A text under recognition.
struct Recogniser<'a> {
    rules: &'a Rules,
    flat: &'a Flat,
    text: &'a str,
    sets: BTreeMap<usize, Set>,
}

/// Whether `text` is a sentence; if not, the offset up to which it is the beginning of one.
pub(crate) fn recognise(rules: &Rules, flat: &Flat, text: &str) -> Result<(), usize> {
    let mut recogniser = Recogniser {
        rules,
        flat,
        text,
        sets: BTreeMap::new(),
    };
    let mut first = Set::default();
    first.add(item(flat.start, 0, 0));
    recogniser.sets.insert(0, first);
    let mut at = 0;
    loop {
        recogniser.set(at);
        match recogniser.sets.range(at + 1..).next() {
            Some((&next, _)) => at = next,
            None => break,
        }
    }
    let whole = |set: &Set| {
        let dot = flat.alternatives(flat.start).first().map_or(0, Vec::len);
        set.seen.contains(&Item {
            dot: small(dot),
            ..item(flat.start, 0, 0)
        })
    };
    if at == text.len() && recogniser.sets.get(&at).is_some_and(whole) {
        Ok(())
    } else {
        Err(at)
    }
}

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn item(rule: usize, alternative: usize, origin: usize) -> Item {
    Item {
        rule: small(rule),
        alternative: small(alternative),
        dot: 0,
        origin: small(origin),
    }
}

impl Recogniser<'_> {
    /// Works off the set at an offset; adds to it and to later ones.
    fn set(&mut self, at: usize) {
        let mut set = self.sets.remove(&at).unwrap_or_default();
        let mut terminals: BTreeMap<usize, Option<usize>> = BTreeMap::new();
        let mut next = 0;
        while let Some(&item) = set.items.get(next) {
            next += 1;
            let symbols = self
                .flat
                .alternatives(item.rule as usize)
                .get(item.alternative as usize);
            let advanced = Item {
                dot: item.dot + 1,
                ..item
            };
            match symbols.and_then(|symbols| symbols.get(item.dot as usize)) {
                Some(Symbol::Terminal(id)) => {
                    let end = *terminals.entry(*id).or_insert_with(|| self.terminal(*id, at));
                    if let Some(end) = end {
                        self.sets.entry(end).or_default().add(advanced);
                    }
                }
                Some(Symbol::Skip) => match self.skip(at) {
                    0 => set.add(advanced),
                    length => self.sets.entry(at + length).or_default().add(advanced),
                },
                Some(Symbol::Rule(rule)) => self.predict(&mut set, item, *rule, at),
                None => self.complete(&mut set, item, at),
            }
        }
        self.sets.insert(at, set);
    }

    fn predict(&self, set: &mut Set, waiting: Item, rule: usize, at: usize) {
        let byte = self.text.as_bytes().get(at).copied();
        let first = !set.waiting.contains_key(&rule);
        set.waiting.entry(rule).or_default().push(waiting);
        if first {
            for alternative in 0..self.flat.alternatives(rule).len() {
                if self.flat.can_start(rule, alternative, byte) {
                    set.add(item(rule, alternative, at));
                }
            }
        }
        if set.empty.contains(&rule) {
            set.add(Item {
                dot: waiting.dot + 1,
                ..waiting
            });
        }
    }

    fn complete(&self, set: &mut Set, done: Item, at: usize) {
        let rule = done.rule as usize;
        let waiting = if done.origin as usize == at {
            set.empty.insert(rule);
            set.waiting.get(&rule).cloned()
        } else {
            self.sets
                .get(&(done.origin as usize))
                .and_then(|set| set.waiting.get(&rule))
                .cloned()
        };
        for item in waiting.into_iter().flatten() {
            set.add(Item {
                dot: item.dot + 1,
                ..item
            });
        }
    }

    fn skip(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or("");
        self.rules
            .skip
            .as_ref()
            .and_then(|skip| skip.longest(rest))
            .unwrap_or(0)
    }

    /// Where the terminal that begins here ends.
    fn terminal(&self, id: usize, at: usize) -> Option<usize> {
        let rest = self.text.get(at..)?;
        let terminal = self.rules.terminals.get(id)?;
        let length = match &terminal.pattern {
            Pattern::Literal(text) => {
                let word = self.rules.word.as_ref().filter(|word| word.matches(text));
                let whole = word.is_none_or(|word| word.longest(rest) == Some(text.len()));
                (rest.starts_with(text.as_str()) && whole).then_some(text.len())?
            }
            Pattern::Regex(regex) => regex.longest(rest)?,
        };
        let text = rest.get(..length)?;
        (!terminal.excepts(text)).then_some(at + length)
    }
}

impl Terminal {
    /// Whether `text` is one that the terminal must not be.
    pub(crate) fn excepts(&self, text: &str) -> bool {
        self.except.iter().any(|pattern| match pattern {
            Pattern::Literal(literal) => literal == text,
            Pattern::Regex(regex) => regex.matches(text),
        })
    }
}
