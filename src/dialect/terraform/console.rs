//! Expressions by themselves, as `terraform console` takes them.

use super::eval::{Evaluator, Scope};
use super::module::Program;
use super::syntax::hcl;
use super::value::{Stop, to_json};
use crate::source::{Source, SourceMap};

/// The value of an expression that refers to nothing, as `jsonencode` writes it; else why there is none.
pub fn console(expression: &str) -> Result<String, String> {
    let mut sources = SourceMap::new();
    let file = sources.add_text("console", expression);
    let source = Source {
        file,
        name: "console",
        text: expression,
    };
    let expr = hcl::expression(source).map_err(|mistake| mistake.message)?;
    let program = Program::default();
    let evaluator = Evaluator::new(&program);
    let said = |stop: Stop| match stop {
        Stop::Fault(fault) => fault.message,
        Stop::Unknown(why) => format!("not known: {}", why.text),
    };
    let value = evaluator
        .evaluate(Scope::of_module(usize::MAX), &expr)
        .map_err(said)?;
    let mut text = String::new();
    to_json(&value, &mut text).map_err(said)?;
    Ok(text)
}
