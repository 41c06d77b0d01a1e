//! Text of a dump to [`ast`](super::ast): lines, then the words, options and values of a rule.
//!
//! Parsers are nom functions over plain `&str`, or loops over them where a line may be of any length.
//! INVARIANT: nothing here recurses, and every slice that is returned is a slice of the input.

mod line;
mod option;
mod rule;
mod value;
mod word;

pub(super) use line::line;
pub(super) use rule::rule;
pub(super) use value::{
    Address, States, address_range, addresses, argument, class_list, decimal_range, icmp_types, interface,
    mark, nat_address, port_list, port_range, protocol, states, tcp_flags, to_ports,
};
pub(super) use word::{bare, words};
