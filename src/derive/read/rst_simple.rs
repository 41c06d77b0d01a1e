//! Simple tables: columns under rules of `=`.

use super::rst::{Line, Places, cell_of};
use crate::derive::document::{Cell, Grid, Problem};
use crate::source::Span;

/// How many lines the simple table at the start has, if there is one: its rules are the same up to the last one.
pub(super) fn length(rest: &[Line<'_>]) -> Option<usize> {
    let first = rest.first().filter(|line| is_rule(line.text))?;
    let mut rules = 0;
    for (at, line) in rest.iter().enumerate() {
        if is_rule(line.text) && columns(line.text) == columns(first.text) {
            rules += 1;
            let is_end = rest.get(at + 1).is_none_or(Line::is_blank);
            if rules >= 2 && is_end {
                return Some(at + 1);
            }
        }
    }
    Some(rest.iter().take_while(|line| !line.is_blank()).count())
}

/// Whether a line is two or more runs of `=`.
fn is_rule(text: &str) -> bool {
    let text = text.trim();
    text.split_whitespace().count() >= 2 && text.chars().all(|c| matches!(c, '=' | ' '))
}

/// Where each column begins, in characters.
fn columns(rule: &str) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut before = ' ';
    for (at, c) in rule.chars().enumerate() {
        if c == '=' && before == ' ' {
            starts.push(at);
        }
        before = c;
    }
    starts
}

/// Reads the table of these lines. A line whose first column is blank goes on with the row above it.
pub(super) fn read(lines: &[Line<'_>], at: Places<'_>) -> Result<Grid, Problem> {
    let starts = lines.first().map_or(Vec::new(), |line| columns(line.text));
    let rules: Vec<usize> = (0..lines.len())
        .filter(|&n| lines.get(n).is_some_and(|line| is_rule(line.text)))
        .collect();
    let closes = rules
        .last()
        .is_some_and(|last| *last + 1 == lines.len() && *last > 0);
    if !closes || rules.len() > 3 {
        return Err(Problem::new(
            at.lines(lines.get(..1).unwrap_or(lines)),
            "the table has no rule at its end",
            "a simple table ends with the rule of `=` that it begins with: the text is cut off",
        ));
    }
    let mut rows: Vec<Vec<Vec<(&str, Span)>>> = Vec::new();
    let mut n_headings = 0;
    for (n, line) in lines.iter().enumerate() {
        if rules.contains(&n) {
            if rules.len() == 3 && rules.get(1) == Some(&n) {
                n_headings = rows.len();
            }
            continue;
        }
        let under_row = line.text.trim().chars().all(|c| matches!(c, '-' | ' '));
        if line.is_blank() || under_row {
            continue;
        }
        let parts = parts(line, &starts, at);
        let is_new = parts.first().is_some_and(|first| !first.0.trim().is_empty());
        match rows.last_mut().filter(|_| !is_new) {
            Some(row) => row.iter_mut().zip(parts).for_each(|(cell, part)| cell.push(part)),
            None => rows.push(parts.into_iter().map(|part| vec![part]).collect()),
        }
    }
    let cell = |texts: &Vec<(&str, Span)>| -> Cell {
        let span = texts.iter().map(|text| text.1).reduce(Span::to);
        cell_of(texts, span.unwrap_or_else(|| at.lines(lines)))
    };
    let rows: Vec<Vec<Cell>> = rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    Ok(Grid::padded(rows, n_headings, at.lines(lines)))
}

/// The text of a line under each column; the last one goes on to the line's end.
fn parts<'a>(line: &Line<'a>, starts: &[usize], at: Places<'_>) -> Vec<(&'a str, Span)> {
    let byte = |character: usize| {
        line.text
            .char_indices()
            .nth(character)
            .map_or(line.text.len(), |(at, _)| at)
    };
    let part = |(n, &start): (usize, &usize)| {
        let from = byte(start);
        let to = starts.get(n + 1).map_or(line.text.len(), |next| byte(*next));
        let text = line.text.get(from..to).unwrap_or("");
        let begin = line.start + from + (text.len() - text.trim_start().len());
        (text, at.bytes(begin, begin + text.trim().len()))
    };
    starts.iter().enumerate().map(part).collect()
}
